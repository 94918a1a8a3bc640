// The numbers that the `rerank` option becomes, where one is given.
import { badOption, show } from "./errors.js";
import { CODEC_NAMES, CODECS, isLossy, METRIC_NAMES, RERANK_NAMES } from "./kinds.js";
import { known, oneOf, real } from "./options.js";
import {
  ADAPTIVE,
  type FetchVectors,
  fetchVectorsOf,
  MOST_FACTOR,
  type RerankOption,
  type RerankOptions,
  SPLIT_RERANK,
} from "./rerank-option.js";
import type { State } from "./state.js";

const KEPT = ["f32", "f16", "sq8"] as const;

interface Rerank {
  readonly state: Partial<State>;
  readonly fetchVectors: FetchVectors | undefined;
}

function factorOf(name: string, value: unknown, usual: number): number {
  if (value === "adaptive" && name === "factor") return ADAPTIVE;
  return value === undefined ? usual : real(name, value, 1, MOST_FACTOR);
}

/** The rerank's share of the state, checked; kind, metric and codec are in `state` already. */
export function rerankState(state: Pick<State, "metric" | "codec">, split: boolean, option: RerankOption): Rerank {
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
