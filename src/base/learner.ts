// How an index comes to have learned: another engine learns from a sample, a third one takes over what it learned and all
// vectors, and then takes the index's place. Until that moment the index is what it was.

import { copyTables } from "../border/copies.js";
import { Engine } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";
import { another, expectCrowd, type Instance } from "../border/instance.js";
import { newInstance } from "../border/runtime.js";
import { atOnce, breath, inSlices, Pace, SLICE_MS } from "../input/slices.js";
import { chosen, joined, oneRow, type Rows, type Shape } from "../input/vectors.js";
import { fetchedRows } from "../search/fetching.js";
import { COARSE_NAMES } from "../words/describe.js";
import { buildFor, KIND_NAMES } from "../words/kinds.js";
import { listsFor } from "../words/limits.js";
import { trainingNeeds, WHOLE_MEMORY } from "../words/needs.js";
import type { Fetched, FetchVectors } from "../words/rerank-option.js";
import { FRESH, readState, type State, stateBytes } from "../words/state.js";
import { addRows, checkRows } from "./adding.js";
import { buildLists } from "./coarse-graph.js";
import { centroidsOf, checkSample, learn, type Steps, sampled, sampleOf } from "./training.js";

const COARSE_AUTO = COARSE_NAMES.indexOf("auto");
/** From so many lists on, a graph over their centroids is faster than looking at each. */
const COARSE_LISTS = 16384;

/** What an engine will be once it has learned from `points`; `known` vectors are there or on their way. */
function trainedState(engine: Engine, known: number, points: number): State {
  const state = readState(engine.copyState());
  const nlist = state.nlist || (KIND_NAMES[state.kind] === "ivf" ? listsFor(known, points) : 0);
  const coarseGraph = state.coarseGraph === COARSE_AUTO ? Number(nlist >= COARSE_LISTS) : state.coarseGraph;
  return { ...state, ...FRESH, nlist, coarseGraph };
}

function learns(state: State): boolean {
  return trainingNeeds(state).wants > 0;
}

/** The most that memories may hold: where the engine will live, where it learns, and its graph over centroids. */
function limitsOf(state: State, { maxBytes }: Engine): number[] {
  return [maxBytes, ...(learns(state) ? [WHOLE_MEMORY] : []), ...(state.coarseGraph ? [WHOLE_MEMORY] : [])];
}

