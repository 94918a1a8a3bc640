// Exact answers in plain JS, and what an index answers held against them.
import { Flat, type Hit, type SearchOptions, type VectorIndex } from "vicinal";
import { expect } from "vitest";
import { type Codec, METRICS, type Metric } from "../../src/words/kinds.js";
import type { Case } from "./cases.js";
import { learnedFrom } from "./data.js";

export type Rows = ReadonlyMap<number, ArrayLike<number>>;

export function numbered(rows: readonly ArrayLike<number>[], ids?: ArrayLike<number>): Map<number, ArrayLike<number>> {
  return new Map(rows.map((row, i) => [ids ? ids[i] : i, row]));
}

export function byDistanceThenId(a: Hit, b: Hit): number {
  return a.distance - b.distance || a.id - b.id;
}

/** The k nearest of `rows`, in f64. */
export function nearest(
  rows: Rows,
  query: ArrayLike<number>,
  metric: Metric,
  k = rows.size,
  distanceOf = METRICS[metric].exact,
): Hit[] {
  const hits = Array.from(rows, ([id, row]) => ({ id, distance: distanceOf(query, row) + 0 }));
  return hits.sort(byDistanceThenId).slice(0, k);
}

const say = ({ id, distance }: Hit): string => `id ${id} at ${distance}`;

/** The same hits: far faster than toEqual, which says the difference. */
export function expectSameHits(actual: readonly Hit[], expected: readonly Hit[], message?: string): void {
  const same = (hit: Hit, i: number): boolean => hit.id === expected[i].id && Object.is(hit.distance, expected[i].distance);
  if (actual.length !== expected.length || !actual.every(same)) expect(actual, message).toEqual(expected);
}

/** The distance that codes say. Signs alone: the angle that goes with as many differing ones. */
export function saidBy(of: Case): (query: ArrayLike<number>, row: ArrayLike<number>) => number {
  if (of.metric !== "cosine" || of.holds !== "binary" || of.rerank) return METRICS[of.metric].exact;
  return (query, row) => 1 - Math.cos((Math.PI * METRICS.hamming.exact(query, row)) / row.length);
}

/** Of unit vectors in a codec: how far a distance between them may be off. */
export const UNIT_ERROR: Readonly<Partial<Record<Codec, (d: number) => number>>> = {
  // Rounding to 11 and 8 bits.
  f16: () => 2 ** -11 + 1e-6,
  bf16: () => 2 ** -8 + 1e-6,
  // Unit vectors span at most 2, half a step of 2 / 255 per value, against a unit query.
  sq8: (d) => Math.sqrt(d) / 255 + 1e-4,
};

/** How far a distance on exactData may be from the truth; by code, before any re-scoring. */
export function codeError(of: Case, d: number): number {
  if (of.metric !== "cosine" || of.estimates) return 0;
  // f32: rounding.
  return UNIT_ERROR[of.holds]?.(d) ?? 1e-6;
}

export const lengthOf = (row: ArrayLike<number>): number => Math.hypot(...Array.from(row));

/** Where codes estimate: what a scan of `rows` says must be near the distances to the vectors that get() decodes from them. */
export function checkEstimates(index: VectorIndex, rows: Rows, query: ArrayLike<number>, of: Case): void {
  const { metric, codec, estimates } = of;
  if (!estimates) return;
  const q = lengthOf(query);
  const kept = new Map([...rows.keys()].map((id) => [id, index.get(id)!]));
  // Under dot lists keep what is left of a vector beside a centroid, which is as long as what was learned from, though the vector be 0.
  const learned = of.kind === "ivf" && metric === "dot" ? learnedFrom(metric, query.length) : [];
  const longest = Math.max(...Array.from([...kept.values(), ...learned], lengthOf));
  // rabitq tells what is left of a query beside a centre, which is something also of a query that is 0.
  const turned = codec === "rabitq" ? q + longest : q;
  const size = { l2: (q + longest) ** 2, dot: turned * longest, cosine: 1, hamming: 0, l1: 0 }[metric];
  const { raw, exact } = METRICS[metric];
  for (const { id, distance } of toldBy(index, rows, query, of)) {
    const x = kept.get(id)!;
    const length = lengthOf(rows.get(id)!);
    let truth = raw(exact(query, x));
    // Half the square between unit vectors, though what is decoded has another length than what was given.
    if (codec === "pq" && metric === "cosine" && q && length) {
      truth = x.reduce((sum, value, i) => sum + (query[i] / q - value / length) ** 2, 0) / 2;
    }
    const error = Math.abs(raw(distance) - truth);
    if (!(error <= estimates * size)) {
      expect.fail(`${say({ id, distance })}, off by ${error / size} of its size where ${estimates} is allowed`);
    }
  }
}

