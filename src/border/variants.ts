// The builds there are of each variant.

/** In the order of assembly/base/simd.ts. */
export const VARIANTS = ["scalar", "simd", "relaxed", "threads"] as const;

/** scalar runs anywhere; simd needs wasm SIMD; relaxed also relaxed SIMD; threads is relaxed on a shared memory. */
export type Variant = (typeof VARIANTS)[number];
