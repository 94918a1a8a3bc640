// How an index comes to have learned: another engine learns from a sample, a third one takes over what it learned and all
// vectors, and then takes the index's place. Until that moment the index is what it was.

import { Engine, type Instance } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";
import { newInstance } from "../border/runtime.js";
import { atOnce, breath, inSlices, Pace, SLICE_MS } from "../input/slices.js";
import { chosen, joined, oneRow, type Rows, type Shape } from "../input/vectors.js";
import { fetchedRows } from "../search/fetching.js";
import { buildFor, KIND_NAMES } from "../words/kinds.js";
import { COARSE_NAMES } from "../words/knobs.js";
import { listsFor, trainingNeeds, WHOLE_MEMORY } from "../words/needs.js";
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

/** Where an engine learns, where it will live, and where its graph over centroids will, should it have one. */
async function instancesFor(engine: Engine): Promise<Instance[]> {
  const build = buildFor(readState(engine.copyState()));
  const limits = [WHOLE_MEMORY, engine.maxBytes, ...(engine.state("coarseGraph") ? [WHOLE_MEMORY] : [])];
  return Promise.all(limits.map((limit) => newInstance(build, limit)));
}

/** An empty engine that has learned from `rows`, or as many of them as training looks at. */
function* learned(engine: Engine, rows: Rows, known: number, [where, home, coarse]: Instance[]): Steps<Engine> {
  let state = trainedState(engine, known, rows.n);
  if (trainingNeeds(state).wants === 0) return new Engine(home, stateBytes(state));
  const trainer = new Engine(where, stateBytes(state));
  const centroids = centroidsOf(trainer);
  checkSample(rows.n, state.nlist, centroids);
  yield* learn(trainer, sampled(rows, state.nlist, centroids));
  state = readState(trainer.copyState());
  const target = new Engine(home, stateBytes(state));
  target.copyTables(trainer);
  (target.exports as FullExports).finishTables();
  if (state.coarseGraph && coarse) target.lists = yield* buildLists(target, coarse);
  return target;
}

function learnsNothing(engine: Engine): boolean {
  return trainingNeeds(readState(engine.copyState())).wants === 0;
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
  #spares: Instance[] | undefined;

  private constructor(inBackground: boolean) {
    this.inBackground = inBackground;
  }

  static async prepare(engine: Engine): Promise<Learner> {
    const learner = new Learner(learnsNothing(engine));
    learner.#spares = learner.inBackground ? [] : await instancesFor(engine);
    return learner;
  }

  /** Whether n more vectors are enough to learn from. */
  isDue(engine: Engine, n: number): boolean {
    return this.#spares !== undefined && engine.live + n >= engine.state("trainAt");
  }

  /** An engine that has learned, with all that `engine` holds and more rows. */
  grow(engine: Engine, rows: Rows, ids: Uint32Array, shape: Shape): Engine {
    checkRows(engine, rows);
    const instances = this.#spares as Instance[];
    this.#spares = undefined;
    try {
      const heldIds = engine.ids();
      const held = heldRows(() => engine, heldIds, shape);
      const target = atOnce(learned(engine, joined([held, rows]), held.n + rows.n, instances));
      addRows(target, held, heldIds);
      keepNextId(engine, target);
      addRows(target, rows, ids);
      return target;
    } catch (error) {
      // For the next time; until it is there, vectors are kept as they come.
      instancesFor(engine).then(
        (spares) => {
          this.#spares = spares;
        },
        () => {},
      );
      throw error;
    }
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
  const before = of.engine();
  if (before.state("trained") && learnsNothing(before)) return { vectors: 0, error: undefined, nlist: undefined };
  const instances = await instancesFor(before);
  const engine = of.engine();
  const held = await heldSample(of, engine);
  const rows = sample ?? (coming ? joined([held, coming]) : held);
  const known = coming ? engine.live + coming.n : Math.max(engine.live, rows.n);
  const total = rows.n + engine.live;
  const share = (part: number): void => {
    of.engine();
    between(Math.floor(part * rows.n), total);
  };
  const target = await inSlices(learned(engine, rows, known, instances), share);
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
