// How vectors get from the fresh tier to the main one: in slices, while both are searched and changed.
import type { Shape, Vector } from "../input/vectors.js";
import type { Tiers } from "./tiers.js";

/** Vectors that are on their way at a time: a graph links many of them at once. */
const MOST = 8192;
/** Where they are fewer than one for so many in the main tier, it takes them one by one. */
const TOGETHER = 16;
/** Of those, which both tiers scan for every search until they have come, so many at a time. */
const FEW = 128;

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
export async function drain(tiers: Tiers, shape: Shape, signal: AbortSignal, goOn: () => boolean): Promise<void> {
  while (goOn() && tiers.main && tiers.waiting > 0) {
    const together = tiers.waiting * TOGETHER >= tiers.main.size;
    const slots = tiers.next(together ? MOST : FEW);
    const rows = rowsOf(slots, shape, (slot) => tiers.vector(slot));
    if (slots.length === 0) return;
    await tiers.move(slots, rows, signal);
  }
}
