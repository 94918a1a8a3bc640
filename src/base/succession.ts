// How one engine follows another while the index is in use: by train(), of itself in addAll or once a graph is worth it, and by
// compact() (compacting.ts). One succession at a time. Until the moment of it the index is what it was; what is added or removed meanwhile is in
// the new engine too.

import type { Engine } from "../border/engine.js";
import { newHome, newInstance } from "../border/runtime.js";
import { chosen, joined } from "../input/drawn.js";
import { type Patience, patiently } from "../input/patience.js";
import { breath, checkWatched, inSlices, Pace, SLICE_MS, type Watched } from "../input/slices.js";
import { ownRows, type Rows } from "../input/vectors.js";
import { fetchedRows } from "../search/fetching.js";
import { badOption } from "../words/errors.js";
import { buildsFor, CODEC_NAMES } from "../words/kinds.js";
import { readState } from "../words/state.js";
import { addRows } from "./adding.js";
import { heldRows, keepNextId, Learner, learned, learns, limitsOf, succeed, trainedState } from "./learner.js";
import { linkWaiting } from "./linking.js";
import type { Seat } from "./seat.js";
import { centroidsOf, sampled, sampleOf } from "./training.js";

/** `done` of `total` vectors learned from and then coded anew. */
export type TrainOptions = Watched<{ done: number; total: number }>;

export interface TrainReport {
  /** Vectors that training looked at. */
  vectors: number;
  /** pq and rabitq: mean squared error of a vector, coded and decoded. */
  error: number | undefined;
  /** Ivf: lists. */
  nlist: number | undefined;
}

/** Runs what replaces the engine once nothing else does. */
export function inTurn<T>(seat: Seat, signal: AbortSignal | undefined, work: (patience: Patience) => Promise<T>): Promise<T> {
  return patiently(seat, signal, async (patience) => {
    while (seat.moving) await patience.for(seat.moving.catch(() => {}));
    const moving = work(patience);
    seat.moving = moving;
    return moving.finally(() => {
      seat.moving = undefined;
    });
  });
}

/** What an untrained index needs to become a trained one. */
export function prepareLearner(engine: Engine): Promise<Learner> {
  return Learner.prepare(engine, (seat) => retrain(seat, undefined, undefined, {}));
}

/** VectorIndex.train. */
export async function train(seat: Seat, sample: Rows | undefined, options: TrainOptions): Promise<TrainReport> {
  checkWatched(options);
  const { engine, profile } = seat;
  if (!engine.state("trainAt")) {
    throw badOption(`this ${profile.kind} index with codec ${CODEC_NAMES[engine.state("codec")]} learns nothing`);
  }
  return retrain(seat, sample, undefined, options);
}

/** Learns from `sample` (default: what the index holds; `coming` vectors are about to follow) and codes everything anew. */
export function retrain(
  seat: Seat,
  sample: Rows | undefined,
  coming: Rows | undefined,
  { signal, onProgress }: TrainOptions,
): Promise<TrainReport> {
  return inTurn(seat, signal, async (patience) => {
    const { engine } = seat;
    const now = readState(engine.copyState());
    if (now.trained && !learns(now)) return { vectors: 0, error: undefined, nlist: undefined };
    const held = sample ?? (await heldSample(seat, patience));
    const rows = coming ? joined([held, coming]) : held;
    const known = coming ? engine.live + coming.n : Math.max(engine.live, rows.n);
    const state = trainedState(engine, known, rows.n);
    const builds = buildsFor(state);
    const [limit, ...others] = limitsOf(state, engine);
    const home = seat.learner?.home ?? (await patience.for(newHome(builds, limit, engine.threads)));
    const total = rows.n + engine.live;
    const report = (done: number): void => {
      patience.check();
      onProgress?.({ done: Math.min(done, total), total });
    };
    let target: Engine;
    try {
      const instances = [home, ...(await patience.for(Promise.all(others.map((limit) => newInstance(builds, limit)))))];
      target = await inSlices(learned(rows, state, instances), (part) => report(Math.floor(part * rows.n)));
      await move(seat, target, patience, (moved) => report(rows.n + moved));
    } catch (error) {
      if (home !== seat.learner?.home) home.endThreads?.();
      throw error;
    } finally {
      seat.touched = undefined;
    }
    const error = target.state("reconstruction");
    const nlist = target.state("nlist");
    const { n } = sampled(rows, nlist, centroidsOf(target));
    return { vectors: n, error: centroidsOf(target) || error ? error : undefined, nlist: nlist || undefined };
  });
}

/** What the index holds, or what the caller holds for it. */
async function heldSample(seat: Seat, patience: Patience): Promise<Rows> {
  const { engine, fetcher, profile } = seat;
  const ids = engine.ids();
  if (!fetcher || !engine.state("trained")) return heldRows(() => seat.engine, ids, profile.shape);
  const wanted = sampleOf(ids.length, engine.state("nlist"), centroidsOf(engine)).map((i) => ids[i]);
  return fetchedRows(await patience.for(fetcher.fetchVectors(wanted.slice())), wanted.length, profile.shape, ownRows);
}

/** Everything the index holds goes into `target`, which then replaces its engine. */
async function move(seat: Seat, target: Engine, patience: Patience, between: (moved: number) => void): Promise<void> {
  const { shape } = seat.profile;
  const touched = new Set<number>();
  seat.touched = touched;
  const ids = seat.engine.ids();
  const fetcher = seat.engine.state("trained") ? seat.fetcher : undefined;
  const pace = new Pace();
  let paused = performance.now();
  for (let from = 0; from < ids.length; ) {
    const some = ids.slice(from, from + pace.size);
    const fetched = fetcher && (await patience.for(fetcher.fetchVectors(some.slice())));
    const { engine } = seat;
    const there = some.filter((id) => engine.has(id) && !touched.has(id));
    const rows = fetched
      ? chosen(fetchedRows(fetched, some.length, shape), there.length, (i) => some.indexOf(there[i]))
      : heldRows(() => seat.engine, there, shape);
    const started = performance.now();
    addRows(target, rows, there, true);
    from += some.length;
    const now = performance.now();
    pace.note(now - started);
    if (now - paused < SLICE_MS) continue;
    between(from);
    await patience.for(breath());
    paused = performance.now();
  }
  await linkWaiting(
    () => target,
    patience,
    () => between(ids.length),
  );
  const { engine } = seat;
  target.scope(() => target.exports.removeIds(target.writeU32([...touched]), touched.size));
  const late = Uint32Array.from([...touched].filter((id) => engine.has(id)));
  addRows(
    target,
    heldRows(() => seat.engine, late, shape),
    late,
  );
  keepNextId(engine, target);
  succeed(seat, target);
}
