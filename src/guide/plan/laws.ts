// What designs take and find, as formulas of numbers alone. Bytes follow from the layout (assembly/memory/store.ts, table/lists.ts) but for the
// room that builds leave; work and recall are laws fitted to real builds. `npm run bench:plan` holds all of them to real builds.
import { METRICS, type Metric } from "../../words/kinds.js";
import { MAX_SLOTS } from "../../words/limits.js";
import { listsFor, WHOLE_MEMORY } from "../../words/needs.js";

/** What is known of a design before anything is built. */
export interface Design {
  /** In the words of `factory`. */
  readonly factory: (dimensions: number, lists: number) => string;
  /** How it is searched: all rows, a graph, or lists. */
  readonly way: "scan" | "graph" | "lists";
  /** What a search reads, in words. */
  readonly rows: "raw rows" | "raw rows and codes" | "codes";
  /** Bytes of a vector's row or code. */
  readonly code: (dimensions: number) => number;
  /** Of rows kept to re-score by. */
  readonly exact?: (dimensions: number) => number;
  /** Codes of neighbours. */
  readonly fastScan?: true;
  /** The best recall there is, however hard it looks: what the code loses. */
  readonly best: number;
  /** With rows to re-score: misses of `best` with 100 candidates among 20,000 vectors; more vectors want more candidates. */
  readonly missed?: number;
}

const align = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;
const f32 = (d: number): number => align(4 * d, 16);
const sq8 = (d: number): number => align(d, 16) + 16;
const nibbles = (d: number): number => Math.ceil((d >> 1) / 2);
const rabitq = (bits: number) => (d: number) => (align(d, 16) * bits) / 8 + 12;

/** From the fastest to the smallest. `best` and `missed`: gutenberg-sif-160 and words-es-64, 5,000 to 80,000 vectors. */
export const DESIGNS: readonly Design[] = [
  { factory: () => "Flat", way: "scan", rows: "raw rows", code: f32, best: 1 },
  { factory: () => "Flatpf", way: "scan", rows: "raw rows and codes", code: (d) => f32(d) + sq8(d), best: 1 },
  { factory: () => "SQ8", way: "scan", rows: "codes", code: sq8, best: 0.985 },
  { factory: () => "HNSW16fs,Flat", way: "graph", rows: "raw rows", code: f32, fastScan: true, best: 1 },
  { factory: () => "HNSW16,Flat", way: "graph", rows: "raw rows", code: f32, best: 1 },
  { factory: () => "HNSW16,SQ8", way: "graph", rows: "codes", code: sq8, best: 0.985 },
  {
    factory: (d, n) => `IVF${n},PQ${d >> 1}x4,RFlat`,
    way: "lists",
    rows: "codes",
    code: nibbles,
    exact: f32,
    best: 1,
    missed: 0.004,
  },
  {
    factory: (d, n) => `IVF${n},PQ${d >> 1}x4,Refine(SQ8)`,
    way: "lists",
    rows: "codes",
    code: nibbles,
    exact: sq8,
    best: 0.985,
    missed: 0.004,
  },
  { factory: (_, n) => `IVF${n},RaBitQ4`, way: "lists", rows: "codes", code: rabitq(4), best: 0.93 },
  { factory: (_, n) => `IVF${n},RaBitQ2`, way: "lists", rows: "codes", code: rabitq(2), best: 0.76 },
  { factory: (d, n) => `IVF${n},PQ${d >> 1}x4`, way: "lists", rows: "codes", code: nibbles, best: 0.65 },
];

/** Links per vector: m of the factory's words. */
const M = 16;
/** id and stage; a graph's tower, twin and parent. */
const SLOT = 5;
const NODE = 12;
/** First pages and scratch; builds at once leave room for leaves; memory grows by a 32nd, half of which is free on average. */
const FIXED = 160 << 10;
const BUILD = { fixed: 2.1e6, byDimension: 6000, each: 60 };
const SPARE = 1 + 1 / 64;
/** Slots of a list that are free: 16 of its last group, and of one more that is kept ready a part, all or nothing, as the slices of the build were. */
const LIST_FREE = 32;

