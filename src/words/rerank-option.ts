// The `rerank` option, and what it was.
import type { Ids } from "./arrays.js";
import { badOption, show } from "./errors.js";
import { RERANK_NAMES } from "./kinds.js";
import type { State } from "./state.js";

/** The vectors of these ids, in their order: n * dimensions numbers, or n vectors. */
export type FetchVectors = (ids: Ids) => Fetched | Promise<Fetched>;
export type Fetched = Float32Array | ArrayLike<ArrayLike<number>>;

export interface RerankOptions {
  /** How the rows beside the codes are kept. Default "f32". */
  codec?: "f32" | "f16" | "sq8";
  /**
   * Candidates re-scored per wanted result, 1 to 1000, or "adaptive": as many as could still matter, by the codes' error
   * bound (rabitq) or until more change nothing. Default 4, with pq, rabitq and binary 10.
   */
  factor?: number | "adaptive";
  /**
   * Rows are not kept at all: this brings those of the candidates when a search wants them. Where it returns a promise,
   * `searchAsync` is the search to use.
   */
  fetchVectors?: FetchVectors;
}
export type RerankOption = boolean | number | RerankOptions;

/** An f32 graph walks on upper halves and re-scores this many candidates per result in full, more where noise asks for it (assembly/family/graph/blur.ts). */
export const SPLIT_RERANK = 1;
/** In the state: as many candidates as could matter. */
export const ADAPTIVE = 0;
export const MOST_FACTOR = 1000;
/** An adaptive rerank looks at no more candidates per wanted result. */
const MOST_ADAPTIVE = 32;

export function fetchVectorsOf(value: unknown): FetchVectors {
  if (typeof value === "function") return value as FetchVectors;
  throw badOption(`fetchVectors is ${show(value)}; it must be a function of ids`);
}

/** What `create` was given. */
export function rerankOptions(state: State): { codec?: string; factor: number | "adaptive"; fetchVectors?: true } | undefined {
  if (state.rerank === 0) return undefined;
  const name = RERANK_NAMES[state.rerank];
  return {
    ...(name === "caller" ? { fetchVectors: true as const } : { codec: name }),
    factor: state.rerankFactor === ADAPTIVE ? "adaptive" : state.rerankFactor,
  };
}

/** How many candidates a search nominates for k results. */
export function candidatesFor(k: number, factor: number, live: number): number {
  return Math.min(Math.ceil(k * (factor || MOST_ADAPTIVE)), Math.max(live, 1));
}
