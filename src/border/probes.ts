// Which variants this runtime can run.
import type { Variant } from "./variants.js";

/** Modules of one function that only validate where the feature exists: i8x16.popcnt, i8x16.relaxed_swizzle. */
const PROBES: Readonly<Record<Variant, readonly number[]>> = (() => {
  const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10];
  const simd = [...head, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  const relaxed = [...head, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11];
  return { scalar: head.slice(0, 8), simd, relaxed, threads: relaxed };
})();

export function canRun(name: Variant): boolean {
  if (name === "threads" && typeof SharedArrayBuffer === "undefined") return false;
  return WebAssembly.validate(new Uint8Array(PROBES[name]));
}
