// What the suites share: cases from the tables of src/kinds.ts, seeded data, and exact answers in plain JS.
import v8 from "node:v8";
import type { Hit, HnswOptions, IndexOptions, VectorIndex } from "vicinal";
import * as vicinal from "vicinal";
import { expect } from "vitest";
import { type Codec, combinations, KIND_NAMES, type Kind, METRICS, type Metric } from "../src/kinds.js";

export const VARIANTS = ["scalar", "simd", "relaxed", "threads"] as const;

/** Node 20 has relaxed SIMD behind a flag, which must be set before the first module is compiled. */
export function allowRelaxed(): void {
  if (Number(process.versions.node.split(".")[0]) < 21) v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
}
if (["relaxed", "threads"].includes(process.env.VICINAL_VARIANT ?? "")) allowRelaxed();

type Family = { create(options: IndexOptions): Promise<VectorIndex> };

/** The class of each kind: `Hnsw` for "hnsw". */
export const FAMILIES = Object.fromEntries(
  KIND_NAMES.map((kind) => [kind, Object.entries(vicinal).find(([name]) => name.toLowerCase() === kind)?.[1]]),
) as unknown as Readonly<Record<Kind, Family>>;

export function create(kind: Kind, options: HnswOptions): Promise<VectorIndex> {
  return FAMILIES[kind].create(options);
}

/** Own options of a family that build fast, for tests with many vectors. */
export const QUICK: Readonly<Partial<Record<Kind, Partial<HnswOptions>>>> = { hnsw: { m: 4, efConstruction: 16 } };

/** Kinds whose plain search misses nothing. */
export const EXACT_KINDS: readonly Kind[] = ["flat"];
/** Codecs that keep every vector as it was given, so that there is nothing to re-score. */
const LOSSLESS: readonly Codec[] = ["f32", "binary"];

export interface Case {
  readonly name: string;
  readonly kind: Kind;
  readonly metric: Metric;
  readonly codec: Codec;
  readonly rerank: boolean;
  /** For `create`; dimensions are still to be given. */
  readonly options: Omit<HnswOptions, "dimensions">;
  /** Plain search misses nothing. */
  readonly exact: boolean;
}

/** Own options of a family that change how it works, beside the defaults. */
function variations(kind: Kind, metric: Metric): Partial<HnswOptions>[] {
  return kind === "hnsw" && metric === "dot" ? [{ mips: "native" }, { mips: "augment" }] : [{}];
}

/** What contract, model and file suites are calibrated for: answers that can be said in advance. */
export const TESTED = combinations().filter(
  ({ kind, metric, codec }) => ["flat", "hnsw"].includes(kind) && (metric === "hamming" || ["f32", "sq8"].includes(codec)),
);

/** Every kind x metric x codec x rerank. */
export const CASES: readonly Case[] = TESTED.flatMap(({ kind, metric, codec }) =>
  (LOSSLESS.includes(codec) ? [false] : [false, true]).flatMap((rerank) =>
    variations(kind, metric).map((own) => ({
      name: [kind, metric, codec, ...(rerank ? ["rerank"] : []), ...Object.values(own)].join(" "),
      kind,
      metric,
      codec,
      rerank,
      options: { metric, codec, ...(rerank && { rerank }), ...own },
      exact: EXACT_KINDS.includes(kind),
    })),
  ),
);

/** Kind x codec, each with a metric whose distances are exact on integers. */
export const KINDS_AND_CODECS = TESTED.filter(({ kind, metric, codec }) => {
  return TESTED.find((one) => one.kind === kind && one.codec === codec)?.metric === metric;
});

/** Kind x codec of every family, each with one metric. */
export const EVERY_KIND_AND_CODEC = combinations().filter(({ kind, metric, codec }, _, all) => {
  return all.find((one) => one.kind === kind && one.codec === codec)?.metric === metric;
});

// ---- seeded data --------------------------------------------------------------------------------------------------

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
  return Array.from({ length: n }, (_, i) => Float32Array.from({ length: d }, (_, j) => value(i, j)));
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
  return Float32Array.from(rows.flatMap((row) => Array.from(row)));
}

/** Bits, least significant first. */
export function packed(row: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array((row.length + 7) >> 3);
  for (let i = 0; i < row.length; i++) if (row[i] > 0) bytes[i >> 3] |= 1 << (i & 7);
  return bytes;
}

// ---- exact answers ------------------------------------------------------------------------------------------------

export type Rows = ReadonlyMap<number, ArrayLike<number>>;

export function numbered(rows: readonly ArrayLike<number>[], ids?: ArrayLike<number>): Map<number, ArrayLike<number>> {
  return new Map(rows.map((row, i) => [ids ? ids[i] : i, row]));
}