export interface Bytes {
  /** Rows of f32, or codes where those are what is searched. */
  vectors: number;
  /** Rows that candidates are re-scored by. */
  exact: number;
  /** Links of a graph and codes of neighbours. */
  links: number;
  /** Ids, life stages, lengths, tables of ids and of lists. */
  ids: number;
  /** Room that is free or was scratch of the build. */
  spare: number;
  total: number;
}

/** Lists of an index of n. */
export const listsOf = (n: number): number => listsFor(n, n);

/** Linear memory of one index. */
export function bytesOf(design: Design, n: number, dimensions: number, metric: Metric): Bytes {
  const { way, code, exact, fastScan } = design;
  const lists = way === "lists" ? listsOf(n) : 0;
  const slots = n + lists * LIST_FREE;
  const norm = METRICS[metric].unit ? 4 : 0;
  // A table of ids wants 4 entries for 3 ids, and is of a power of two; scans and graphs have none while ids are 0, 1, 2 ...
  const table = lists ? 4 * 2 ** Math.ceil(Math.log2((n * 4) / 3)) : 0;
  const centroids = lists * (8 * dimensions + 16) + (slots / 32) * 8;
  const links = way === "graph" ? n * (8 * M + NODE + (4 * M + 4) / M) : 0;
  const neighbours = fastScan ? n * ((2 * M * (align(dimensions, 4) + 64)) / 8) * (1 + 1 / M) : 0;
  const parts = {
    vectors: slots * code(dimensions),
    exact: slots * (exact?.(dimensions) ?? 0),
    links: links + neighbours,
    ids: slots * (SLOT + norm) + table + centroids,
  };
  const held = parts.vectors + parts.exact + parts.links + parts.ids;
  const spare =
    FIXED + (way === "graph" ? BUILD.fixed + BUILD.byDimension * dimensions + BUILD.each * n : 0) + held * (SPARE - 1);
  return { ...parts, spare, total: held + spare };
}

/** Of an index's memory what may be taken: the rest is scratch, and room to grow. */
export const FULL = 0.9;
/** The fewest parts of which each fits one memory. */
export function shardsFor(
  design: Design,
  n: number,
  d: number,
  metric: Metric,
  ramBytes = WHOLE_MEMORY,
): { shards: number; each: number; bytes: Bytes } {
  const most = FULL * Math.min(WHOLE_MEMORY, ramBytes);
  for (let shards = Math.max(Math.ceil(n / MAX_SLOTS), 1); ; ) {
    const each = Math.ceil(n / shards);
    const bytes = bytesOf(design, each, d, metric);
    if (bytes.total <= most || each === 1) return { shards, each, bytes };
    shards = Math.max(shards + 1, Math.floor((shards * bytes.total) / most));
  }
}

/** Misses of a graph at ef 10 among 10,000 vectors, as a power of ef and of the vectors: of each kind of walk, gutenberg-sif-160. */
const GRAPH = {
  plain: { misses: 0.15, power: 1.4, grows: 0.35 },
  fastScan: { misses: 0.055, power: 1.6, grows: 0.35 },
};
/** Misses of lists: exp(-rate x nprobe ^ power), with a rate that falls as lists become many. */
const LISTS = { rate: 0.47, power: 0.62, falls: 0.1, of: 128 };
/** Misses among candidates grow by this power of the vectors for each candidate. */
const CANDIDATES = { first: 100, among: 20_000, power: 0.8 };

/** How hard a design has to look for a recall. */
export interface Effort {
  /** ef, or nprobe; 0 of a scan. */
  effort: number;
  /** Re-scored by rows that are kept. */
  candidates: number;
  /** What that finds. */
  recall: number;
}

/** Searches that are not exact are planned to miss so much at least: no effort is sure of all. */
const LEAST_MISSED = 1e-4;

