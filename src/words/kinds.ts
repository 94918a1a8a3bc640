// The vocabulary as tables. A name's place is its number in the file and in assembly/base/codes.ts: append, never reorder.
// The suites iterate over these, so a new row is tested without new test code.
import { POINTS_PER_CENTROID } from "./limits.js";

export const METRIC_NAMES = ["l2", "cosine", "dot", "hamming", "l1"] as const;
export const CODEC_NAMES = ["f32", "sq8", "binary", "f16", "bf16", "pq", "rabitq"] as const;
export const KIND_NAMES = ["flat", "hnsw", "ivf", "kdtree", "forest", "lsh"] as const;
/** Exact rows beside the codes: none, kept in a codec, or held by the caller. */
export const RERANK_NAMES = ["none", "f32", "f16", "sq8", "caller"] as const;
export const ROTATE_NAMES = ["none", "random", "opq"] as const;

/**
 * l2 = Euclidean distance; cosine = 1 - cos; dot = -<q, v>; hamming = differing bits; l1 = sum of absolute differences
 * (Manhattan). Smaller is nearer in each. l1 is had by Flat, Hnsw and Forest.
 */
export type Metric = (typeof METRIC_NAMES)[number];
/**
 * How rows are stored: f32 exact; f16 and bf16 two bytes per value; sq8 one; pq and rabitq a fraction of that, learned;
 * binary one bit (under cosine the sign, under hamming the bit itself).
 */
export type Codec = (typeof CODEC_NAMES)[number];
export type Kind = (typeof KIND_NAMES)[number];

export interface MetricRow {
  /** A kernel's number (l2 is squared there) as the distance users see. */
  readonly distance: (raw: number) => number;
  /** The inverse, for radii. */
  readonly raw: (distance: number) => number;
  /** The first is the default, and keeps vectors as they were given. */
  readonly codecs: readonly Codec[];
  /** Vectors are bits: whoever has bytes may give eight of them in each. */
  readonly packed?: true;
  /** Vectors count by their direction: rows are stored at unit length, and their own length beside them. */
  readonly unit?: true;
  /** Long vectors are near to everything: a distance may be below 0, and a graph may be built for that (`mips`). */
  readonly signed?: true;
  /** Lsh hashes into cells, which have a width, and not by bits. */
  readonly cells?: true;
  /** Only the full wasm build has it. */
  readonly full?: true;
  /** The definition in plain JS, in f64: what every kernel is tested against. */
  readonly exact: (a: ArrayLike<number>, b: ArrayLike<number>) => number;
}

const same = (x: number): number => x;
/** Codes estimate distances, and may end up below 0. */
const least0 = (x: number): number => Math.max(x, 0);

