// How vectors get from the fresh tier to the main one, and how another main tier takes the place of the one there is: in slices, while both
// are searched and changed.
import type { VectorIndex } from "../base/vector-index.js";
import { breath } from "../input/slices.js";
import type { Shape, Vector } from "../input/vectors.js";
import type { Tiers } from "./tiers.js";

/** Work between two breaths. */
const SLICE_MS = 4;
const FIRST = 8;
const MOST = 1024;

/** What a main tier is made by; `expected` vectors at least. */
export type MakeMain = (expected: number) => Promise<VectorIndex>;
/** The vectors of slots as they were given, where the main tier does not have them so. */
export type Originals = (slots: readonly number[]) => Promise<readonly (Vector | undefined)[]>;

/** Rows of slots that have vectors, as numbers also where they are bits; the slots that have none are left out of `slots`. */
function rowsOf(slots: number[], shape: Shape, vector: (slot: number) => Vector | undefined): Float32Array {
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

/** Slots whose vectors are read at a time. */
const READ = 256;

/**
 * Builds another main tier of all documents beside the one there is, and has it take its place. Searches and changes go on; what changed
 * meanwhile is put right at the end.
 */
export async function rebuild(
  tiers: Tiers,
  shape: Shape,
  make: MakeMain,
  originals: Originals | undefined,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (progress: { done: number; total: number }) => void },
): Promise<void> {
  const touched = new Set<number>();
  tiers.touched = touched;
  let next: VectorIndex | undefined;
  try {
    const slots = [...tiers.mainSlots(), ...tiers.freshSlots()];
    next = await make(slots.length);
    const ids: number[] = [];
    let done = 0;
    const source = async function* (): AsyncGenerator<Vector> {
      for (; done < slots.length; done += READ) {
        const some = slots.slice(done, done + READ);
        const own = await originals?.(some);
        const there = some.filter((slot) => !touched.has(slot));
        const rows = rowsOf(there, shape, (slot) => own?.[some.indexOf(slot)] ?? tiers.vector(slot));
        ids.push(...there);
        if (there.length > 0) yield rows;
      }
    };
    const total = slots.length;
    await next.addAll(source(), {
      ids: idsFrom(ids),
      ...(signal && { signal }),
      ...(onProgress && { onProgress: () => onProgress({ done: Math.min(done, total), total }) }),
    });
    await succeed(tiers, shape, next, touched, originals);
    next = undefined;
  } finally {
    tiers.touched = undefined;
    next?.close();
  }
}

/** Ids as they come to be known. */
function* idsFrom(ids: readonly number[]): Generator<number> {
  for (let i = 0; i < ids.length; i++) yield ids[i];
}

/** Adds what has come to the main tier since; what waits in the fresh one may go on waiting. Then `next` is the main tier. */
async function succeed(
  tiers: Tiers,
  shape: Shape,
  next: VectorIndex,
  touched: Set<number>,
  originals: Originals | undefined,
): Promise<void> {
  for (;;) {
    next.remove([...touched]);
    touched.clear();
    const late = tiers.mainSlots().filter((slot) => !next.has(slot));
    if (late.length === 0) return tiers.replace(next);
    for (let from = 0; from < late.length; from += FIRST) {
      const some = late.slice(from, from + FIRST);
      const own = await originals?.(some);
      const there = some.filter((slot) => tiers.inMain(slot) && !touched.has(slot));
      const rows = rowsOf(there, shape, (slot) => own?.[some.indexOf(slot)] ?? tiers.vector(slot));
      if (there.length > 0) next.add(rows, there);
      await breath();
    }
  }
}
