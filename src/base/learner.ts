// How an engine comes to have learned: another one learns from a sample, and it takes over what that learned, and the vectors.

import { Engine, type Instance } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";
import { newInstance } from "../border/runtime.js";
import { joined } from "../input/drawn.js";
import { atOnce } from "../input/slices.js";
import { oneRow, type Rows, type Shape } from "../input/vectors.js";
import { COARSE_NAMES } from "../words/describe.js";
import { buildFor, KIND_NAMES } from "../words/kinds.js";
import { listsFor } from "../words/limits.js";
import { trainingNeeds, WHOLE_MEMORY } from "../words/needs.js";
import { FRESH, readState, type State, stateBytes } from "../words/state.js";
import { addRows, checkRows } from "./adding.js";
import { buildLists } from "./coarse-graph.js";
import type { Learning } from "./seat.js";
import { centroidsOf, checkSample, learn, type Steps, sampled } from "./training.js";

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
export async function instancesFor(engine: Engine): Promise<Instance[]> {
  const build = buildFor(readState(engine.copyState()));
  const limits = [WHOLE_MEMORY, engine.maxBytes, ...(engine.state("coarseGraph") ? [WHOLE_MEMORY] : [])];
  return Promise.all(limits.map((limit) => newInstance(build, limit)));
}

/** An empty engine that has learned from `rows`, or as many of them as training looks at. */
export function* learned(engine: Engine, rows: Rows, known: number, [where, home, coarse]: Instance[]): Steps<Engine> {
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

export function learnsNothing(engine: Engine): boolean {
  return trainingNeeds(readState(engine.copyState())).wants === 0;
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
  #spares: Instance[] | undefined;

  private constructor(inBackground: boolean, train: Learning["train"]) {
    this.inBackground = inBackground;
    this.train = train;
  }

  static async prepare(engine: Engine, train: Learning["train"]): Promise<Learner> {
    const learner = new Learner(learnsNothing(engine), train);
    learner.#spares = learner.inBackground ? [] : await instancesFor(engine);
    return learner;
  }

  isDue(engine: Engine, n: number): boolean {
    return this.#spares !== undefined && engine.live + n >= engine.state("trainAt");
  }

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
export function keepNextId(from: Engine, to: Engine): void {
  if (from.state("nextId") > to.state("nextId")) to.setState("nextId", from.state("nextId"));
}
