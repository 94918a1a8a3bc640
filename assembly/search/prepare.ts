// From the caller's numbers to a stored row and back: checked, made unit length under cosine, padded, encoded.
import { CODEC_F16, E_NOT_FINITE, E_TOO_LARGE, GRAPH, METRIC_COSINE, METRIC_HAMMING, RERANK_F16 } from "../base/codes";
import { isAugmented, state } from "../memory/state";
import { FREE, layout, nodes, stageOf } from "../table/nodes";
import { LARGEST_F16, MAX_SQUARED_NORM, scaleBy, squaredNorm } from "../kernel/metric";
import { coarseCodec, decode, encode, exactCodec, scanNominates } from "../codec/scorer";
import { filterRow } from "../family/flat/bounds";
import { forgetTurned } from "../family/graph/neighbours";

/** Bytes of one vector as JS hands it over. */
export function inputBytes(): u32 {
  const s = state();
  return s.metric == METRIC_HAMMING ? (s.dimensions + 7) >> 3 : s.dimensions << 2;
}

/** The squared length of an input vector, or a negative code: why it cannot be used. */
export function checkedNorm(p: usize): f64 {
  const s = state();
  if (s.metric == METRIC_HAMMING) return 0;
  const norm = squaredNorm(p, s.dimensions);
  if (norm <= MAX_SQUARED_NORM) return norm;
  for (let i: u32 = 0; i < s.dimensions; i++) {
    const v = load<f32>(p + (i << 2));
    if (v - v != 0) return E_NOT_FINITE;
  }
  return E_TOO_LARGE;
}

/** Whether f16 rows, where the index keeps them, can hold every value. */
export function fitsHalves(p: usize, norm: f64): bool {
  const s = state();
  const halves = s.codec == CODEC_F16 || s.rerank == RERANK_F16;
  if (!halves || s.metric == METRIC_COSINE || norm <= <f64>LARGEST_F16 * LARGEST_F16) return true;
  for (const end = p + (<usize>s.dimensions << 2); p < end; p += 4) if (abs(load<f32>(p)) > LARGEST_F16) return false;
  return true;
}

/**
 * Writes the vector at `from`, of squared length `norm`, to `to` as codecs take it: padded with zeros to 16 bytes, unit
 * length under cosine.
 */
export function prepare(from: usize, norm: f64, to: usize): void {
  const s = state();
  const bytes = inputBytes();
  memory.copy(to, from, bytes);
  memory.fill(to + bytes, 0, -bytes & 15);
  if (s.metric == METRIC_HAMMING && s.dimensions & 7) {
    const last = to + bytes - 1;
    store<u8>(last, <u8>(<u32>load<u8>(last) & (1 << (s.dimensions & 7)) - 1));
  }
  // A zero vector has no direction: it stays zero, at distance 1 from everything.
  if (s.metric == METRIC_COSINE && norm > 0) scaleBy(to, s.dimensions, 1 / sqrt(norm));
}

/** Fills the slot's row columns from the checked vector at `p`. */
export function storeVector(slot: u32, p: usize): void {
  const s = state();
  const l = layout();
  const norm = checkedNorm(p);
  prepare(p, norm, l.prepared);
  if (GRAPH && s.fastScan) forgetTurned();
  encode(coarseCodec(), slot, l.prepared);
  if (scanNominates()) encode(exactCodec(), slot, l.prepared);
  if (GRAPH && s.prefilter) filterRow(slot);
  if (s.metric == METRIC_COSINE) store<f32>(nodes().at(l.norm, slot), <f32>sqrt(norm));
  if (isAugmented()) storeExtra(slot, <f32>norm);
}

/**
 * The coordinate that brings every row to one length, sqrt(M^2 - |v|^2). A vector longer than M raises M^2, by at least
 * a tenth so that it is seldom, and every extra coordinate follows: e' = sqrt(e^2 + M'^2 - M^2). Links chosen before
 * stay; they were neighbours then and the rows themselves have not moved.
 */
function storeExtra(slot: u32, squared: f32): void {
  const s = state();
  const table = nodes();
  const column = layout().extra;
  if (squared > s.maxSquaredNorm) {
    const raised = max(squared, s.maxSquaredNorm * 1.1);
    const difference = raised - s.maxSquaredNorm;
    for (let i: u32 = 0; i < table.count; i++) {
      if (stageOf(i) == FREE) continue;
      const p = table.at(column, i);
      store<f32>(p, sqrt(load<f32>(p) * load<f32>(p) + difference));
    }
    s.maxSquaredNorm = raised;
  }
  store<f32>(table.at(column, slot), sqrt(s.maxSquaredNorm - squared));
}

/** Writes the stored vector to `out`, dimensions x f32, at its original length. */
export function readVector(slot: u32, out: usize): void {
  const s = state();
  decode(exactCodec(), slot, out);
  if (s.metric != METRIC_COSINE) return;
  const norm = load<f32>(nodes().at(layout().norm, slot));
  for (const end = out + (<usize>s.dimensions << 2); out < end; out += 4) store<f32>(out, load<f32>(out) * norm);
}