export function byDistanceThenId(a: Hit, b: Hit): number {
  return a.distance - b.distance || a.id - b.id;
}

/** The k nearest of `rows`, in f64. */
export function nearest(rows: Rows, query: ArrayLike<number>, metric: Metric, k = rows.size): Hit[] {
  const { exact } = METRICS[metric];
  const hits = Array.from(rows, ([id, row]) => ({ id, distance: exact(query, row) + 0 }));
  return hits.sort(byDistanceThenId).slice(0, k);
}

/** How far a distance on exactData may be from the truth; by code, before any re-scoring. */
function codeError({ metric, codec }: Case, d: number): number {
  if (metric !== "cosine") return 0;
  // f32: rounding. sq8: unit vectors span at most 2, half a step of 2 / 255 per value, against a unit query.
  return codec === "f32" ? 1e-6 : Math.sqrt(d) / 255 + 1e-4;
}

/** `hits` must be true (each distance is that of its id), in order, complete; returns the recall. */
export function checkHits(hits: readonly Hit[], rows: Rows, query: ArrayLike<number>, k: number, of: Case): number {
  const { metric, rerank } = of;
  const off = codeError(of, query.length);
  const reported = rerank && metric === "cosine" ? 1e-6 : off;
  expect(hits.length).toBe(Math.min(k, rows.size));
  expect(new Set(hits.map(({ id }) => id)).size).toBe(hits.length);
  expect(hits).toEqual([...hits].sort(byDistanceThenId));
  const expected = nearest(rows, query, metric, k);
  let near = 0;
  for (const { id, distance } of hits) {
    const row = rows.get(id);
    expect(row, `id ${id} is not one of the rows`).toBeDefined();
    const error = Math.abs(distance - METRICS[metric].exact(query, row!));
    if (!(error <= reported)) expect.fail(`id ${id} at ${distance}, off by ${error} where ${reported} is allowed`);
    if (distance <= (expected.at(-1)?.distance ?? Infinity) + 2 * off + reported) near++;
  }
  return hits.length ? near / hits.length : 1;
}

/** checkHits, and nothing may be missed: where distances are exact, the very answer. */
export function checkExact(hits: readonly Hit[], rows: Rows, query: ArrayLike<number>, k: number, of: Case): void {
  expect(checkHits(hits, rows, query, k, of)).toBe(1);
  if (codeError(of, query.length) === 0) expect(hits).toEqual(nearest(rows, query, of.metric, k));
}

/** Far faster than toEqual on 100 KB. */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array, message?: string): void {
  expect(Buffer.compare(actual, expected), message ?? "bytes").toBe(0);
}

// ---- recall -------------------------------------------------------------------------------------------------------

/** The ids of the k nearest to each query, by an exact scan. */
export async function truthOf(metric: Metric, rows: Rows, queries: readonly Float32Array[], k = 10): Promise<Set<number>[]> {
  const flat = await vicinal.Flat.create({ dimensions: queries[0].length, metric });
  flat.add([...rows.values()], [...rows.keys()]);
  const { ids } = flat.searchBatch(queries, { k });
  flat.close();
  return queries.map((_, i) => new Set(ids.subarray(i * k, (i + 1) * k)));
}

/** Share of the true neighbours that searches find. */
export function recallOf(
  index: VectorIndex,
  queries: readonly Float32Array[],
  truth: readonly Set<number>[],
  options: vicinal.SearchOptions = {},
): number {
  let [found, all] = [0, 0];
  queries.forEach((query, i) => {
    for (const { id } of index.search(query, { k: truth[i].size, ...options })) if (truth[i].has(id)) found++;
    all += truth[i].size;
  });
  return found / all;
}

/** Prints what was measured where VICINAL_MEASURE is set, to write figures beside gates. */
export function measured(name: string, figure: number): number {
  if (process.env.VICINAL_MEASURE) console.log(`${name}: ${figure.toFixed(4)}`);
  return figure;
}

// ---- errors -------------------------------------------------------------------------------------------------------

/** What `work` throws, of whatever kind; undefined where it does not. */
export async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** `work` must throw a VicinalError of this code, with a sentence that says `saying`. */
export async function expectError(work: () => unknown, code: vicinal.ErrorCode, saying: string | RegExp): Promise<void> {
  const error = await thrownBy(work);
  expect(error).toBeInstanceOf(vicinal.VicinalError);
  expect((error as vicinal.VicinalError).code).toBe(code);
  expect((error as vicinal.VicinalError).message).toMatch(saying);
}