function total(a: ArrayLike<number>, b: ArrayLike<number>, term: (x: number, y: number) => number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += term(a[i], b[i]);
  return sum;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => total(a, b, (x, y) => x * y);

/** Each value is kept by itself. */
const ROWS: readonly Codec[] = ["f32", "f16", "bf16", "sq8"];
const NUMBERS: readonly Codec[] = [...ROWS, "pq", "rabitq"];

export const METRICS: Readonly<Record<Metric, MetricRow>> = {
  l2: {
    distance: (raw) => Math.sqrt(least0(raw)),
    raw: (distance) => distance * distance,
    codecs: NUMBERS,
    cells: true,
    exact: (a, b) => Math.sqrt(total(a, b, (x, y) => (x - y) ** 2)),
  },
  cosine: {
    distance: least0,
    raw: same,
    codecs: [...NUMBERS, "binary"],
    unit: true,
    exact: (a, b) => {
      const norms = Math.sqrt(dot(a, a) * dot(b, b));
      return norms === 0 ? 1 : 1 - dot(a, b) / norms;
    },
  },
  dot: { distance: same, raw: same, codecs: NUMBERS, signed: true, exact: (a, b) => -dot(a, b) },
  hamming: {
    distance: same,
    raw: same,
    codecs: ["binary"],
    packed: true,
    exact: (a, b) => total(a, b, (x, y) => Number(x > 0 !== y > 0)),
  },
  l1: { distance: same, raw: same, codecs: ROWS, full: true, exact: (a, b) => total(a, b, (x, y) => Math.abs(x - y)) },
};

export interface CodecRow {
  /** Candidates per wanted result where exact rows re-score them. */
  readonly rerankFactor: number;
  /** How much of a value is kept, for what may re-score what. */
  readonly fineness: number;
  /** Vectors it must see before it can encode; 0 where it needs none. `bits` as in its options. */
  readonly needs: (bits: number) => number;
  /** How many it wants to see: training waits for them. */
  readonly wants: (bits: number) => number;
  /** Only the full wasm build has it. */
  readonly full?: true;
  /** Rows are shorter than f32: all builds but the core have them. */
  readonly coded?: true;
}

const nothing = (): number => 0;
const PLAIN = { rerankFactor: 4, needs: nothing, wants: nothing };

export const CODECS: Readonly<Record<Codec, CodecRow>> = {
  f32: { ...PLAIN, fineness: 6 },
  sq8: { ...PLAIN, fineness: 3, coded: true },
  binary: { ...PLAIN, rerankFactor: 10, fineness: 0, coded: true },
  f16: { ...PLAIN, fineness: 5, coded: true },
  bf16: { ...PLAIN, fineness: 4, coded: true },
  pq: {
    rerankFactor: 10,
    fineness: 1,
    needs: (bits) => 2 ** bits,
    wants: (bits) => POINTS_PER_CENTROID * 2 ** bits,
    full: true,
  },
  rabitq: { rerankFactor: 10, fineness: 2, needs: () => 1, wants: () => 256, full: true },
};

/** Whether stored rows differ from the vectors given, so that there is something to re-score. */
export function isLossy(codec: Codec, metric: Metric): boolean {
  return codec !== METRICS[metric].codecs[0];
}

/** The option that trades speed for recall. */
export type Effort = "ef" | "nprobe" | "maxLeaves" | "searchK" | "probes";

export interface KindRow {
  /** Name of its class. */
  readonly family: string;
  /** None where there is nothing to trade. */
  readonly effort?: Effort;
  readonly metrics: readonly Metric[];
  /** Of the metric's codecs, those it can have. */
  readonly codecs: readonly Codec[];
  /** Only the full wasm build has it. */
  readonly full?: true;
}

/** Those that follow from dots and lengths, as lists, boxes, learned codes and prefilters take it. */
export const DOT_METRICS = ["l2", "cosine", "dot"] as const;

export const KINDS: Readonly<Record<Kind, KindRow>> = {
  flat: { family: "Flat", metrics: METRIC_NAMES, codecs: CODEC_NAMES },
  hnsw: { family: "Hnsw", effort: "ef", metrics: METRIC_NAMES, codecs: CODEC_NAMES },
  ivf: { family: "Ivf", effort: "nprobe", metrics: DOT_METRICS, codecs: CODEC_NAMES, full: true },
  kdtree: {
    family: "KdTree",
    effort: "maxLeaves",
    metrics: DOT_METRICS,
    codecs: ROWS,
    full: true,
  },
  forest: { family: "Forest", effort: "searchK", metrics: [...DOT_METRICS, "l1"], codecs: CODEC_NAMES, full: true },
  lsh: { family: "Lsh", effort: "probes", metrics: [...DOT_METRICS, "hamming"], codecs: CODEC_NAMES, full: true },
};

/** The codecs a family has under a metric; the first is the default. */
export function codecsOf(kind: Kind, metric: Metric): Codec[] {
  if (!KINDS[kind].metrics.includes(metric)) return [];
  return METRICS[metric].codecs.filter((codec) => KINDS[kind].codecs.includes(codec));
}

/**
 * Whether rows can have codes beside them that distances are estimated from: those of their neighbours (fastScan), or with a
 * bound (prefilter).
 */
export function canEstimate(prefilter: boolean, codec: Codec, metric: Metric): boolean {
  return (prefilter ? codec === "f32" : ROWS.includes(codec)) && DOT_METRICS.includes(metric as "l2");
}

/** The wasm builds, by their BUILD in assembly/base/codes.ts: bit 0 is what graphs and prefilters add, bit 1 every family and codec. */
export const BUILDS = ["core", "graph", "full", "whole"] as const;
export type Build = (typeof BUILDS)[number];

/** Those that have what an index needs, the smallest first. */
export function buildsFor({
  kind,
  metric,
  codec,
  fastScan,
  prefilter,
  atOnce,
}: Readonly<Record<"kind" | "metric" | "codec" | "fastScan" | "prefilter" | "atOnce", number>>): readonly Build[] {
  const own = CODECS[CODEC_NAMES[codec]];
  const full = KINDS[KIND_NAMES[kind]].full || METRICS[METRIC_NAMES[metric]].full || own.full;
  const needs = (fastScan || prefilter || atOnce ? 1 : 0) + (full ? 2 : 0);
  return BUILDS.filter((_, build) => (build & needs) === needs && (build > 0 || !own.coded));
}

/** Every index there can be. */
export function combinations(): { kind: Kind; metric: Metric; codec: Codec }[] {
  return KIND_NAMES.flatMap((kind) =>
    METRIC_NAMES.flatMap((metric) => codecsOf(kind, metric).map((codec) => ({ kind, metric, codec }))),
  );
}
