// How another main tier takes the place of the one there is: in slices, while the old one is searched and changed.

import { seatOf } from "../base/seat-of.js";
import type { VectorIndex } from "../base/vector-index.js";
import { breath } from "../input/slices.js";
import type { Shape, Vector } from "../input/vectors.js";
import { rowsOf } from "./merging.js";
import type { Tiers } from "./tiers.js";

/** Of those that came late, added between two breaths. */
const FEW = 8;

/** What a main tier is made by; `expected` vectors at least. */
export type MakeMain = (expected: number) => Promise<VectorIndex>;
/** The vectors of slots as they were given, where the main tier does not have them so. */
export type Originals = (slots: readonly number[]) => Promise<readonly (Vector | undefined)[]>;

/** Slots whose vectors are read at a time. */
const READ = 256;

/**
 * Builds another main tier of all documents beside the one there is, and has it take its place. Searches and changes go on; what
 * changed meanwhile is put right at the end.
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
    seatOf(next).sliceMs = tiers.sliceMs;
    const read = async function* (from: readonly number[], ids: number[]): AsyncGenerator<Float32Array> {
      for (done = 0; done < from.length; done += READ) {
        const some = from.slice(done, done + READ);
        const own = await originals?.(some);
        const there = some.filter((slot) => !touched.has(slot));
        const rows = rowsOf(there, shape, (slot) => own?.[some.indexOf(slot)] ?? tiers.vector(slot));
        ids.push(...there);
        if (there.length > 0) yield rows;
      }
    };
    let done = 0;
    await learn(next, slots, (sample) => read(sample, []), signal);
    const ids: number[] = [];
    const total = slots.length;
    await next.addAll(read(slots, ids), {
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

/** What learns does so from vectors of all slots alike: the first of them are the oldest, and the latest may be of another kind. */
async function learn(
  next: VectorIndex,
  slots: readonly number[],
  read: (slots: readonly number[]) => AsyncIterable<Float32Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const wants = seatOf(next).engine.state("trainAt");
  if (next.trained || wants > slots.length) return;
  const sample = new Float32Array(wants * next.dimensions);
  let end = 0;
  for await (const rows of read(Array.from({ length: wants }, (_, i) => slots[Math.floor((i * slots.length) / wants)]))) {
    sample.set(rows, end);
    end += rows.length;
  }
  // Some have changed meanwhile: it learns as it fills.
  if (end < sample.length) return;
  await next.train(sample, signal && { signal });
  seatOf(next).engine.setState("learnedOn", slots.length);
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
    for (let from = 0; from < late.length; from += FEW) {
      const some = late.slice(from, from + FEW);
      const own = await originals?.(some);
      const there = some.filter((slot) => tiers.inMain(slot) && !touched.has(slot));
      const rows = rowsOf(there, shape, (slot) => own?.[some.indexOf(slot)] ?? tiers.vector(slot));
      if (there.length > 0) next.add(rows, there);
      await breath();
    }
  }
}
