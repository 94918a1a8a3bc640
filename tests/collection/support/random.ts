import type { Random } from "./crashing.js";

/** Numbers that are the same in each run. */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}
