// sq8: one byte per value on the row's own scale, value = low + step * code (locally-adaptive quantisation without the
// mean, Aguerrebere et al. 2023, arXiv 2304.04759). Nothing is learned, so nothing drifts: any later vector has its own
// range. A row of integers that span at most 255 gets step 1 and is stored without loss (SIFT, MNIST, int8 embeddings).
//
//   code column: u8 x dimensions, zeros to the next 16 bytes
//   aux column:  [low f32][step f32][squared length of the decoded row f64]
//
// The query becomes i16 on a power-of-two step, so <q, x> = low * sum(q) + step * queryStep * sum(q_i * code_i), with
// the last sum in exact integers; l2 and cosine follow from it in f64. Absolute differences follow from no dot: under l1 a
// row is decoded into scratch and added up there. Every variant gives the same bits.
import { ALL, GRAPH } from "../base/codes";
import { SIMD } from "../base/simd";
import { align, rowBytes } from "../base/sizes";
import { addsSquares, followsFromDots, isOfUnits, isSigned } from "../memory/metrics";
import { state } from "../memory/state";
import { nodes } from "../table/nodes";
import { L1, MAX_SQUARED_NORM, Plain, squaredNorm, sumOf, sumRow } from "../kernel/metric";
import { Codec, Scorer, indexOf } from "./scorer";
import { touchRows } from "./touch";

export const AUX_BYTES: u32 = 16;

const SMALLEST: f64 = 1.401298464324817e-45; // the least f32 above 0

export function sq8RowBytes(dimensions: u32): u32 { return <u32>align(dimensions, 16); }
/** The query in scratch: i16 x padded dimensions. */
function sq8QueryBytes(dimensions: u32): u32 { return sq8RowBytes(dimensions) << 1; }

export function installSq8(c: Codec, column: u32, aux: u32): void {
  c.encode = indexOf(encodeRow);
  c.decode = indexOf(decodeRow);
  c.bindQuery = indexOf(bindQuery);
  c.bindSlot = indexOf(bindSlot);
  c.sound = indexOf(soundRow);
  c.screen = 0;
  c.column = column;
  c.aux = aux;
  c.ownBytes = sq8QueryBytes(state().dimensions);
  if (!ALL || followsFromDots()) return;
  c.bindQuery = indexOf(bindPlain);
  c.bindSlot = indexOf(bindDecoded);
  c.ownBytes = rowBytes(state().dimensions) << 1;
}

function encodeRow(c: Codec, slot: u32, vector: usize): void {
  const d = state().dimensions;
  let low = load<f32>(vector), high = low;
  let integers = true;
  for (let i: u32 = 0; i < d; i++) {
    const v = load<f32>(vector + (i << 2));
    low = min(low, v);
    high = max(high, v);
    integers = integers && v == nearest(v);
  }
  const range = <f64>high - <f64>low;
  const step = <f32>(range == 0 || (integers && range <= 255) ? 1 : max(range / 255, SMALLEST));
  const row = nodes().at(c.column, slot);
  let norm: f64 = 0;
  for (let i: u32 = 0; i < d; i++) {
    const code = min(nearest((<f64>load<f32>(vector + (i << 2)) - <f64>low) / <f64>step), 255.0);
    store<u8>(row + i, <u8>code);
    const decoded = <f64>low + <f64>step * code;
    norm += decoded * decoded;
  }
  memory.fill(row + d, 0, sq8RowBytes(d) - d);
  const aux = nodes().at(c.aux, slot);
  store<f32>(aux, low);
  store<f32>(aux, step, 4);
  store<f64>(aux, norm, 8);
}

function decodeRow(c: Codec, slot: u32, out: usize): void {
  const row = nodes().at(c.column, slot);
  const aux = nodes().at(c.aux, slot);
  const low = <f64>load<f32>(aux), step = <f64>load<f32>(aux, 4);
  const d = state().dimensions;
  for (let i: u32 = 0; i < d; i++) store<f32>(out + (i << 2), <f32>(low + step * <f64>load<u8>(row + i)));
}