/** The best recall that is planned. */
export const mostFound = ({ way, best }: Design): number => (way === "scan" ? best : best - LEAST_MISSED);

/** Undefined where no effort does. `wanted` is of k 10. */
export function effortFor(design: Design, n: number, wanted: number): Effort | undefined {
  const { way, best, missed, fastScan } = design;
  if (wanted > mostFound(design)) return undefined;
  if (way === "scan") return { effort: 0, candidates: 0, recall: best };
  const misses = way === "graph" ? best - wanted : 1 - wanted / best;
  if (way === "graph") {
    const law = fastScan ? GRAPH.fastScan : GRAPH.plain;
    const effort = Math.max(10 * ((law.misses * (n / 1e4) ** law.grows) / misses) ** (1 / law.power), 10);
    return { effort: Math.ceil(effort), candidates: 0, recall: recallAt(design, n, Math.ceil(effort), 0) };
  }
  // Candidates miss half of what may be missed, or less where the fewest do; what is left of it is the lists'.
  const candidates = missed
    ? Math.min(
        Math.max(
          Math.ceil((CANDIDATES.first * n * ((2 * missed) / misses) ** (1 / CANDIDATES.power)) / CANDIDATES.among),
          CANDIDATES.first,
        ),
        n,
      )
    : 0;
  const outside = misses - amongMissed(design, n, candidates);
  const effort = Math.min(Math.ceil((-Math.log(outside) / rateOf(n)) ** (1 / LISTS.power)), listsOf(n));
  return { effort, candidates, recall: recallAt(design, n, effort, candidates) };
}

const amongMissed = ({ missed }: Design, n: number, candidates: number): number =>
  missed ? missed * ((n * CANDIDATES.first) / CANDIDATES.among / candidates) ** CANDIDATES.power : 0;
const rateOf = (n: number): number => LISTS.rate * (LISTS.of / listsOf(n)) ** LISTS.falls;

/** Recall at 10 of an effort. */
export function recallAt(design: Design, n: number, effort: number, candidates: number): number {
  const { way, best, fastScan } = design;
  if (way === "scan") return best;
  if (way === "graph") {
    const law = fastScan ? GRAPH.fastScan : GRAPH.plain;
    return Math.max(best - law.misses * (effort / 10) ** -law.power * (n / 1e4) ** law.grows, 0);
  }
  const outside = Math.exp(-rateOf(n) * effort ** LISTS.power);
  return best * Math.max(1 - outside - amongMissed(design, n, candidates), 0);
}

/** What a search of one index does, in the units that the machine is measured in. */
export interface Work {
  /** Rows or codes that are looked at, nodes that are expanded, or codes in the lists probed. */
  units: number;
  /** Rows that candidates are re-scored by. */
  rescored: number;
  /** Centroids that are looked at. */
  centroids: number;
}

/** Nodes that walks with fastScan expand, by ef, and all on the way to layer 0. */
const HOPS = { each: 2.45, first: 17, byTen: 5 };
/** From so many lists on a graph finds the nearest: src/base/learner.ts. */
const COARSE_LISTS = 16_384;
/** Lists that are probed are longer than the mean: searches go where vectors are. */
const PROBED_LONGER = 1.15;

export function workOf(design: Design, n: number, { effort, candidates }: Pick<Effort, "effort" | "candidates">): Work {
  const { way, fastScan } = design;
  if (way === "scan") return { units: n, rescored: 0, centroids: 0 };
  if (way === "graph") {
    const up = HOPS.byTen * Math.max(Math.log10(n / 5000), 0);
    const units = fastScan ? HOPS.each * effort + HOPS.first + up : effort + 6 + up;
    return { units: Math.min(units, n), rescored: 0, centroids: 0 };
  }
  const lists = listsOf(n);
  const units = Math.min((effort * n * PROBED_LONGER) / lists, n);
  return {
    units,
    rescored: Math.min(candidates, units),
    centroids: lists < COARSE_LISTS ? lists : 2000,
  };
}
