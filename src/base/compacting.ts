// How an index gives back the room of removed vectors: repaired around them, it is copied into a smaller memory and goes on there.

import { copyAll } from "../border/copies.js";
import type { Engine } from "../border/engine.js";
import { newEngine } from "../border/runtime.js";
import { breath, SLICE_MS } from "../input/slices.js";

/** Slots that are repaired between two looks at the clock. */
const SWEEP_SLOTS = 16;

/** An engine as small as can be with what `engine` holds. `check` throws where the index was closed. */
export async function compacted(engine: Engine, check: () => unknown): Promise<Engine> {
  const target = await newEngine(engine.copyState(), engine.maxBytes, engine.threads);
  try {
    while (engine.state("dead") + engine.state("doomed") > 0) {
      if (engine.state("doomed") === 0) engine.exports.startSweep();
      const started = performance.now();
      while (engine.done(engine.exports.sweep(SWEEP_SLOTS)) === 0 && performance.now() - started < SLICE_MS);
      await breath();
    }
    check();
    engine.done(engine.exports.compactSlots());
    copyAll(target, engine);
  } catch (error) {
    target.endThreads?.();
    throw error;
  }
  target.lists = engine.lists;
  return target;
}
