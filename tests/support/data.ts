// Seeded data, the same on every machine.
import type { Metric } from "../../src/words/kinds.js";
import { thorough } from "./thorough.js";

export type Random = () => number;

/** Uniform in [0, 1): mulberry32. */
export function random(seed: number): Random {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normally distributed: Box and Muller. */
export function gauss(next: Random): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export function filled(n: number, d: number, value: (i: number, j: number) => number): Float32Array[] {
  const rows: Float32Array[] = [];
  for (let i = 0; i < n; i++) {
    const row = new Float32Array(d);
    for (let j = 0; j < d; j++) row[j] = value(i, j);
    rows.push(row);
  }
  return rows;
}

export function integers(n: number, d: number, seed: number, least: number, most: number): Float32Array[] {
  const next = random(seed);
  return filled(n, d, () => least + Math.floor(next() * (most - least + 1)));
}

export function gaussians(n: number, d: number, seed: number, scale = 1): Float32Array[] {
  const next = random(seed);
  return filled(n, d, () => gauss(next) * scale);
}

/** Points around `clusters` centres, the last `queries` of them from the same distribution but for asking. */
export function clustered(n: number, d: number, seed: number, clusters = 50): Float32Array[] {
  const centres = gaussians(clusters, d, seed);
  const next = random(seed + 1);
  return Array.from({ length: n }, () => {
    const centre = centres[Math.floor(next() * clusters)];
    return centre.map((x) => x + 0.5 * gauss(next));
  });
}

/** Vectors that lie near a space of `rank` dimensions, as embeddings do: nothing is separate, and values go together. */
export function correlated(n: number, d: number, rank: number, seed: number): Float32Array[] {
  const directions = gaussians(rank, d, seed);
  const next = random(seed + 1);
  return Array.from({ length: n }, () => {
    const row = Float32Array.from({ length: d }, () => 0.3 * gauss(next));
    for (const [i, direction] of directions.entries()) {
      const along = gauss(next) / (1 + i / 8);
      for (let j = 0; j < d; j++) row[j] += along * direction[j];
    }
    return row;
  });
}

/** Vectors on which every distance but cosine is exact, in sq8 too: integers within 200 of each other; bits. */
export function exactData(metric: Metric, n: number, d: number, seed: number): Float32Array[] {
  return metric === "hamming" ? integers(n, d, seed, 0, 1) : integers(n, d, seed, -100, 100);
}

export function shuffled<T>(values: Iterable<T>, seed: number): T[] {
  const next = random(seed);
  const out = [...values];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

export function flatten(rows: readonly ArrayLike<number>[]): Float32Array {
  const out = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    out.set(row, at);
    at += row.length;
  }
  return out;
}

/** Bits, least significant first. */
export function packed(row: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array((row.length + 7) >> 3);
  for (let i = 0; i < row.length; i++) if (row[i] > 0) bytes[i >> 3] |= 1 << (i & 7);
  return bytes;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** Of vectors that kernels are tried with: every remainder of every register. */
export const SHORT = thorough([...upTo(20), 31, 32, 33, 48, 63, 64, 65], upTo(67));
/** And some larger primes. */
export const DIMENSIONS = [...SHORT, ...thorough([127, 521], [127, 251, 521])];

/** What indices of the suites learn from, where they learn. */
export function learnedFrom(metric: Metric, d: number): Float32Array[] {
  return exactData(metric, 300, d, 1);
}