/** All of `rows` at the distances that searches must say. */
export function toldBy(index: VectorIndex | undefined, rows: Rows, query: ArrayLike<number>, of: Case): Hit[] {
  if (!of.estimates) return nearest(rows, query, of.metric, rows.size, saidBy(of));
  if (!index) throw new Error("an index that estimates must be asked");
  const scan = index.search(Float32Array.from(query), { k: Math.max(index.size, 1), exact: true });
  if (scan.length !== index.size) expect.fail(`a scan finds ${scan.length} of ${index.size}`);
  return scan.filter(({ id }) => rows.has(id));
}

/** `hits` must be true (each distance is that of its id), in order, complete; returns the recall. */
export function checkHits(
  hits: readonly Hit[],
  rows: Rows,
  query: ArrayLike<number>,
  k: number,
  of: Case,
  index?: VectorIndex,
  told = toldBy(index, rows, query, of),
): number {
  const { metric, rerank } = of;
  const off = codeError(of, query.length);
  const reported = rerank && metric === "cosine" ? 1e-6 : off;
  if (hits.length !== Math.min(k, rows.size)) expect.fail(`${hits.length} hits of ${rows.size} rows for k = ${k}`);
  const distances = new Map(told.map(({ id, distance }) => [id, distance]));
  const farthest = told[Math.min(k, told.length) - 1]?.distance ?? Infinity;
  let near = 0;
  hits.forEach((hit, i) => {
    const { id, distance } = hit;
    const due = distances.get(id);
    if (due === undefined) expect.fail(`${say(hit)}: it is not one of the rows, or there twice`);
    distances.delete(id);
    if (i && !(byDistanceThenId(hits[i - 1], hit) <= 0)) expect.fail(`${say(hits[i - 1])} stands before ${say(hit)}`);
    const error = Math.abs(distance - due);
    if (!(error <= reported)) expect.fail(`${say(hit)}, off by ${error} where ${reported} is allowed`);
    if (distance <= farthest + 2 * off + reported) near++;
  });
  return hits.length ? near / hits.length : 1;
}

/** checkHits, and nothing may be missed: where distances are exact, the very answer. */
export function checkExact(
  hits: readonly Hit[],
  rows: Rows,
  query: ArrayLike<number>,
  k: number,
  of: Case,
  index?: VectorIndex,
  told = toldBy(index, rows, query, of),
): void {
  expect(checkHits(hits, rows, query, k, of, index, told)).toBe(1);
  if (codeError(of, query.length) !== 0) return;
  // Estimates below 0 are shown as 0; which of them the k nearest are is decided before.
  const tied = of.estimates !== undefined && of.metric !== "dot";
  const sure = (all: readonly Hit[]): Hit[] => all.slice(0, k).map((hit) => (tied && !hit.distance ? { ...hit, id: -1 } : hit));
  expectSameHits(sure(hits), sure(told));
}

/** A vector as get() gives it back must be what was added, as far as the codec keeps it. */
export function checkKept(kept: Float32Array, row: ArrayLike<number>, of: Case): void {
  if (!(kept instanceof Float32Array && kept.length === row.length)) expect.fail(`${kept} where ${row.length} values are due`);
  if (of.estimates) return;
  if (of.metric !== "cosine") {
    // -0 may come back as 0.
    if (kept.some((x, i) => x !== Math.fround(row[i]))) expect.fail(`${kept} is kept of ${row}`);
    return;
  }
  // Unit vectors are kept with their length: rounding, or half of the codec's step.
  const d = row.length;
  const length = lengthOf(row);
  const signs = of.holds === "binary" && !of.rerank;
  const steps: Partial<Record<Codec, number>> = { sq8: length / 255 + 1e-3, f16: length * 2 ** -11, bf16: length * 2 ** -8 };
  const off = (!of.rerank && steps[of.holds]) || length * 2e-7;
  for (let i = 0; i < d; i++) {
    const expected = signs ? (row[i] > 0 ? length : -length) / Math.sqrt(d) : row[i];
    const error = Math.abs(kept[i] - expected);
    if (!(error <= off)) expect.fail(`${kept[i]} is kept of ${row[i]}, off by ${error} where ${off} is allowed`);
  }
}

/** Far faster than toEqual on 100 KB. */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array, message?: string): void {
  expect(Buffer.compare(actual, expected), message ?? "bytes").toBe(0);
}

/** The ids of the k nearest to each query, by an exact scan. */
export async function truthOf(metric: Metric, rows: Rows, queries: readonly Float32Array[], k = 10): Promise<Set<number>[]> {
  const flat = await Flat.create({ dimensions: queries[0].length, metric });
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
  options: SearchOptions = {},
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
