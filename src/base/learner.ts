// How an engine comes to have learned: another one learns from a sample, and it takes over what that learned, and the vectors.

import { copyTables } from "../border/copies.js";
import { Engine } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";
import { another, expectCrowd, type Instance } from "../border/instance.js";
import { newHome } from "../border/runtime.js";
import { concatenated } from "../input/concatenated.js";
import { joined } from "../input/drawn.js";
import { atOnce } from "../input/slices.js";
import { oneRow, type Rows, type Shape } from "../input/vectors.js";
import { keep } from "../search/filter.js";
import { buildsFor, KIND_NAMES } from "../words/kinds.js";
import { COARSE_NAMES } from "../words/knobs.js";
import { listsFor, WHOLE_MEMORY } from "../words/needs.js";
import { FRESH, readState, type State, stateBytes } from "../words/state.js";
import { trainingNeeds } from "../words/training-needs.js";
import { addRows, checkRows } from "./adding.js";
import { buildLists } from "./coarse-graph.js";
import type { Learning, Seat } from "./seat.js";
import { centroidsOf, checkSample, learn, type Steps, sampled } from "./training.js";

const COARSE_AUTO = COARSE_NAMES.indexOf("auto");
/** From so many lists on, a graph over their centroids is faster than looking at each. */
const COARSE_LISTS = 16384;

/** What an engine will be once it has learned from `points`; `known` vectors are there or on their way. */
export function trainedState(engine: Engine, known: number, points: number): State {
  const state = readState(engine.copyState());
  const nlist = state.nlist || (KIND_NAMES[state.kind] === "ivf" ? listsFor(known, points) : 0);
  const coarseGraph = state.coarseGraph === COARSE_AUTO ? Number(nlist >= COARSE_LISTS) : state.coarseGraph;
  return { ...state, ...FRESH, nlist, coarseGraph, filling: 1, learnedOn: Math.max(known, points) };
}

export function learns(state: State): boolean {
  return trainingNeeds(state).wants > 0;
}

/** The most that memories may hold: where the engine will live, where it learns, and its graph over centroids. */
export function limitsOf(state: State, { maxBytes }: Engine): number[] {
  return [maxBytes, ...(learns(state) ? [WHOLE_MEMORY] : []), ...(state.coarseGraph ? [WHOLE_MEMORY] : [])];
}

/** An empty engine that has learned from `rows`, or as many of them as training looks at. */
export function* learned(rows: Rows, state: State, [home, where, coarse]: Instance[]): Steps<Engine> {
  if (!learns(state)) return new Engine(home, stateBytes(state));
  const trainer = new Engine(where, stateBytes(state));
  const centroids = centroidsOf(trainer);
  checkSample(rows.n, state.nlist, centroids);
  yield* learn(trainer, sampled(rows, state.nlist, centroids));
  const target = new Engine(home, trainer.copyState());
  copyTables(target, trainer);
  (target.exports as FullExports).finishTables();
  if (state.coarseGraph) target.lists = yield* buildLists(target, coarse);
  return target;
}

/** The vectors of ids as an index gives them back. One that was removed since is stood in for by the one before. */
export function heldRows(engine: () => Engine, ids: Uint32Array, shape: Shape): Rows {
  let last: Float32Array = new Float32Array(shape.dimensions);
  const row = (i: number): Rows => {
    last = engine().vector(ids[i]) ?? last;
    return oneRow(last, shape, `the vector of id ${ids[i]}`);
  };
  return {
    n: ids.length,
    write: (i, view, at) => row(i).write(0, view, at),
    value: (i, j) => row(i).value(0, j),
    name: (i) => row(i).name(0),
    dimensions: shape.dimensions,
  };
}

/** While an index is untrained: what it needs to train within one call of add(). */
export class Learner implements Learning {
  /** Nothing is learned, but much is built: a graph of what was scanned so far. */
  readonly inBackground: boolean;
  readonly train: Learning["train"];
  readonly home: Instance | undefined;

  private constructor(inBackground: boolean, train: Learning["train"], home: Instance | undefined) {
    this.inBackground = inBackground;
    this.train = train;
    this.home = home;
  }

  static async prepare(engine: Engine, train: Learning["train"]): Promise<Learner> {
    await expectCrowd();
    const { threads, maxBytes } = engine;
    const state = readState(engine.copyState());
    // Threads cannot be had at once.
    const home = threads > 1 ? await newHome(buildsFor(state), maxBytes, threads) : undefined;
    return new Learner(!learns(state), train, home);
  }

  isDue(engine: Engine, n: number): boolean {
    return engine.live + n >= engine.state("trainAt");
  }

  grow(seat: Seat, rows: Rows, ids: Uint32Array): void {
    const { engine } = seat;
    checkRows(engine, rows);
    const heldIds = engine.ids();
    const all = joined([heldRows(() => engine, heldIds, seat.profile.shape), rows]);
    const state = trainedState(engine, all.n, all.n);
    const [limit, ...others] = limitsOf(state, engine);
    const instances = [this.home ?? another(engine, limit), ...others.map((limit) => another(engine, limit))];
    const target = atOnce(learned(all, state, instances));
    addRows(target, all, concatenated([heldIds, ids]));
    keepNextId(engine, target);
    succeed(seat, target);
  }
}

/** The seat gets another engine that holds what its own does, and the open filters follow. Where it throws, nothing has changed. */
export function succeed(seat: Seat, target: Engine): void {
  const { engine, filters } = seat;
  target.setState("filling", 0);
  target.timer = engine.timer;
  seat.replace(target, new Map(Array.from(filters, ([filter, at]) => [filter, keep(target, engine.ids(at))])));
}

/** Ids that were given once are not given again. */
export function keepNextId(from: Engine, to: Engine): void {
  if (from.state("nextId") > to.state("nextId")) to.setState("nextId", from.state("nextId"));
}
