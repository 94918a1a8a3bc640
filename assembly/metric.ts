// f32 kernels. A metric is a stateless class: how one step accumulates and what the sum means. Rows and query are
// padded with zeros to 16 bytes, which changes neither metric, so there is no tail.
//
// Every path adds in one order, whatever the batch: two accumulators over alternate groups of four, then sumF32. A row
// therefore has one distance to a query, bit for bit, in a batch of any size, and in the scalar and simd builds alike.
import { SIMD, madd, sumF32 } from "./simd";

/**
 * Longer vectors are refused: below, every l2 distance and every partial sum of a dot stays finite in f32
 * (|a - b|^2 <= 4 * 2^125 < 2^128, and Cauchy-Schwarz).
 */
export const MAX_SQUARED_NORM: f64 = 4.253529586511731e37; // 2^125

@unmanaged @final export class L2 {
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
  @inline step(sum: v128, q: v128, r: v128): v128 { return madd(q, r, sum); }
  @inline stepScalar(sum: f32, q: f32, r: f32): f32 { return sum + q * r; }
}

/** One row: the metric's sum over `bytes` (a multiple of 16). */
@inline export function sumRow<M>(q: usize, r: usize, bytes: usize): f32 {
  const m = changetype<M>(0);
  if (SIMD) {
    let a = f32x4.splat(0), b = f32x4.splat(0);
    let p: usize = 0;
    for (const end = bytes & ~31; p < end; p += 32) {
      a = m.step(a, v128.load(q + p), v128.load(r + p));
      b = m.step(b, v128.load(q + p, 16), v128.load(r + p, 16));
    }
    if (p < bytes) a = m.step(a, v128.load(q + p), v128.load(r + p));
    return sumF32(f32x4.add(a, b));
  }
  let a0: f32 = 0, a1: f32 = 0, a2: f32 = 0, a3: f32 = 0;
  let b0: f32 = 0, b1: f32 = 0, b2: f32 = 0, b3: f32 = 0;
  let p: usize = 0;
  for (const end = bytes & ~31; p < end; p += 32) {
    a0 = m.stepScalar(a0, load<f32>(q + p), load<f32>(r + p));
    a1 = m.stepScalar(a1, load<f32>(q + p, 4), load<f32>(r + p, 4));
    a2 = m.stepScalar(a2, load<f32>(q + p, 8), load<f32>(r + p, 8));
    a3 = m.stepScalar(a3, load<f32>(q + p, 12), load<f32>(r + p, 12));
    b0 = m.stepScalar(b0, load<f32>(q + p, 16), load<f32>(r + p, 16));
    b1 = m.stepScalar(b1, load<f32>(q + p, 20), load<f32>(r + p, 20));
    b2 = m.stepScalar(b2, load<f32>(q + p, 24), load<f32>(r + p, 24));
    b3 = m.stepScalar(b3, load<f32>(q + p, 28), load<f32>(r + p, 28));
  }
  if (p < bytes) {
    a0 = m.stepScalar(a0, load<f32>(q + p), load<f32>(r + p));
    a1 = m.stepScalar(a1, load<f32>(q + p, 4), load<f32>(r + p, 4));
    a2 = m.stepScalar(a2, load<f32>(q + p, 8), load<f32>(r + p, 8));
    a3 = m.stepScalar(a3, load<f32>(q + p, 12), load<f32>(r + p, 12));
  }
  return ((a0 + b0) + (a2 + b2)) + ((a1 + b1) + (a3 + b3));
}

/** Four rows at once: one load of the query serves four rows, and their sums do not wait for each other. */
@inline export function sumRows4<M>(q: usize, r0: usize, r1: usize, r2: usize, r3: usize, bytes: usize, out: usize): void {
  if (!SIMD) {
    store<f32>(out, sumRow<M>(q, r0, bytes));
    store<f32>(out, sumRow<M>(q, r1, bytes), 4);
    store<f32>(out, sumRow<M>(q, r2, bytes), 8);
    store<f32>(out, sumRow<M>(q, r3, bytes), 12);
    return;
  }
  const m = changetype<M>(0);
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  let p: usize = 0;
  for (const end = bytes & ~31; p < end; p += 32) {
    const x = v128.load(q + p), y = v128.load(q + p, 16);
    a0 = m.step(a0, x, v128.load(r0 + p)); b0 = m.step(b0, y, v128.load(r0 + p, 16));
    a1 = m.step(a1, x, v128.load(r1 + p)); b1 = m.step(b1, y, v128.load(r1 + p, 16));
    a2 = m.step(a2, x, v128.load(r2 + p)); b2 = m.step(b2, y, v128.load(r2 + p, 16));
    a3 = m.step(a3, x, v128.load(r3 + p)); b3 = m.step(b3, y, v128.load(r3 + p, 16));
  }
  if (p < bytes) {
    const x = v128.load(q + p);
    a0 = m.step(a0, x, v128.load(r0 + p));
    a1 = m.step(a1, x, v128.load(r1 + p));
    a2 = m.step(a2, x, v128.load(r2 + p));
    a3 = m.step(a3, x, v128.load(r3 + p));
  }
  store<f32>(out, sumF32(f32x4.add(a0, b0)));
  store<f32>(out, sumF32(f32x4.add(a1, b1)), 4);
  store<f32>(out, sumF32(f32x4.add(a2, b2)), 8);
  store<f32>(out, sumF32(f32x4.add(a3, b3)), 12);
}

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
