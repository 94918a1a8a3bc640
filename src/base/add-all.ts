// Vectors that come one after the other, for as long as they come, added a slice at a time.

import type { Engine } from "../border/engine.js";
import { endIds, idsInTurn, nextIds } from "../input/given-ids.js";
import { type Patience, patiently } from "../input/patience.js";
import { breath, checkWatched, Pace, SLICE_MS, type Watched } from "../input/slices.js";
import { batches, cut } from "../input/source.js";
import type { Rows } from "../input/vectors.js";
import { newIds } from "./adding.js";
import { leavingLinks, linkWaiting } from "./linking.js";
import type { Seat } from "./seat.js";
import { retrain } from "./succession.js";

export interface AddAllOptions extends Watched<{ done: number; total: number | undefined }> {
  /** One id per vector, in the source's order. Default: 0, 1, 2 ... onwards from the largest id so far. */
  ids?: Iterable<number>;
}

/** Trains in slices, where rows about to be added are enough to do so. */
async function learnFrom(seat: Seat, rows: Rows, signal: AbortSignal | undefined): Promise<void> {
  if (seat.learner?.isDue(seat.engine, rows.n)) await retrain(seat, undefined, rows, { signal });
}

/** So many vectors are linked at once, or as many as there are before them: more would make searches wait that look at each. */
const MOST_WAITING = 65_536;

/** How many more may wait. */
function roomToWait(engine: Engine): number {
  const waiting = engine.state("pending");
  return Math.max(MOST_WAITING, engine.live - waiting) - waiting;
}

/** VectorIndex.addAll; of an array `rows` are known. */
export async function addAll(
  seat: Seat,
  source: unknown,
  rows: Rows | undefined,
  given: Iterable<number> | undefined,
  options: AddAllOptions,
): Promise<void> {
  checkWatched(options);
  const { signal, onProgress } = options;
  const ids = idsInTurn(given);
  const total = rows?.n;
  const { sliceMs = () => SLICE_MS } = seat;
  const pace = new Pace();
  // Those linked at once are as many whatever the pace.
  const size = (): number => Math.max(Math.min(pace.size, roomToWait(seat.engine)), 1);
  let done = 0;
  let paused = performance.now();
  const work = async (patience: Patience): Promise<void> => {
    if (rows) await learnFrom(seat, rows, signal);
    const engine = (): Engine => seat.engine;
    const report = (): void => onProgress?.({ done, total });
    for await (const some of rows ? cut(rows, size) : batches(source, seat.profile.shape, size, patience)) {
      await learnFrom(seat, some, signal);
      const started = performance.now();
      const taken = ids && nextIds(ids, some.n, done);
      seat.add(some, newIds(seat.engine, some.n, taken, done));
      done += some.n;
      const now = performance.now();
      pace.note(now - started, sliceMs());
      if (roomToWait(seat.engine) <= 0) await linkWaiting(engine, patience, report, sliceMs);
      else if (now - paused < sliceMs()) continue;
      report();
      await patience.for(breath());
      paused = performance.now();
    }
    await linkWaiting(engine, patience, report, sliceMs);
    endIds(ids, done);
    report();
  };
  await leavingLinks(seat, () => patiently(seat, signal, work)).finally(() => ids?.return?.());
}
