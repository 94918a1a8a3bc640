// Sizes and positions.
import { SIMD } from "./simd";

@inline export function align(bytes: usize, to: usize): usize { return (bytes + to - 1) & ~(to - 1); }

/** The place of the least of n f32, the first of equals; with SIMD, what follows up to a multiple of 4 must not be less. */
export function leastOf(values: usize, n: u32): u32 {
  if (SIMD) {
    let low = v128.load(values);
    for (let i: u32 = 4; i < n; i += 4) low = f32x4.min(low, v128.load(values + (i << 2)));
    low = f32x4.min(low, v128.shuffle<f32>(low, low, 2, 3, 0, 1));
    low = f32x4.min(low, v128.shuffle<f32>(low, low, 1, 0, 3, 2));
    for (let i: u32 = 0; i < n; i += 4) {
      const bits = i32x4.bitmask(f32x4.eq(low, v128.load(values + (i << 2))));
      if (bits) return i + ctz(bits);
    }
    return 0;
  }
  let which: u32 = 0;
  for (let i: u32 = 1; i < n; i++) if (load<f32>(values + (i << 2)) < load<f32>(values + (which << 2))) which = i;
  return which;
}

export function rowBytes(dimensions: u32): u32 { return <u32>align(dimensions << 2, 16); }
