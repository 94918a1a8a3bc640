import { countRight, type Truth } from "../guide/recall.js";
import type { Hit, Index, SearchOptions } from "./core.js";

/** What a search setting gives and costs, one query at a time on one thread. */
export interface Measurement {
  readonly recall: number;
  readonly qps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Mean distances computed per query. */
  readonly distances: number;
}

/** Every query asked once. */
export interface Round {
  readonly hits: readonly (readonly Hit[])[];
  readonly latenciesMs: Float64Array;
  readonly totalMs: number;
  readonly distances: number;
}

type Vector = Float32Array | Uint8Array;

const WARM_UP_QUERIES = 100;
const ROUNDS = 3;

/** Asks every query once; `onQuery` hears how many are done. */
export function ask(index: Index, queries: readonly Vector[], knobs: SearchOptions, onQuery?: (done: number) => void): Round {
  const latenciesMs = new Float64Array(queries.length);
  let distances = 0;
  const hits = queries.map((query, i) => {
    const start = performance.now();
    const found = index.search(query, knobs);
    latenciesMs[i] = performance.now() - start;
    distances += index.lastStats.distances;
    onQuery?.(i + 1);
    return found;
  });
  return { hits, latenciesMs, totalMs: latenciesMs.reduce((sum, ms) => sum + ms, 0), distances };
}

/** Warms up, asks every query in a few rounds, and reports the fastest round. */
export function measure(index: Index, queries: readonly Vector[], knobs: SearchOptions, truths: readonly Truth[]): Measurement {
  ask(index, queries.slice(0, WARM_UP_QUERIES), knobs);
  const rounds = Array.from({ length: ROUNDS }, () => ask(index, queries, knobs));
  return summarize(
    rounds.reduce((best, round) => (round.totalMs < best.totalMs ? round : best)),
    truths,
  );
}

export function summarize({ hits, latenciesMs, totalMs, distances }: Round, truths: readonly Truth[]): Measurement {
  const wanted = truths.reduce((sum, { ids }) => sum + ids.size, 0);
  const right = truths.reduce((sum, truth, i) => sum + countRight(hits[i] ?? [], truth), 0);
  const sorted = latenciesMs.slice().sort();
  return {
    recall: wanted === 0 ? 1 : right / wanted,
    qps: (hits.length / totalMs) * 1000,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    distances: distances / hits.length,
  };
}

/** The value that the share `p` of the sorted values does not exceed. */
function percentile(sorted: Float64Array, p: number): number {
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] as number;
}
