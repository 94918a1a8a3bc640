// Some engines compile SIMD that computes wrongly (iOS 16 did). So a build must first answer small sums that have exact
// results: the codecs of a scan at a length with full steps and a tail, one row alone and four together, a graph's split
// rows, a batch of queries against a block of rows, and codes that are scanned by the group.

import { rowsOf } from "../input/vectors.js";
import {
  type Build,
  CODEC_NAMES,
  CODECS,
  type Codec,
  codecsOf,
  KIND_NAMES,
  type Kind,
  METRIC_NAMES,
  METRICS,
  type Metric,
  ROTATE_NAMES,
} from "../words/kinds.js";
import { EMPTY, FRESH, stateBytes } from "../words/state.js";
import type { Engine } from "./engine.js";

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

/** Codecs whose distances between small integers are exact. */
function exactCodecs(metric: Metric): Codec[] {
  return codecsOf("flat", metric).filter((codec) => CODECS[codec].core && (codec !== "binary" || metric === "hamming"));
}

export async function selfTest(start: (state: Uint8Array) => Promise<Engine>, build: Build): Promise<boolean> {
  for (const metric of METRIC_NAMES) {
    for (const codec of metric === "cosine" ? (["f32"] as const) : exactCodecs(metric)) {
      if (!isRight(await start(stateOf("flat", metric, codec)), metric)) return false;
    }
  }
  if (!isRight(await start(stateOf("hnsw", "l2", "f32")), "l2")) return false;
  return build !== "full" || isRight(await start(stateOf("flat", "l2", "rabitq")), "l2", RABITQ_ERROR);
}

function stateOf(kind: Kind, metric: Metric, codec: Codec): Uint8Array {
  return stateBytes({
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
  });
}

function isRight(engine: Engine, metric: Metric, error = 0): boolean {
  const values = Array.from({ length: ROWS }, (_, row) => Array.from({ length: DIMENSIONS }, (_, i) => value(row, i)));
  const rows = rowsOf(values, { dimensions: DIMENSIONS, packed: metric === "hamming" }, "the self-test");
  const { exact, raw } = METRICS[metric];
  const off = metric === "cosine" ? COSINE_ERROR : error;
  const isNear = (found: number, row: number): boolean => {
    const expected = raw(exact(values[0], values[row]));
    return Math.abs(found - (off ? expected : Math.round(expected))) <= off;
  };
  return engine.scope(() => {
    const ids = engine.writeU32(values.map((_, row) => row));
    engine.done(engine.exports.reserve(ROWS, false, 4096));
    const at = engine.alloc(ROWS * engine.rowBytes);
    engine.writeRows(rows, at, 0, ROWS);
    engine.done(engine.exports.addVectors(at, ids, 0, ROWS));
    engine.setQueryFrom(at, 0);
    const out = engine.alloc(ROWS * 4);
    engine.exports.scoreSlots(ids, ROWS, out);
    const scores = engine.copyF32(out, ROWS);
    engine.exports.ask(ROWS, ROWS, ROWS, 0, ROWS, Infinity, true);
    engine.done(engine.exports.searchTogether(at, 2));
    const found = new Uint32Array(2 * ROWS);
    const distances = new Float32Array(2 * ROWS);
    engine.copyHits(0, 2 * ROWS, found, distances, 0, (distance) => distance);
    return scores.every(isNear) && distances.subarray(0, ROWS).every((distance, i) => isNear(distance, found[i]));
  });
}