/** An empty engine that has learned from `rows`, or as many of them as training looks at. */
function* learned(rows: Rows, state: State, [home, where, coarse]: Instance[]): Steps<Engine> {
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
function heldRows(engine: () => Engine, ids: Uint32Array, shape: Shape): Rows {
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
export class Learner {
  /** Nothing is learned, but much is built: a graph of what was scanned so far. add() does not wait for it. */
  readonly inBackground: boolean;

  private constructor(inBackground: boolean) {
    this.inBackground = inBackground;
  }

  static async prepare(engine: Engine): Promise<Learner> {
    await expectCrowd();
    return new Learner(!learns(readState(engine.copyState())));
  }

  /** Whether n more vectors are enough to learn from. */
  isDue(engine: Engine, n: number): boolean {
    return engine.live + n >= engine.state("trainAt");
  }

  /** An engine that has learned, with all that `engine` holds and more rows. */
  grow(engine: Engine, rows: Rows, ids: Uint32Array, shape: Shape): Engine {
    checkRows(engine, rows);
    const heldIds = engine.ids();
    const held = heldRows(() => engine, heldIds, shape);
    const all = joined([held, rows]);
    const state = trainedState(engine, all.n, all.n);
    const instances = limitsOf(state, engine).map((limit) => another(engine, limit));
    const target = atOnce(learned(all, state, instances));
    addRows(target, held, heldIds);
    keepNextId(engine, target);
    addRows(target, rows, ids);
    return target;
  }
}

/** Ids that were given once are not given again. */
function keepNextId(from: Engine, to: Engine): void {
  if (from.state("nextId") > to.state("nextId")) to.setState("nextId", from.state("nextId"));
}

/** An index whose engine is to be replaced while it is in use. */
interface Trainee {
  readonly shape: Shape;
  readonly fetchVectors: FetchVectors | undefined;
  /** Throws where the index was closed. */
  engine(): Engine;
  /** From now on ids that are added or removed are noted here. */
  watch(): Set<number>;
  /** The new engine takes the place of the old one. */
  replace(engine: Engine): void;
}

export interface TrainReport {
  /** Vectors that training looked at. */
  vectors: number;
  /** pq and rabitq: mean squared error of a vector, coded and decoded. */
  error: number | undefined;
  /** Ivf: lists. */
  nlist: number | undefined;
}

/** Learns from `sample` (default: what the index holds; `coming` vectors are about to follow) and codes everything anew. */
export async function retrain(
  of: Trainee,
  sample: Rows | undefined,
  coming: Rows | undefined,
  between: (done: number, total: number) => void,
): Promise<TrainReport> {
  const engine = of.engine();
  const now = readState(engine.copyState());
  if (now.trained && !learns(now)) return { vectors: 0, error: undefined, nlist: undefined };
  const held = await heldSample(of, engine);
  const rows = sample ?? (coming ? joined([held, coming]) : held);
  const known = coming ? engine.live + coming.n : Math.max(engine.live, rows.n);
  const state = trainedState(engine, known, rows.n);
  const build = buildFor(state);
  const instances = await Promise.all(limitsOf(state, engine).map((limit) => newInstance(build, limit)));
  const total = rows.n + engine.live;
  const share = (part: number): void => {
    of.engine();
    between(Math.floor(part * rows.n), total);
  };
  const target = await inSlices(learned(rows, state, instances), share);
  await move(of, target, (moved) => between(Math.min(rows.n + moved, total), total));
  const error = target.state("reconstruction");
  const nlist = target.state("nlist");
  const { n } = sampled(rows, nlist, centroidsOf(target));
  return { vectors: n, error: centroidsOf(target) || error ? error : undefined, nlist: nlist || undefined };
}

/** What the index holds, or what the caller holds for it. */
async function heldSample(of: Trainee, engine: Engine): Promise<Rows> {
  const ids = engine.ids();
  if (!of.fetchVectors || !engine.state("trained")) return heldRows(of.engine, ids, of.shape);
  const wanted = sampleOf(ids.length, engine.state("nlist"), centroidsOf(engine)).map((i) => ids[i]);
  return fetchedRows(await of.fetchVectors(wanted), wanted.length, of.shape);
}

/** Everything the index holds goes into `target`, which then replaces its engine. */
async function move(of: Trainee, target: Engine, between: (moved: number) => void): Promise<void> {
  const touched = of.watch();
  const ids = of.engine().ids();
  const fetches = of.fetchVectors && of.engine().state("trained") ? of.fetchVectors : undefined;
  const pace = new Pace();
  let paused = performance.now();
  for (let from = 0; from < ids.length; ) {
    const some = ids.slice(from, from + pace.size);
    const fetched: Fetched | undefined = fetches && (await fetches(some));
    const engine = of.engine();
    const there = some.filter((id) => engine.has(id) && !touched.has(id));
    const rows = fetched
      ? chosen(fetchedRows(fetched, some.length, of.shape), there.length, (i) => some.indexOf(there[i]))
      : heldRows(of.engine, there, of.shape);
    const started = performance.now();
    addRows(target, rows, there);
    from += some.length;
    const now = performance.now();
    pace.note(now - started);
    if (now - paused < SLICE_MS) continue;
    between(from);
    await breath();
    paused = performance.now();
  }
  const engine = of.engine();
  target.scope(() => target.exports.removeIds(target.writeU32([...touched]), touched.size));
  const late = Uint32Array.from([...touched].filter((id) => engine.has(id)));
  addRows(target, heldRows(of.engine, late, of.shape), late);
  keepNextId(engine, target);
  of.replace(target);
}
