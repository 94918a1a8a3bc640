// Some engines compile SIMD that computes wrongly (iOS 16 did). So a variant must first answer small sums that have
// exact results: every codec of a scan, at a length with full steps and a tail, one row alone and four together.
import { CODEC_NAMES, METRIC_NAMES, METRICS } from "./kinds.js";
import type { Engine } from "./memory.js";
import { EMPTY, STATE_BYTES, writeState } from "./state.js";
import { pack } from "./vectors.js";

const DIMENSIONS = 19;
const ROWS = 5;

/** Small integers, so that floats are exact: nothing may differ. */
function value(row: number, i: number): number {
  return ((row * 7 + i * 5) % 11) - 5;
}

export async function selfTest(start: (state: Uint8Array) => Promise<Engine>): Promise<boolean> {
  for (const metric of METRIC_NAMES) {
    for (const codec of METRICS[metric].codecs) {
      if (metric !== "cosine" && !isRight(await start(stateOf(metric, codec)), metric)) return false;
    }
  }
  return true;
}

function stateOf(metric: (typeof METRIC_NAMES)[number], codec: (typeof CODEC_NAMES)[number]): Uint8Array {
  const bytes = new Uint8Array(STATE_BYTES);
  writeState(new DataView(bytes.buffer), {
    ...EMPTY,
    seed: 0,
    kind: 0,
    metric: METRIC_NAMES.indexOf(metric),
    codec: CODEC_NAMES.indexOf(codec),
    dimensions: DIMENSIONS,
    rerank: 0,
    m: 2,
    efConstruction: 2,
    mips: 0,
    ef: 2,
    rerankFactor: 1,
  });
  return bytes;
}

function isRight(engine: Engine, metric: (typeof METRIC_NAMES)[number]): boolean {
  const rows = Array.from({ length: ROWS }, (_, row) => Array.from({ length: DIMENSIONS }, (_, i) => value(row, i)));
  return engine.scope(() => {
    const bytes = engine.exports.inputBytes();
    const ids = engine.writeU32(rows.map((_, row) => row));
    engine.done(engine.exports.reserve(ROWS, false, 4096));
    const at = engine.alloc(ROWS * bytes);
    const write = (values: number[], to: number): void => {
      if (metric !== "hamming") engine.f32().set(values, to >>> 2);
      else
        engine.u8().set(
          pack(values, () => "the self-test"),
          to,
        );
    };
    for (let row = 0; row < ROWS; row++) write(rows[row], at + row * bytes);
    engine.done(engine.exports.addVectors(at, ids, ROWS));
    write(rows[0], engine.queryAddress);
    engine.exports.prepareQuery();
    const out = engine.alloc(ROWS * 4);
    engine.exports.scoreSlots(ids, ROWS, out);
    const { exact, raw } = METRICS[metric];
    return rows.every((row, i) => engine.f32()[(out >>> 2) + i] === Math.round(raw(exact(rows[0], row))));
  });
}