/** A power of two that brings values up to `largest` within the integers one i32 lane can sum without overflow. */
function queryStep(largest: f32, paddedDimensions: u32): f32 {
  // A lane sums paddedDimensions / 4 products of a code (<= 255) and a query value (<= 2^bits).
  let bits: i32 = 14; // 2^14 itself is reached by rounding and fits an i16
  while (<u64>(paddedDimensions >> 2) * 255 << bits > 0x7fffffff) bits--;
  const exponent = <i32>(reinterpret<u32>(largest) >> 23) - 127; // largest < 2^(exponent + 1)
  return reinterpret<f32>(<u32>max(exponent + 1 - bits, -100) + 127 << 23);
}

function finishBind(c: Codec, s: Scorer, step: f32, sum: i64): void {
  const squares = addsSquares();
  s.score = indexOf(scoreRows);
  if (!squares) s.norm = isOfUnits() ? 1 : 0;
  s.scale = squares ? 1 : 0;
  s.shift = squares ? 2 : 1;
  s.least = isSigned() ? -Infinity : 0;
  s.query = s.own;
  s.queryBytes = sq8QueryBytes(state().dimensions);
  s.column = c.column;
  s.aux = c.aux;
  s.step = step;
  s.sum = <f64>sum * <f64>step;
  if (!squares) return;
  // From the query as it was rounded, all that is off in a distance is off by as little as the distance itself.
  s.exactSum = s.sum;
  s.norm = <f64>squareOf(s.own, s.queryBytes) * <f64>step * <f64>step;
}

/** The squared length of a bound query, in steps. */
function squareOf(q: usize, bytes: u32): i64 {
  let sum: i64 = 0;
  if (SIMD) {
    let sums = i64x2.splat(0);
    for (const end = q + bytes; q < end; q += 16) {
      const values = v128.load(q);
      const squares = i32x4.dot_i16x8_s(values, values); // two of 2^28 at most
      sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_s(squares), i64x2.extend_high_i32x4_s(squares)));
    }
    return i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1);
  }
  for (const end = q + bytes; q < end; q += 2) sum += <i32>load<i16>(q) * <i32>load<i16>(q);
  return sum;
}

function soundRow(c: Codec, slot: u32): bool {
  const row = nodes().at(c.column, slot);
  const aux = nodes().at(c.aux, slot);
  const d = state().dimensions;
  for (let p = d, end = sq8RowBytes(d); p < end; p++) if (load<u8>(row + p)) return false;
  const step = load<f32>(aux, 4), norm = load<f64>(aux, 8);
  return abs(load<f32>(aux)) < Infinity && step > 0 && step < Infinity && norm >= 0 && norm <= 4 * MAX_SQUARED_NORM;
}

function bindQuery(c: Codec, s: Scorer, vector: usize): void {
  const d = state().dimensions;
  let largest: f32 = 0;
  for (let i: u32 = 0; i < d; i++) largest = max(largest, abs(load<f32>(vector + (i << 2))));
  s.norm = squaredNorm(vector, d);
  s.exactSum = sumOf(vector, d);
  const step = queryStep(largest, sq8RowBytes(d));
  finishBind(c, s, step, quantise<Values>(s.own, vector, d, 0, 1, step));
}

function bindSlot(c: Codec, s: Scorer, slot: u32): void {
  const d = state().dimensions;
  const aux = nodes().at(c.aux, slot);
  const low = load<f32>(aux), rowStep = load<f32>(aux, 4);
  const step = queryStep(max(abs(low), abs(low + 255 * rowStep)), sq8RowBytes(d));
  const row = nodes().at(c.column, slot);
  let codes: u32 = 0;
  for (let i: u32 = 0; i < d; i++) codes += load<u8>(row + i);
  s.norm = load<f64>(aux, 8);
  s.exactSum = <f64>d * <f64>low + <f64>rowStep * <f64>codes;
  finishBind(c, s, step, quantise<Codes>(s.own, row, d, low, rowStep, step));
}

/** Reads what becomes a query: values as they are, or a row's codes as low + step * code. */
@unmanaged @final class Values {
  @inline four(p: usize, i: u32, low: v128, step: v128): v128 { return v128.load(p + (i << 2)); }
  @inline one(p: usize, i: u32, low: f32, step: f32): f32 { return load<f32>(p + (i << 2)); }
}
@unmanaged @final class Codes {
  @inline four(p: usize, i: u32, low: v128, step: v128): v128 {
    const codes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(p + i)));
    return f32x4.add(low, f32x4.mul(step, f32x4.convert_i32x4_s(codes)));
  }
  @inline one(p: usize, i: u32, low: f32, step: f32): f32 { return low + step * <f32>load<u8>(p + i); }
}

