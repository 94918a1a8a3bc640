// f32 kernels. A metric is a stateless class: how one step accumulates and what the sum means. Rows and query are
// padded with zeros to 16 bytes, which changes neither metric, so there is no tail of single values.
//
// One row at a time in four accumulators, four floats each: a scan reads one stream, which the memory can foresee. Four
// rows side by side would be 1.4x faster on rows in L1 and half as fast on rows in memory (95 against 210 ns per 784
// floats). A row has one distance to a query, bit for bit, wherever it is scored, in the scalar and simd builds alike.
import { SIMD, madd, sumF32 } from "../base/simd";

/**
 * Longer vectors are refused: below, every l2 distance and every partial sum of a dot stays finite in f32
 * (|a - b|^2 <= 4 * 2^125 < 2^128, and Cauchy-Schwarz). An l1 distance is no more than sqrt(65536) of the l2 distance,
 * 2^8 * 2^63.5.
 */
export const MAX_SQUARED_NORM: f64 = 4.253529586511731e37; // 2^125

/** The largest value that f16 holds. */
export const LARGEST_F16: f32 = 65504;

@unmanaged @final export class L2 {
  /** Two groups of four at once, to be added to a sum. */
  @inline pair(q0: v128, r0: v128, q1: v128, r1: v128): v128 {
    const d0 = f32x4.sub(q0, r0), d1 = f32x4.sub(q1, r1);
    return madd(d1, d1, f32x4.mul(d0, d0));
  }
  @inline pairScalar(q0: f32, r0: f32, q1: f32, r1: f32): f32 {
    return (q0 - r0) * (q0 - r0) + (q1 - r1) * (q1 - r1);
  }
  @inline step(sum: v128, q: v128, r: v128): v128 {
    const d = f32x4.sub(q, r);
    return madd(d, d, sum);
  }
  @inline stepScalar(sum: f32, q: f32, r: f32): f32 {
    const d = q - r;
    return sum + d * d;
  }
}

@unmanaged @final export class Dot {
  @inline pair(q0: v128, r0: v128, q1: v128, r1: v128): v128 { return madd(q1, r1, f32x4.mul(q0, r0)); }
  @inline pairScalar(q0: f32, r0: f32, q1: f32, r1: f32): f32 { return q0 * r0 + q1 * r1; }
  @inline step(sum: v128, q: v128, r: v128): v128 { return madd(q, r, sum); }
  @inline stepScalar(sum: f32, q: f32, r: f32): f32 { return sum + q * r; }
}

@unmanaged @final export class L1 {
  @inline pair(q0: v128, r0: v128, q1: v128, r1: v128): v128 { return this.step(f32x4.abs(f32x4.sub(q0, r0)), q1, r1); }
  @inline pairScalar(q0: f32, r0: f32, q1: f32, r1: f32): f32 { return abs(q0 - r0) + abs(q1 - r1); }
  @inline step(sum: v128, q: v128, r: v128): v128 { return f32x4.add(sum, f32x4.abs(f32x4.sub(q, r))); }
  @inline stepScalar(sum: f32, q: f32, r: f32): f32 { return sum + abs(q - r); }
}

/** Reads a row of f32, four or one at byte `p` of `bytes`. */
@unmanaged @final export class Plain {
  @inline group(r: usize, bytes: usize, p: usize): v128 { return v128.load(r + p); }
  @inline value(r: usize, bytes: usize, p: usize): f32 { return load<f32>(r + p); }
}

