// From the caller's numbers to a stored row and back: checked, made unit length under cosine, padded, encoded.
import { CODEC_F16, CODED, E_NOT_FINITE, E_TOO_LARGE, RERANK_F16 } from "../base/codes";
import { isOfBits, isOfUnits } from "../memory/metrics";
import { state } from "../memory/state";
import { LARGEST_F16, MAX_SQUARED_NORM, scaleBy, squaredNorm } from "../kernel/metric";

/** Bytes of one vector as JS hands it over. */
export function inputBytes(): u32 {
  const s = state();
  return isOfBits() ? (s.dimensions + 7) >> 3 : s.dimensions << 2;
}

/** The squared length of an input vector, or a negative code: why it cannot be used. */
export function checkedNorm(p: usize): f64 {
  const s = state();
  if (isOfBits()) return 0;
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
  const halves = CODED && (s.codec == CODEC_F16 || s.rerank == RERANK_F16);
  if (!halves || isOfUnits() || norm <= <f64>LARGEST_F16 * LARGEST_F16) return true;
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
  if (isOfBits() && s.dimensions & 7) {
    const last = to + bytes - 1;
    store<u8>(last, <u8>(<u32>load<u8>(last) & (1 << (s.dimensions & 7)) - 1));
  }
  // A zero vector has no direction: it stays zero, at distance 1 from everything.
  if (isOfUnits() && norm > 0) scaleBy(to, s.dimensions, 1 / sqrt(norm));
}