/** Writes d values in units of `unit` to `out` as i16, zeros to the padded length; returns their sum in units. */
function quantise<R>(out: usize, from: usize, d: u32, low: f32, step: f32, unit: f32): i64 {
  const r = changetype<R>(0);
  const perUnit: f32 = 1 / unit; // exact: a power of two
  let sum: i64 = 0;
  let i: u32 = 0;
  if (SIMD) {
    const lows = f32x4.splat(low), steps = f32x4.splat(step), scale = f32x4.splat(perUnit);
    let sums = i32x4.splat(0); // at most 65536 / 4 values of 2^14
    for (; i + 4 <= d; i += 4) {
      const units = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(r.four(from, i, lows, steps), scale)));
      sums = i32x4.add(sums, units);
      v128.store64_lane(out + (i << 1), i16x8.narrow_i32x4_s(units, units), 0);
    }
    sum = laneSum(sums);
  }
  for (; i < d; i++) {
    const units = <i32>nearest(r.one(from, i, low, step) * perUnit);
    store<i16>(out + (i << 1), <i16>units);
    sum += units;
  }
  memory.fill(out + (d << 1), 0, (sq8RowBytes(d) - d) << 1);
  return sum;
}

@inline function laneSum(v: v128): i64 {
  return (<i64>i32x4.extract_lane(v, 0) + <i64>i32x4.extract_lane(v, 1)) + (<i64>i32x4.extract_lane(v, 2) + <i64>i32x4.extract_lane(v, 3));
}

@inline function dotCodes(sum: v128, codes: v128, q0: v128, q1: v128): v128 {
  return i32x4.add(sum, i32x4.add(
    i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(codes), q0),
    i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(codes), q1)));
}

/** sum(q_i * code_i) over one row. */
function dotRow(q: usize, r: usize, bytes: usize): i64 {
  if (SIMD) {
    let sum = i32x4.splat(0);
    for (let p: usize = 0; p < bytes; p += 16) sum = dotCodes(sum, v128.load(r + p), v128.load(q + 2 * p), v128.load(q + 2 * p, 16));
    return laneSum(sum);
  }
  let sum: i64 = 0;
  for (let p: usize = 0; p < bytes; p += 4) {
    sum += load<i16>(q + 2 * p) * <i32>load<u8>(r + p) + load<i16>(q + 2 * p, 2) * <i32>load<u8>(r + p, 1)
      + (load<i16>(q + 2 * p, 4) * <i32>load<u8>(r + p, 2) + load<i16>(q + 2 * p, 6) * <i32>load<u8>(r + p, 3));
  }
  return sum;
}

function scoreRows(s: Scorer, slots: usize, n: u32, out: usize): void {
  const table = nodes();
  const column = table.column(s.column), auxColumn = table.column(s.aux);
  const directory: usize = table.directory, shift = table.shift, mask = table.mask;
  const offset: usize = column.offset, stride: usize = column.stride, pitch: usize = GRAPH ? table.pitch(s.column) : stride, auxOffset: usize = auxColumn.offset;
  const q: usize = s.query;
  const step = <f64>s.step, norm = s.norm;
  if (s.scattered) touchRows(table, s.column, slots, n, 0, stride);
  const end = slots + (n << 2);
  if (SIMD) {
    for (const end4 = slots + ((n & ~3) << 2); slots < end4; slots += 16, out += 16) {
      const s0 = load<u32>(slots), s1 = load<u32>(slots, 4), s2 = load<u32>(slots, 8), s3 = load<u32>(slots, 12);
      const block0: usize = load<u32>(directory + (s0 >> shift << 2)), block1: usize = load<u32>(directory + (s1 >> shift << 2));
      const block2: usize = load<u32>(directory + (s2 >> shift << 2)), block3: usize = load<u32>(directory + (s3 >> shift << 2));
      let r0 = block0 + offset + (s0 & mask) * pitch, r1 = block1 + offset + (s1 & mask) * pitch;
      let r2 = block2 + offset + (s2 & mask) * pitch, r3 = block3 + offset + (s3 & mask) * pitch;
      let a0 = i32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
      // Moving pointers: see split.ts.
      for (let p = q, end = q + 2 * stride; p < end; p += 32, r0 += 16, r1 += 16, r2 += 16, r3 += 16) {
        const q0 = v128.load(p), q1 = v128.load(p, 16);
        a0 = dotCodes(a0, v128.load(r0), q0, q1);
        a1 = dotCodes(a1, v128.load(r1), q0, q1);
        a2 = dotCodes(a2, v128.load(r2), q0, q1);
        a3 = dotCodes(a3, v128.load(r3), q0, q1);
      }
      store<f32>(out, finish(laneSum(a0), block0 + auxOffset + (s0 & mask) * AUX_BYTES, s, step, norm));
      store<f32>(out, finish(laneSum(a1), block1 + auxOffset + (s1 & mask) * AUX_BYTES, s, step, norm), 4);
      store<f32>(out, finish(laneSum(a2), block2 + auxOffset + (s2 & mask) * AUX_BYTES, s, step, norm), 8);
      store<f32>(out, finish(laneSum(a3), block3 + auxOffset + (s3 & mask) * AUX_BYTES, s, step, norm), 12);
    }
  }
  for (; slots < end; slots += 4, out += 4) {
    const slot = load<u32>(slots);
    const block: usize = load<u32>(directory + (slot >> shift << 2));
    const r = block + offset + (slot & mask) * pitch;
    store<f32>(out, finish(dotRow(q, r, stride), block + auxOffset + (slot & mask) * AUX_BYTES, s, step, norm));
  }
}

