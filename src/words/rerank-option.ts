// The `rerank` option and the numbers it becomes.
import type { Ids } from "./arrays.js";
import { badOption, show } from "./errors.js";
import { CODEC_NAMES, CODECS, isLossy, METRIC_NAMES, RERANK_NAMES } from "./kinds.js";
import { known, oneOf, real } from "./options.js";
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
const SPLIT_RERANK = 1;
/** In the state: as many candidates as could matter. */
const ADAPTIVE = 0;
export const MOST_FACTOR = 1000;
/** An adaptive rerank looks at no more candidates per wanted result. */
const MOST_ADAPTIVE = 32;

const KEPT = ["f32", "f16", "sq8"] as const;

interface Rerank {
  readonly state: Partial<State>;
  readonly fetchVectors: FetchVectors | undefined;
}

export function fetchVectorsOf(value: unknown): FetchVectors {
  if (typeof value === "function") return value as FetchVectors;
  throw badOption(`fetchVectors is ${show(value)}; it must be a function of ids`);
}

function factorOf(name: string, value: unknown, usual: number): number {
  if (value === "adaptive" && name === "factor") return ADAPTIVE;
  return value === undefined ? usual : real(name, value, 1, MOST_FACTOR);
}

/** The rerank's share of the state, checked; kind, metric and codec are in `state` already. */
export function rerankState(state: Pick<State, "metric" | "codec">, split: boolean, option: RerankOption = false): Rerank {
  const codec = CODEC_NAMES[state.codec];
  const usual = CODECS[codec].rerankFactor;
  const whole = option !== null && typeof option === "object";
  const options: RerankOptions = whole ? option : {};
  if (whole) known("rerank", options, ["codec", "factor", "fetchVectors"]);
  let rerankFactor = whole ? factorOf("factor", options.factor, usual) : usual;
  if (!whole && typeof option !== "boolean") rerankFactor = factorOf("rerank", option, usual);
  const kept = oneOf("rerank codec", options.codec ?? "f32", KEPT);
  const fetchVectors = options.fetchVectors === undefined ? undefined : fetchVectorsOf(options.fetchVectors);
  if (split) rerankFactor = SPLIT_RERANK;
  // Nothing to re-score: rows are the vectors themselves.
  const lossy = isLossy(codec, METRIC_NAMES[state.metric]);
  if (!lossy && fetchVectors) throw badOption(`fetchVectors is for lossy codecs; ${codec} keeps every vector`);
  if (!lossy || option === false) return { state: { rerank: 0, rerankFactor: rerankFactor || usual }, fetchVectors: undefined };
  if (fetchVectors) {
    if (options.codec !== undefined) throw badOption("rerank has fetchVectors, so its codec keeps nothing");
    if (rerankFactor === ADAPTIVE) {
      throw badOption('factor "adaptive" wants rows kept in the index, not fetchVectors');
    }
    return { state: { rerank: RERANK_NAMES.indexOf("caller"), rerankFactor }, fetchVectors };
  }
  if (CODECS[kept].fineness <= CODECS[codec].fineness) {
    throw badOption(`rerank codec ${show(kept)} keeps no more than codec ${show(codec)} does`);
  }
  return { state: { rerank: RERANK_NAMES.indexOf(kept), rerankFactor }, fetchVectors: undefined };
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