/** The metric's sum over `bytes`, a multiple of 16, the row read by R. Group i of four floats goes to accumulator i & 3. */
@inline export function sumRow<M, R>(q: usize, r: usize, bytes: usize): f32 {
  const m = changetype<M>(0);
  const row = changetype<R>(0);
  let p: usize = 0;
  if (SIMD) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (const end = bytes & ~63; p < end; p += 64) {
      a = m.step(a, v128.load(q + p), row.group(r, bytes, p));
      b = m.step(b, v128.load(q + p, 16), row.group(r, bytes, p + 16));
      c = m.step(c, v128.load(q + p, 32), row.group(r, bytes, p + 32));
      d = m.step(d, v128.load(q + p, 48), row.group(r, bytes, p + 48));
    }
    if (p < bytes) a = m.step(a, v128.load(q + p), row.group(r, bytes, p));
    if (p + 16 < bytes) b = m.step(b, v128.load(q + p, 16), row.group(r, bytes, p + 16));
    if (p + 32 < bytes) c = m.step(c, v128.load(q + p, 32), row.group(r, bytes, p + 32));
    return sumF32(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  }
  // Lane l of the four accumulators, one after the other: few locals, the same order of additions.
  let sum: f32 = 0, odd: f32 = 0;
  for (let lane: usize = 0; lane < 16; lane += 4) {
    let a: f32 = 0, b: f32 = 0, c: f32 = 0, d: f32 = 0;
    for (p = lane; p < bytes; p += 64) {
      a = m.stepScalar(a, load<f32>(q + p), row.value(r, bytes, p));
      if (p + 16 < bytes) b = m.stepScalar(b, load<f32>(q + p, 16), row.value(r, bytes, p + 16));
      if (p + 32 < bytes) c = m.stepScalar(c, load<f32>(q + p, 32), row.value(r, bytes, p + 32));
      if (p + 48 < bytes) d = m.stepScalar(d, load<f32>(q + p, 48), row.value(r, bytes, p + 48));
    }
    const all = (a + b) + (c + d);
    if (lane & 4) odd = lane == 4 ? all : odd + all;
    else sum = lane == 0 ? all : sum + all;
  }
  return sum + odd;
}

/** The plain dot of two padded rows, where a call more does not matter. */
export function dotOf(q: usize, r: usize, bytes: usize): f32 { return sumRow<Dot, Plain>(q, r, bytes); }

/** The plain dots of four queries with two rows, for the batch screen: eight sums in registers, six loads a step. */
@inline export function dots4x2(
  q0: usize, q1: usize, q2: usize, q3: usize, r0: usize, r1: usize, bytes: usize, out: usize, outStride: usize,
): void {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  for (let p: usize = 0; p < bytes; p += 16) {
    const x = v128.load(r0 + p), y = v128.load(r1 + p);
    let q = v128.load(q0 + p);
    a0 = madd(q, x, a0); b0 = madd(q, y, b0);
    q = v128.load(q1 + p);
    a1 = madd(q, x, a1); b1 = madd(q, y, b1);
    q = v128.load(q2 + p);
    a2 = madd(q, x, a2); b2 = madd(q, y, b2);
    q = v128.load(q3 + p);
    a3 = madd(q, x, a3); b3 = madd(q, y, b3);
  }
  store<f32>(out, sumF32(a0)); store<f32>(out, sumF32(b0), 4);
  out += outStride;
  store<f32>(out, sumF32(a1)); store<f32>(out, sumF32(b1), 4);
  out += outStride;
  store<f32>(out, sumF32(a2)); store<f32>(out, sumF32(b2), 4);
  out += outStride;
  store<f32>(out, sumF32(a3)); store<f32>(out, sumF32(b3), 4);
}

