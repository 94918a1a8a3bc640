// Some engines compile SIMD that computes wrongly (iOS 16 did). So a build must first answer small sums that have exact
// results: the codecs of a scan at a length with full steps and a tail, one row alone and four together, a graph's split
// rows, a batch of queries against a block of rows, and codes that are scanned by the group.

import { rowsOf } from "../input/vectors.js";
import {
  type Build,
  buildsFor,
  CODEC_NAMES,
  CODECS,
  type Codec,
  KIND_NAMES,
  type Kind,
  METRIC_NAMES,
  METRICS,
  type Metric,
  ROTATE_NAMES,
} from "../words/kinds.js";
import { EMPTY, FRESH, type State, stateBytes } from "../words/state.js";
import { Engine } from "./engine.js";
import type { Instance } from "./instance.js";

const DIMENSIONS = 19;
const ROWS = 5;
/** Of unit vectors, whose values are rounded. */
const COSINE_ERROR = 1e-6;
/** Of estimates from 8 bits per value; rows are up to 500 apart. */
const RABITQ_ERROR = 10;

/** Small integers, so that floats are exact: nothing may differ. */
function value(row: number, i: number): number {
  return ((row * 7 + i * 5) % 11) - 5;
}

/** One memory serves all: what is laid out in it next begins anew. */
export function selfTest(instance: Instance, build: Build): boolean {
  const passes = (kind: Kind, metric: Metric, codec: Codec, error?: number): boolean => {
    const state = stateOf(kind, metric, codec);
    return !buildsFor(state).includes(build) || isRight(new Engine(instance, stateBytes(state)), metric, error);
  };
  for (const metric of METRIC_NAMES) {
    const { codecs, unit } = METRICS[metric];
    // What is not learned has exact distances between small integers, but for lengths.
    for (const codec of unit ? codecs.slice(0, 1) : codecs) {
      if (!CODECS[codec].full && !passes("flat", metric, codec)) return false;
    }
  }
  return passes("hnsw", "l2", "f32") && passes("flat", "l2", "rabitq", RABITQ_ERROR);
}

function stateOf(kind: Kind, metric: Metric, codec: Codec): State {
  return {
    ...EMPTY,
    ...FRESH,
    seed: 0,
    kind: KIND_NAMES.indexOf(kind),
    metric: METRIC_NAMES.indexOf(metric),
    codec: CODEC_NAMES.indexOf(codec),
    dimensions: DIMENSIONS,
    rerank: 0,
    rerankFactor: 1,
    efConstruction: ROWS,
    effort: ROWS,
    ...(codec === "rabitq" && { codeBits: 8, rotate: ROTATE_NAMES.indexOf("random") }),
  };
}

function isRight(engine: Engine, metric: Metric, error = 0): boolean {
  const values = Array.from({ length: ROWS }, (_, row) => Array.from({ length: DIMENSIONS }, (_, i) => value(row, i)));
  const { exact, raw, packed, unit } = METRICS[metric];
  const rows = rowsOf(values, { dimensions: DIMENSIONS, packed }, "the self-test");
  const off = unit ? COSINE_ERROR : error;
  const isNear = (found: number, row: number): boolean => {
    const expected = raw(exact(values[0], values[row]));
    return Math.abs(found - (off ? expected : Math.round(expected))) <= off;
  };
  engine.done(engine.exports.reserve(ROWS, false, 4096));
  return engine.scope(() => {
    const ids = engine.writeU32(values.map((_, row) => row));
    const at = engine.alloc(ROWS * engine.rowBytes);
    engine.writeRows(rows, at, 0, ROWS);
    engine.done(engine.exports.addVectors(at, ids, 0, ROWS));
    engine.setQueryFrom(at, 0);
    const out = engine.alloc(ROWS * 4);
    engine.exports.scoreSlots(ids, ROWS, out);
    const scores = engine.copyF32(out, ROWS);
    engine.exports.ask(ROWS, ROWS, ROWS, 0, Infinity, true, false);
    engine.done(engine.exports.searchTogether(at, 2));
    const found = new Uint32Array(2 * ROWS);
    const distances = new Float32Array(2 * ROWS);
    engine.copyHits(0, 2 * ROWS, found, distances, 0, (distance) => distance);
    return scores.every(isNear) && distances.subarray(0, ROWS).every((distance, i) => isNear(distance, found[i]));
  });
}
