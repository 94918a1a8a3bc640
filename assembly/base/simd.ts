// The instruction set: the only file that names ASC_FEATURE_*. One source, four builds (asconfig.json); the conditions
// below are constants, so that each build holds one branch. Functions on v128 are reached from `if (SIMD)` only.

export const SIMD: bool = ASC_FEATURE_SIMD;
export const RELAXED: bool = ASC_FEATURE_RELAXED_SIMD;
export const THREADS: bool = ASC_FEATURE_THREADS;

/** 0 scalar, 1 simd, 2 relaxed, 3 threads (relaxed on a shared memory): the order of VARIANTS in src/border/runtime.ts. */
export const VARIANT: i32 = THREADS ? 3 : RELAXED ? 2 : SIMD ? 1 : 0;

/** a * b + c: one fused instruction in the relaxed builds, two rounded ones elsewhere. */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** (l0 + l2) + (l1 + l3); the scalar build adds in the same order, so both give the same bits. */
@inline export function sumF32(v: v128): f32 {
  const halves = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(halves, 0) + f32x4.extract_lane(halves, 1);
}

/** table[index] in 16 lanes, each index 0..15: one pshufb in the relaxed builds. */
@inline export function lookup(table: v128, indices: v128): v128 {
  if (RELAXED) return i8x16.relaxed_swizzle(table, indices);
  return i8x16.swizzle(table, indices);
}

/** a0 b0 + a1 b1 and so on as 8 x i16, `a` signed, `b` 0 to 127; reached where RELAXED: one pmaddubsw. */
@inline export function dotPairs(a: v128, b: v128): v128 { return i16x8.relaxed_dot_i8x16_i7x16_s(a, b); }

@inline export function sumI32(v: v128): i32 {
  const halves = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(halves, 0) + i32x4.extract_lane(halves, 1);
}

/** The set bits of each byte pair, as 8 x u16 (at most 16 each). */
@inline export function popcountU16(v: v128): v128 {
  return i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(v));
}

/** Which of 32 f32 are at most `bound`, one bit each. */
@inline export function within(values: usize, bound: f32): u32 {
  if (SIMD) {
    const b = f32x4.splat(bound);
    return sixteenWithin(values, b) | sixteenWithin(values + 64, b) << 16;
  }
  let bits: u32 = 0;
  for (let i: u32 = 0; i < 32; i++) bits |= <u32>(load<f32>(values + (i << 2)) <= bound) << i;
  return bits;
}

@inline function sixteenWithin(p: usize, b: v128): u32 {
  const low = i16x8.narrow_i32x4_s(f32x4.le(v128.load(p), b), f32x4.le(v128.load(p, 16), b));
  const high = i16x8.narrow_i32x4_s(f32x4.le(v128.load(p, 32), b), f32x4.le(v128.load(p, 48), b));
  return <u32>i8x16.bitmask(i8x16.narrow_i16x8_s(low, high));
}

/** Behind n f32 three are written over, which countWithin, leastOf and mostOf then pass over. */
@inline export function endWithNothing(values: usize, n: u32): void {
  if (!SIMD) return;
  const end = values + (n << 2);
  store<f32>(end, NaN);
  store<f32>(end + 4, NaN);
  store<f32>(end + 8, NaN);
}

/** How many of n f32, after endWithNothing(), are at most `bound`. */
export function countWithin(values: usize, n: u32, bound: f32): u32 {
  let count: u32 = 0;
  if (SIMD) {
    const b = f32x4.splat(bound);
    let sum = i32x4.splat(0);
    for (const end = values + (n << 2); values < end; values += 16) sum = i32x4.sub(sum, f32x4.le(v128.load(values), b));
    return <u32>sumI32(sum);
  }
  for (let i: u32 = 0; i < n; i++) count += <u32>(load<f32>(values + (i << 2)) <= bound);
  return count;
}

/** The least of n > 0 f32, after endWithNothing(). */
export function leastOf(values: usize, n: u32): f32 {
  let least = <f32>Infinity;
  if (SIMD) {
    let all = f32x4.splat(Infinity);
    for (const end = values + (n << 2); values < end; values += 16) all = f32x4.pmin(all, v128.load(values));
    return min(min(f32x4.extract_lane(all, 0), f32x4.extract_lane(all, 1)), min(f32x4.extract_lane(all, 2), f32x4.extract_lane(all, 3)));
  }
  for (let i: u32 = 0; i < n; i++) if (load<f32>(values + (i << 2)) < least) least = load<f32>(values + (i << 2));
  return least;
}

/** The greatest of n > 0 f32, after endWithNothing(). */
export function mostOf(values: usize, n: u32): f32 {
  let most = <f32>-Infinity;
  if (SIMD) {
    let all = f32x4.splat(-Infinity);
    for (const end = values + (n << 2); values < end; values += 16) all = f32x4.pmax(all, v128.load(values));
    return max(max(f32x4.extract_lane(all, 0), f32x4.extract_lane(all, 1)), max(f32x4.extract_lane(all, 2), f32x4.extract_lane(all, 3)));
  }
  for (let i: u32 = 0; i < n; i++) if (load<f32>(values + (i << 2)) > most) most = load<f32>(values + (i << 2));
  return most;
}