/** The dots of q with the rows i .. i + 7 of a list of numbers, rows of `bytes` each from `rows` on, to out. */
@inline export function dots1x8(q: usize, rows: usize, bytes: usize, list: usize, out: usize): void {
  const r0 = rows + load<u32>(list) * bytes, r1 = rows + load<u32>(list, 4) * bytes;
  const r2 = rows + load<u32>(list, 8) * bytes, r3 = rows + load<u32>(list, 12) * bytes;
  const r4 = rows + load<u32>(list, 16) * bytes, r5 = rows + load<u32>(list, 20) * bytes;
  const r6 = rows + load<u32>(list, 24) * bytes, r7 = rows + load<u32>(list, 28) * bytes;
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  for (let p: usize = 0; p < bytes; p += 16) {
    const x = v128.load(q + p);
    a0 = madd(x, v128.load(r0 + p), a0); a1 = madd(x, v128.load(r1 + p), a1);
    a2 = madd(x, v128.load(r2 + p), a2); a3 = madd(x, v128.load(r3 + p), a3);
    b0 = madd(x, v128.load(r4 + p), b0); b1 = madd(x, v128.load(r5 + p), b1);
    b2 = madd(x, v128.load(r6 + p), b2); b3 = madd(x, v128.load(r7 + p), b3);
  }
  store<f32>(out, sumF32(a0)); store<f32>(out, sumF32(a1), 4);
  store<f32>(out, sumF32(a2), 8); store<f32>(out, sumF32(a3), 12);
  store<f32>(out, sumF32(b0), 16); store<f32>(out, sumF32(b1), 20);
  store<f32>(out, sumF32(b2), 24); store<f32>(out, sumF32(b3), 28);
}

/** The squared length in f64; NaN or Infinity where a value is. `p` needs no alignment, `n` values, no padding. */
export function squaredNorm(p: usize, n: u32): f64 {
  const end = p + (<usize>n << 2);
  const end4 = p + (<usize>(n & ~3) << 2);
  let s0: f64 = 0, s1: f64 = 0, s2: f64 = 0, s3: f64 = 0;
  if (SIMD) {
    let a = f64x2.splat(0), b = f64x2.splat(0);
    for (; p < end4; p += 16) {
      const v = v128.load(p);
      const low = f64x2.promote_low_f32x4(v);
      const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3));
      a = f64x2.add(a, f64x2.mul(low, low));
      b = f64x2.add(b, f64x2.mul(high, high));
    }
    s0 = f64x2.extract_lane(a, 0); s1 = f64x2.extract_lane(a, 1);
    s2 = f64x2.extract_lane(b, 0); s3 = f64x2.extract_lane(b, 1);
  } else {
    for (; p < end4; p += 16) {
      const v0 = <f64>load<f32>(p), v1 = <f64>load<f32>(p, 4), v2 = <f64>load<f32>(p, 8), v3 = <f64>load<f32>(p, 12);
      s0 += v0 * v0; s1 += v1 * v1; s2 += v2 * v2; s3 += v3 * v3;
    }
  }
  for (; p < end; p += 4) {
    const v = <f64>load<f32>(p);
    s0 += v * v;
  }
  return (s0 + s1) + (s2 + s3);
}

/** Adds a padded row to another. */
export function addRow(sum: usize, row: usize, bytes: usize): void {
  if (SIMD) for (const end = sum + bytes; sum < end; sum += 16, row += 16) v128.store(sum, f32x4.add(v128.load(sum), v128.load(row)));
  else for (const end = sum + bytes; sum < end; sum += 4, row += 4) store<f32>(sum, load<f32>(sum) + load<f32>(row));
}

/** Multiplies `n` values at `p` by `factor` in f64; the values up to the next 16 bytes must be zeros. */
export function scaleBy(p: usize, n: u32, factor: f64): void {
  const end = p + (<usize>n << 2);
  if (SIMD) {
    const f = f64x2.splat(factor);
    for (; p < end; p += 16) {
      const v = v128.load(p);
      const low = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.promote_low_f32x4(v), f));
      const high = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3)), f));
      v128.store(p, v128.shuffle<f32>(low, high, 0, 1, 4, 5));
    }
    return;
  }
  for (; p < end; p += 4) store<f32>(p, <f32>(<f64>load<f32>(p) * factor));
}

/** The sum of `n` values in f64; `p` is followed by zeros to the next 16 bytes. */
export function sumOf(p: usize, n: u32): f64 {
  let s0: f64 = 0, s1: f64 = 0, s2: f64 = 0, s3: f64 = 0;
  for (const end = p + (<usize>n << 2); p < end; p += 16) {
    s0 += load<f32>(p);
    s1 += load<f32>(p, 4);
    s2 += load<f32>(p, 8);
    s3 += load<f32>(p, 12);
  }
  return (s0 + s1) + (s2 + s3);
}
