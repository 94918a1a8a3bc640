// What the suites share: cases from the tables of src/words/kinds.ts, seeded data, and exact answers in plain JS.
import v8 from "node:v8";
import type {
  CodecOption,
  FlatOptions,
  ForestOptions,
  Hit,
  HnswOptions,
  IndexOptions,
  IvfOptions,
  KdTreeOptions,
  LshOptions,
  SearchOptions,
  VectorIndex,
} from "vicinal";
import * as vicinal from "vicinal";
import { expect } from "vitest";
import {
  CODEC_NAMES,
  type Codec,
  codecsOf,
  combinations,
  isLossy,
  KIND_NAMES,
  KINDS,
  type Kind,
  METRICS,
  type Metric,
} from "../src/words/kinds.js";

/** Of vectors that kernels are tried with: every remainder of every register, and some larger primes. */
export const DIMENSIONS = [...Array.from({ length: 67 }, (_, i) => i + 1), 127, 251, 521];

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

/** Options of any family. */
export type AnyOptions = FlatOptions & HnswOptions & IvfOptions & KdTreeOptions & ForestOptions & LshOptions;

export function create(kind: Kind, options: AnyOptions): Promise<VectorIndex> {
  return FAMILIES[kind].create(options);
}

/** Own options of a family that build fast, for tests with many vectors. */
export const QUICK: Readonly<Partial<Record<Kind, Partial<HnswOptions>>>> = { hnsw: { m: 4, efConstruction: 16 } };

/** Kinds whose plain search misses nothing. */
export const EXACT_KINDS: readonly Kind[] = ["flat", "kdtree"];
/** Codecs that keep every vector as it was given, so that there is nothing to re-score. */
const LOSSLESS: readonly Codec[] = ["f32", "binary"];

export interface Case {
  readonly name: string;
  readonly kind: Kind;
  readonly metric: Metric;
  readonly codec: Codec;
  readonly rerank: boolean;
  /** What rows are stored in: the codec, before it has learned f32. */
  readonly holds: Codec;
  /** For `create`; dimensions are still to be given. */
  readonly options: Omit<AnyOptions, "dimensions">;
  /** Plain search misses nothing. */
  readonly exact: boolean;
  /** With these search options it misses nothing either. */
  readonly thorough: SearchOptions | undefined;
  /** Of plain search where it may miss something: the least mean recall over the queries of a test. */
  readonly recall: number;
  /** Has to train before it is what it is. */
  readonly learns: boolean;
  /** The same bytes however calls are cut: each vector is put in its place by itself. */
  readonly cutsAlike: boolean;
  /** Removed vectors keep their places until nothing links to them any more. */
  readonly lingers: boolean;
  /**
   * Codes that distances cannot be told from in advance: a scan says them, each within this share of the largest vectors' size of
   * the distance to get(id), and every other way to search must say the very same.
   */
  readonly estimates: number | undefined;
}

/** Own options of a family that change how it works, beside the defaults. */
function variations(kind: Kind, metric: Metric, codec: Codec): Partial<AnyOptions>[] {
  if (kind === "flat" && codec === "f32") return [{}, { prefilter: true }];
  if (kind !== "hnsw" || metric === "hamming") return [{}];
  const graphs: Partial<HnswOptions>[] = metric === "dot" ? [{ mips: "native" }, { mips: "augment" }] : [{}];
  return [...graphs, ...graphs.map((own) => ({ ...own, fastScan: true }))];
}

/** The combinations of which every metric is run through all suites. */
export const TESTED = combinations().filter(
  ({ kind, metric, codec }) => ["flat", "hnsw"].includes(kind) && (metric === "hamming" || ["f32", "sq8"].includes(codec)),
);

/** Every kind x metric x codec x rerank of them. */
export const CASES: readonly Case[] = TESTED.flatMap(({ kind, metric, codec }) =>
  (LOSSLESS.includes(codec) ? [false] : [false, true]).flatMap((rerank) =>
    variations(kind, metric, codec).map((own) => ({
      name: [
        ...[kind, metric, codec, ...(rerank ? ["rerank"] : []), own.mips],
        ...[own.fastScan && "fastScan", own.prefilter && "prefilter"],
      ]
        .filter(Boolean)
        .join(" "),
      kind,
      metric,
      codec,
      rerank,
      holds: codec,
      options: { metric, codec, ...(rerank && { rerank }), ...own },
      exact: EXACT_KINDS.includes(kind),
      thorough: undefined,
      recall: 0.97, // measured 0.99 to 1: 300 vectors are few, so a graph may miss almost none
      learns: false,
      cutsAlike: true,
      lingers: kind === "hnsw",
      estimates: undefined,
    })),
  ),
);

