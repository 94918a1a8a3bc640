// From the options of `create` to an empty index in a new memory.

import type { Engine } from "../border/engine.js";
import { newEngine } from "../border/runtime.js";
import type { CodecOption } from "../words/codec-option.js";
import { badOption } from "../words/errors.js";
import {
  CODEC_NAMES,
  CODECS,
  canEstimate,
  codecsOf,
  KIND_NAMES,
  KINDS,
  type Kind,
  METRIC_NAMES,
  type Metric,
} from "../words/kinds.js";
import { type Knobs, settingsOf } from "../words/knobs.js";
import { LIMITS } from "../words/limits.js";
import { PAGE_BYTES, WHOLE_MEMORY } from "../words/needs.js";
import { integer, known, oneOf } from "../words/options.js";
import { part } from "../words/part.js";
import { type FetchVectors, type RerankOption, SPLIT_RERANK } from "../words/rerank-option.js";
import { EMPTY, FRESH, type State, stateBytes } from "../words/state.js";
import { Opened } from "./seat.js";

export interface IndexOptions {
  /** Length of every vector, 1 to 65536. */
  dimensions: number;
  /** Default "cosine". */
  metric?: Metric;
  /** Default "f32"; "binary" under hamming. */
  codec?: CodecOption;
  /**
   * With a lossy codec: keep the f32 rows as well and re-score the best candidates exactly; a number is how many
   * candidates per wanted result; an object says more. Default false. Where the codec keeps every vector as it is there
   * is nothing to re-score.
   */
  rerank?: RerankOption;
  /** Seed of everything random, an integer from 0 to 2^53 - 1. Default 42. Same seed, same calls, same index. */
  seed?: number;
  /** The index's memory never grows past this; adding more then throws OUT_OF_MEMORY. Default 4 GiB. */
  maxBytes?: number;
  /**
   * Of what learns from its vectors: how many it waits for. Until then searches are exact. Default as many as training
   * wants: 39 per centroid (Ivf lists, pq codes), 256 for rabitq and for the width of Lsh.
   */
  trainAt?: number;
}
const INDEX_OPTIONS = ["dimensions", "metric", "codec", "rerank", "seed", "maxBytes", "trainAt"];

/** Makes ready what an index will need at once: an untrained one to learn, one without rows to ask for them. */
export async function prepared(engine: Engine, fetchVectors: FetchVectors | undefined, why?: string): Promise<Opened> {
  const trained = engine.state("trained") === 1;
  if (trained && !fetchVectors) return new Opened(engine, undefined, undefined, why);
  const { Fetcher, prepareLearner } = await part(import("./extras.js"));
  const learner = trained ? undefined : await prepareLearner(engine);
  return new Opened(engine, fetchVectors && new Fetcher(fetchVectors), learner, why);
}

export function maxBytesOf(options: { maxBytes?: number }): number {
  return integer("maxBytes", options.maxBytes ?? WHOLE_MEMORY, PAGE_BYTES, WHOLE_MEMORY);
}

export function dimensionsOf(options: { dimensions: number }): number {
  return integer("dimensions", options.dimensions, ...LIMITS.dimensions);
}

/** The metric of an index of this kind. */
export function metricOf(kind: Kind, options: { metric?: Metric }): Metric {
  const metric = oneOf("metric", options.metric ?? "cosine", METRIC_NAMES);
  const { family, metrics } = KINDS[kind];
  if (metrics.includes(metric)) return metric;
  throw badOption(`${family} does not have metric "${metric}"; it has ${metrics.join(", ")}`);
}

/** What the family's own options make of the state, checked as all their names are; `threads` and `expected` are beside it. */
export function ownState(kind: Kind, knobs: Knobs, options: IndexOptions): Record<string, number> {
  known(`${KINDS[kind].family}.create`, options, [...INDEX_OPTIONS, ...Object.keys(knobs)]);
  return settingsOf(knobs, options);
}

/** A new, empty index; `own` is what its family alone has. */
export async function open(kind: Kind, options: IndexOptions, own: Partial<State>, why?: string, threads = 1): Promise<Opened> {
  const dimensions = dimensionsOf(options);
  const metric = metricOf(kind, options);
  // What is as it is by default needs none of the words for the rest.
  const { codec: code, rerank: kept, trainAt } = options;
  const plain = kind !== "ivf" && kind !== "lsh" && code === undefined && kept === undefined && trainAt === undefined;
  const asked = plain ? undefined : await part(import("./extras.js"));
  const usual = codecsOf(kind, metric)[0];
  const state: State = {
    ...EMPTY,
    ...FRESH,
    seed: integer("seed", options.seed ?? 42, 0, Number.MAX_SAFE_INTEGER),
    kind: KIND_NAMES.indexOf(kind),
    metric: METRIC_NAMES.indexOf(metric),
    codec: CODEC_NAMES.indexOf(usual),
    dimensions,
    rerank: 0,
    rerankFactor: 1,
    ...asked?.codecState(kind, metric, dimensions, code ?? usual),
    ...own,
  };
  const codec = CODEC_NAMES[state.codec];
  if ((state.fastScan || state.prefilter) && !canEstimate(state.prefilter > 0, codec, metric)) {
    throw (await part(import("./extras.js"))).notTogether(state);
  }
  const split = kind === "hnsw" && codec === "f32";
  const rerank = asked?.rerankState(state, split, kept ?? false);
  Object.assign(state, rerank?.state ?? { rerankFactor: split ? SPLIT_RERANK : CODECS[codec].rerankFactor });
  if (asked) state.trainAt = asked.trainAtOf(state, trainAt);
  if (state.trainAt) state.trained = 0;
  const maxBytes = maxBytesOf(options);
  const engine = await newEngine(stateBytes(state), maxBytes, threads);
  return prepared(engine, rerank?.fetchVectors, why);
}
