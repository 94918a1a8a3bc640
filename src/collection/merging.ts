// How vectors get from the fresh tier to the main one: in slices, while both are searched and changed.
import { breath } from "../input/slices.js";
import type { Shape, Vector } from "../input/vectors.js";
import type { Tiers } from "./tiers.js";

/** Work between two breaths. */
const SLICE_MS = 4;
const FIRST = 8;
const MOST = 1024;

/** Rows of slots that have vectors, as numbers also where they are bits; the slots that have none are left out of `slots`. */
export function rowsOf(slots: number[], shape: Shape, vector: (slot: number) => Vector | undefined): Float32Array {
  const width = shape.dimensions;
  const rows = new Float32Array(slots.length * width);
  let n = 0;
  slots.forEach((slot) => {
    const one = vector(slot);
    if (!one) return;
    rows.set(one, n * width);
    slots[n++] = slot;
  });
  slots.length = n;
  return rows.subarray(0, n * width);
}

/** Moves all that waits into the main tier, as long as `goOn` says so. Resolves when nothing waits or it is told to stop. */
export async function drain(tiers: Tiers, shape: Shape, goOn: () => boolean): Promise<void> {
  let size = FIRST;
  while (goOn() && tiers.main && !tiers.frozen && tiers.waiting > 0) {
    const started = performance.now();
    let elapsed = 0;
    do {
      const before = elapsed;
      const slots = tiers.next(size);
      if (slots.length === 0) return;
      const rows = rowsOf(slots, shape, (slot) => tiers.vector(slot));
      tiers.move(slots, rows);
      elapsed = performance.now() - started;
      if (elapsed - before < SLICE_MS / 4) size = Math.min(2 * size, MOST);
      else if (elapsed - before > SLICE_MS / 2) size = Math.max(size >> 1, 1);
    } while (elapsed < SLICE_MS && tiers.waiting > 0);
    await breath();
  }
}