/** What makes a family of few vectors search a part of them, and how it searches them all. */
const PARTIAL: Readonly<Record<Kind, { own: object; thorough?: SearchOptions; recall: number; cutsAlike: boolean }>> = {
  flat: { own: {}, recall: 1, cutsAlike: true },
  hnsw: { own: {}, recall: 0.95, cutsAlike: true },
  ivf: { own: { nlist: 8, nprobe: 4 }, thorough: { nprobe: 8 }, recall: 0.55, cutsAlike: true },
  kdtree: { own: { leafSize: 8 }, recall: 1, cutsAlike: false },
  forest: { own: { trees: 4, leafSize: 16, searchK: 200 }, thorough: { searchK: 1e6 }, recall: 0.8, cutsAlike: false },
  lsh: { own: { tables: 8, bits: 6, probes: 8 }, thorough: { probes: 64 }, recall: 0.75, cutsAlike: true },
};

/** Under l2 Lsh learns how wide its cells are, and no number of probes reaches all of them. */
const ofWidth = (kind: Kind, metric: Metric): boolean => kind === "lsh" && metric === "l2";

/** Options of a codec with its share of `estimates`: of 4 bits the tables of a scan are of 8 bits themselves. */
function codes(codec: Codec, kind: Kind): { name: string; option: CodecOption; estimates?: number }[] {
  if (codec === "pq") {
    return [
      { name: "pq 4", option: { type: "pq", bits: 4 }, estimates: ["flat", "ivf"].includes(kind) ? 0.02 : 2e-6 },
      { name: "pq 8", option: { type: "pq", bits: 8 }, estimates: 2e-6 },
    ];
  }
  return codec === "rabitq"
    ? [{ name: "rabitq 4", option: { type: "rabitq", bits: 4 }, estimates: 0.05 }]
    : [{ name: codec, option: codec }];
}

/** What holds of a case that learns before it has: everything is scanned, as it was given. */
export function untrained(of: Case): Case {
  return {
    ...of,
    ...{ holds: "f32", learns: false, exact: true, cutsAlike: true, lingers: false, rerank: false },
    ...{ thorough: undefined, estimates: undefined },
  };
}

/** The same with vectors that are never enough. */
function waiting(of: Case): Case {
  return { ...untrained(of), name: `${of.name} untrained`, options: { ...of.options, trainAt: 100_000 } };
}

/** Every other family x codec, under metrics in turn; what learns, before and after. */
export const OTHER_CASES: readonly Case[] = KIND_NAMES.flatMap((kind, i) =>
  CODEC_NAMES.flatMap((codec, j) => {
    const metrics = KINDS[kind].metrics.filter((metric) => codecsOf(kind, metric).includes(codec));
    const metric = metrics[(i + j) % metrics.length];
    if (!metric || TESTED.some((one) => one.kind === kind && one.codec === codec)) return [];
    const { own, thorough, recall, cutsAlike } = PARTIAL[kind];
    const trains = ["pq", "rabitq"].includes(codec);
    const coarse = trains || codec === "binary";
    return codes(codec, kind).flatMap(({ name, option, estimates }, code) => {
      const of = (rerank: boolean, metric: Metric): Case => ({
        name: [kind, metric, name, ...(rerank ? ["rerank"] : [])].join(" "),
        ...{ kind, metric, codec, rerank, holds: codec, learns: kind === "ivf" || trains || ofWidth(kind, metric), cutsAlike },
        options: {
          ...{ metric, codec: option, ...own },
          ...(ofWidth(kind, metric) && { tables: 16, bits: 3 }),
          ...(rerank && { rerank, ...(coarse && kind === "hnsw" && { ef: 300 }) }),
        } as Case["options"],
        // Codes may fail to nominate what exact rows would put first.
        exact: EXACT_KINDS.includes(kind) && !(rerank && coarse),
        thorough: (rerank && coarse) || ofWidth(kind, metric) ? undefined : thorough,
        recall: (ofWidth(kind, metric) ? 0.45 : recall) * (rerank && coarse ? 0.75 : 1),
        lingers: kind === "hnsw",
        estimates: rerank ? undefined : estimates,
      });
      // Exact rows beside codes under another metric, so that each family has had them all.
      const next = metrics[(i + j + 1) % metrics.length];
      const plain = of(false, metric);
      // Before it has learned, one codec is as another.
      const waits = code === 0 && (trains || (kind === "ivf" && codec === "f32") || ofWidth(kind, metric));
      return [plain, ...(code === 0 && isLossy(codec, next) ? [of(true, next)] : []), ...(waits ? [waiting(plain)] : [])];
    });
  }),
);

export const EVERY_CASE: readonly Case[] = [...CASES, ...OTHER_CASES];

/** An index of this case that has learned, where it learns. */
export async function open(of: Case, dimensions: number, more: Partial<AnyOptions> = {}): Promise<VectorIndex> {
  const index = await create(of.kind, { dimensions, ...of.options, ...more });
  if (of.learns) await index.train(exactData(of.metric, 300, dimensions, 1));
  return index;
}

/** Kind x codec, each with a metric whose distances are exact on integers. */
export const KINDS_AND_CODECS = TESTED.filter(({ kind, metric, codec }) => {
  return TESTED.find((one) => one.kind === kind && one.codec === codec)?.metric === metric;
});