// ---- l1: [a stored row as the query][the row at hand], f32 each ------------------------------------------------------------

function bindPlain(c: Codec, s: Scorer, vector: usize): void {
  s.score = indexOf(scoreDecoded);
  s.query = <u32>vector;
  s.queryBytes = rowBytes(state().dimensions);
  s.column = c.column;
  s.aux = c.aux;
}

function bindDecoded(c: Codec, s: Scorer, slot: u32): void {
  bindPlain(c, s, s.own);
  dequantise(s, slot, s.own);
}

/** Writes a row as f32, with zeros to the padded length. */
function dequantise(s: Scorer, slot: u32, out: usize): void {
  const codes = changetype<Codes>(0);
  const row = nodes().at(s.column, slot), aux = nodes().at(s.aux, slot);
  const low = load<f32>(aux), step = load<f32>(aux, 4);
  const d = state().dimensions;
  let i: u32 = 0;
  if (SIMD) {
    const lows = f32x4.splat(low), steps = f32x4.splat(step);
    for (; i + 4 <= d; i += 4) v128.store(out + (i << 2), codes.four(row, i, lows, steps));
  }
  for (; i < d; i++) store<f32>(out + (i << 2), codes.one(row, i, low, step));
  for (; i & 3; i++) store<f32>(out + (i << 2), 0);
}

function scoreDecoded(s: Scorer, slots: usize, n: u32, out: usize): void {
  const bytes: usize = s.queryBytes, row = s.own + bytes;
  if (s.scattered) touchRows(nodes(), s.column, slots, n, 0, sq8RowBytes(state().dimensions));
  for (const end = slots + (n << 2); slots < end; slots += 4, out += 4) {
    dequantise(s, load<u32>(slots), row);
    store<f32>(out, sumRow<L1, Plain>(s.query, row, bytes));
  }
}

// ---- dots -----------------------------------------------------------------------------------------------------------

/**
 * Rounding the query moves a dot by the rounding times the row's values; with the exact sum for `low` by the rounding
 * times step * code. The second is less for a row far from zero.
 */
@inline function decodedDot(integers: i64, aux: usize, s: Scorer, step: f64): f64 {
  const low = <f64>load<f32>(aux), rowStep = <f64>load<f32>(aux, 4);
  return low * (abs(low) > 255 * rowStep ? s.exactSum : s.sum) + rowStep * step * <f64>integers;
}

/** l2: |q|^2 + |x|^2 - 2 <q, x>; cosine: 1 - <q, x>; dot: -<q, x>. `norm` is the first term. */
@inline function finish(integers: i64, aux: usize, s: Scorer, step: f64, norm: f64): f32 {
  return <f32>max(norm + <f64>s.scale * load<f64>(aux, 8) - <f64>s.shift * decodedDot(integers, aux, s, step), <f64>s.least);
}
