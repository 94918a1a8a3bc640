// Vectors that are stored and wait to be linked, all at once: in slices, between which searches find them by looking at each.

import type { Engine } from "../border/engine.js";
import type { Patience } from "../input/patience.js";
import { breath } from "../input/slices.js";
import type { Seat } from "./seat.js";

/** A slice begins no step after this long; a step takes up to some 5 ms. */
const SLICE_MS = 6;

/** Links what waits in an engine, which may be another one after a breath; `between` hears of every slice. */
export async function linkWaiting(
  engineNow: () => Engine,
  patience: Patience,
  between: () => void = () => {},
  sliceMs = () => SLICE_MS,
): Promise<void> {
  // Also when none waits any more there may be steps left, of islands and the entry.
  for (let linked = engineNow().state("pending") > 0 ? 0 : 1; !linked; ) {
    const engine = engineNow();
    const started = performance.now();
    do linked = engine.done(engine.exports.linkPending?.(true) ?? 1);
    while (!linked && performance.now() - started < Math.min(sliceMs(), SLICE_MS));
    between();
    await patience.for(breath());
  }
}

/** While `work` runs, what others add waits as well. Where it ends early, what is not linked goes on waiting. */
export async function leavingLinks<T>(seat: Seat, work: () => Promise<T>): Promise<T> {
  seat.linking++;
  try {
    return await work();
  } finally {
    seat.linking--;
    if (!seat.linking) seat.settle();
  }
}