/** Kind x codec of every family, each with one metric; graphs with the codes of neighbours and scans with a prefilter as well. */
export const EVERY_KIND_AND_CODEC: readonly {
  name: string;
  kind: Kind;
  metric: Metric;
  codec: Codec;
  own: Partial<AnyOptions>;
}[] = [
  ...combinations()
    .filter(({ kind, metric, codec }, _, all) => all.find((one) => one.kind === kind && one.codec === codec)?.metric === metric)
    .map((one) => ({ name: `${one.kind} ${one.codec}`, ...one, own: {} })),
  ...(["f32", "sq8"] as const).map((codec) => ({
    ...({ name: `hnsw ${codec} fastScan`, kind: "hnsw", metric: "l2", codec, own: { fastScan: true } } as const),
  })),
  { name: "flat f32 prefilter", kind: "flat", metric: "l2", codec: "f32", own: { prefilter: true } },
];

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

/** The distance that codes say. Signs alone: the angle that goes with as many differing ones. */
function saidBy(of: Case): (query: ArrayLike<number>, row: ArrayLike<number>) => number {
  if (of.metric !== "cosine" || of.holds !== "binary" || of.rerank) return METRICS[of.metric].exact;
  return (query, row) => 1 - Math.cos((Math.PI * METRICS.hamming.exact(query, row)) / row.length);
}

/** Of unit vectors in a codec: how far a distance between them may be off. */
const UNIT_ERROR: Readonly<Partial<Record<Codec, (d: number) => number>>> = {
  // Rounding to 11 and 8 bits.
  f16: () => 2 ** -11 + 1e-6,
  bf16: () => 2 ** -8 + 1e-6,
  // Unit vectors span at most 2, half a step of 2 / 255 per value, against a unit query.
  sq8: (d) => Math.sqrt(d) / 255 + 1e-4,
};

/** How far a distance on exactData may be from the truth; by code, before any re-scoring. */
function codeError(of: Case, d: number): number {
  if (of.metric !== "cosine" || of.estimates) return 0;
  // f32: rounding.
  return UNIT_ERROR[of.holds]?.(d) ?? 1e-6;
}

const lengthOf = (row: ArrayLike<number>): number => Math.hypot(...Array.from(row));

/** Where codes estimate: what a scan of `rows` says must be near the distances to the vectors that get() decodes from them. */
export function checkEstimates(index: VectorIndex, rows: Rows, query: ArrayLike<number>, of: Case): void {
  const { metric, codec, estimates } = of;
  if (!estimates) return;
  const q = lengthOf(query);
  const kept = new Map([...rows.keys()].map((id) => [id, index.get(id)!]));
  const longest = Math.max(...Array.from(kept.values(), lengthOf));
  const size = { l2: (q + longest) ** 2, dot: q * longest, cosine: 1, hamming: 0 }[metric];
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
      expect.fail(`id ${id} at ${distance}, off by ${error / size} of its size where ${estimates} is allowed`);
    }
  }
}

/** All of `rows` at the distances that searches must say. */
function toldBy(index: VectorIndex | undefined, rows: Rows, query: ArrayLike<number>, of: Case): Hit[] {
  if (!of.estimates) return nearest(rows, query, of.metric, rows.size, saidBy(of));
  if (!index) throw new Error("an index that estimates must be asked");
  const scan = index.search(Float32Array.from(query), { k: Math.max(index.size, 1), exact: true });
  expect(scan.length).toBe(index.size);
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
  expect(hits.length).toBe(Math.min(k, rows.size));
  expect(new Set(hits.map(({ id }) => id)).size).toBe(hits.length);
  expect(hits).toEqual([...hits].sort(byDistanceThenId));
  const distances = new Map(told.map(({ id, distance }) => [id, distance]));
  const farthest = told[Math.min(k, told.length) - 1]?.distance ?? Infinity;
  let near = 0;
  for (const { id, distance } of hits) {
    expect(rows.has(id), `id ${id} is not one of the rows`).toBe(true);
    const error = Math.abs(distance - distances.get(id)!);
    if (!(error <= reported)) expect.fail(`id ${id} at ${distance}, off by ${error} where ${reported} is allowed`);
    if (distance <= farthest + 2 * off + reported) near++;
  }
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
): void {
  const told = toldBy(index, rows, query, of);
  expect(checkHits(hits, rows, query, k, of, index, told)).toBe(1);
  if (codeError(of, query.length) !== 0) return;
  // Estimates below 0 are shown as 0; which of them the k nearest are is decided before.
  const tied = of.estimates !== undefined && of.metric !== "dot";
  const sure = (all: readonly Hit[]): Hit[] => all.slice(0, k).map((hit) => (tied && !hit.distance ? { ...hit, id: -1 } : hit));
  expect(sure(hits)).toEqual(sure(told));
}

/** A vector as get() gives it back must be what was added, as far as the codec keeps it. */
export function checkKept(kept: Float32Array, row: ArrayLike<number>, of: Case): void {
  expect(kept).toBeInstanceOf(Float32Array);
  if (of.estimates) return;
  if (of.metric !== "cosine") {
    // -0 may come back as 0.
    expect(kept.map((x) => x + 0)).toEqual(Float32Array.from(row, (x) => x + 0));
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
    expect(Math.abs(kept[i] - expected)).toBeLessThanOrEqual(off);
  }
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
