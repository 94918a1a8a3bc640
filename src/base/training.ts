// What an index learns from a sample, in the order of assembly/learn/training.ts: centroids of the lists, then the rotation and
// the codebooks of what is left, then the error. Every step is some milliseconds of wasm; between two of them a slice may
// end. All scratch stays taken: the engine that learns is thrown away afterwards.

import type { Engine } from "../border/engine.js";
import { writeChecked } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";
import { chosen } from "../input/drawn.js";
import type { Rows } from "../input/vectors.js";
import { badOption } from "../words/errors.js";
import { CODEC_NAMES, KIND_NAMES, METRIC_NAMES, METRICS, ROTATE_NAMES } from "../words/kinds.js";

/**
 * Rounds of k-means over the lists, ended early where the objective falls by less than this part of it. In rounds 1 and 3 points look at
 * all centres, in others at those that were nearest then.
 */
const LIST_ROUNDS = 20;
const SETTLED = 1e-5;
const WHOLE_ROUNDS = [0, 2];
/** What a round costs where points look at a few centres, about, in centres. */
const SHORT_COST = 48;
/** Rounds of k-means per part of pq. */
const PART_ROUNDS = 9;
/** Before these, rounds over a part of the points, as many as place centroids about where they will be: of lists, and of a part. */
const LIST_FIRST_ROUNDS = 12;
const PART_FIRST_ROUNDS = 16;
const FIRST_POINTS = 64;
/** Rounds of opq; per round and part, rounds of k-means: first, then. */
const OPQ_ROUNDS = 8;
const OPQ_FIRST_STEPS = 4;
const OPQ_STEPS = 2;
/** Steps towards an orthogonal matrix, as many as it may take; and as many as it does take. */
const POLAR_STEPS = 60;
const POLAR_EXPECTED = 12;
/** Points that opq looks at: more do not turn the space better. */
const OPQ_POINTS = 4096;
/** Points per centroid that are looked at, at most. */
const MOST_POINTS = 256;
/** Multiplications in one step: some milliseconds. */
const STEP_WORK = 2 ** 24;

/** How far training is: a share from 0 to 1. */
export type Steps<T> = Generator<number, T, void>;

/** Rows in scratch. */
class Table {
  readonly #start: number;
  readonly #stride: number;

  constructor(start: number, stride: number) {
    this.#start = start;
    this.#stride = stride;
  }

  at(i: number): number {
    return this.#start + i * this.#stride;
  }
}

/** Scratch for n rows, `stride` bytes apart. */
function tableOf(engine: Engine, n: number, stride: number): Table {
  return new Table(engine.alloc(n * stride), stride);
}

/** What an index wants to learn, and what a step costs. */
interface Task {
  readonly engine: Engine;
  readonly wasm: FullExports;
  readonly n: number;
  readonly dimensions: number;
  readonly nlist: number;
  readonly parts: number;
  readonly centroids: number;
  readonly codec: string;
  readonly opq: boolean;
  /** Points that opq looks at. */
  readonly turned: number;
  readonly total: number;
  done: number;
}

/** Of `n` vectors those that training looks at, evenly spread. */
export function sampleOf(n: number, nlist: number, centroids: number): Uint32Array {
  const size = Math.min(n, MOST_POINTS * Math.max(nlist, centroids, 1));
  return Uint32Array.from({ length: size }, (_, i) => Math.floor((i * n) / size));
}

/** Vectors that training looks at. */
export function sampled(rows: Rows, nlist: number, centroids: number): Rows {
  const which = sampleOf(rows.n, nlist, centroids);
  return which.length === rows.n ? rows : chosen(rows, which.length, (i) => which[i]);
}

/** Centroids per part of pq; 0 for other codecs. */
export function centroidsOf(engine: Engine): number {
  return CODEC_NAMES[engine.state("codec")] === "pq" ? 2 ** engine.state("codeBits") : 0;
}

function taskOf(engine: Engine, n: number): Task {
  const nlist = KIND_NAMES[engine.state("kind")] === "ivf" ? engine.state("nlist") : 0;
  const codec = CODEC_NAMES[engine.state("codec")];
  const dimensions = engine.state("dimensions");
  const centroids = centroidsOf(engine);
  const opq = codec === "pq" && ROTATE_NAMES[engine.state("rotate")] === "opq";
  const lists = n * dimensions * nlist;
  const codes = n * dimensions * centroids;
  const turned = Math.min(n, Math.max(OPQ_POINTS, 4 * dimensions));
  const turns = dimensions * (turned * (OPQ_STEPS * centroids + 2 * dimensions) + POLAR_EXPECTED * polarWork(dimensions));
  const rounds = nlist ? listWork({ n, dimensions, nlist }) : 0;
  const total =
    rounds + (PART_ROUNDS + 1) * codes + firstWork(n, dimensions, centroids) + (opq ? OPQ_ROUNDS * turns : 0) + lists + codes + n;
  const parts = codec === "pq" ? engine.state("pqM") : 0;
  const wasm = engine.exports as FullExports;
  return { engine, wasm, n, dimensions, nlist, parts, centroids, codec, opq, turned, total, done: 0 };
}

/** Of one row in one step: three quarters of two products of matrices. */
function polarWork(dimensions: number): number {
  return 1.5 * dimensions * dimensions;
}

function spend(task: Task, work: number): number {
  task.done += work;
  return Math.min(task.done / task.total, 1);
}

/** Cuts `n` points, each of so much work, into steps of four or a multiple. */
function* steps(task: Task, n: number, each: number, step: (from: number, count: number) => void): Steps<void> {
  const size = Math.max(Math.floor(STEP_WORK / Math.max(each, 1)) & ~3, 4);
  for (let from = 0; from < n; from += size) {
    const count = Math.min(size, n - from);
    step(from, count);
    yield spend(task, count * each);
  }
}

/** The engine, empty but with all its tables, learns from the sample. */
export function* learn(engine: Engine, sample: Rows): Steps<void> {
  const task = taskOf(engine, sample.n);
  const { wasm, n, dimensions, nlist, codec, centroids } = task;
  const rows = tableOf(engine, n, wasm.sampleStride());
  yield* readSample(task, sample, rows);
  if (nlist) yield* learnLists(task, rows);
  else if (codec === "rabitq") wasm.learnMean(rows.at(0), n);
  wasm.finishTables();
  if (
    KIND_NAMES[engine.state("kind")] === "lsh" &&
    METRICS[METRIC_NAMES[engine.state("metric")]].cells &&
    engine.state("width") === 0
  ) {
    engine.setState("width", wasm.learnWidth(rows.at(0), n));
  }
  if (codec !== "pq" && codec !== "rabitq") return;
  const residuals = tableOf(engine, n, wasm.residualStride());
  const takeResiduals = (count: number): Steps<void> =>
    steps(task, count, dimensions * Math.max(nlist, 1), (from, many) => {
      if (!wasm.takeResiduals(rows.at(from), many, residuals.at(from))) throw engine.outOfMemory();
    });
  if (task.opq) {
    yield* takeResiduals(task.turned);
    yield* learnRotation(task, residuals);
    wasm.finishTables();
  }
  yield* takeResiduals(n);
  for (let j = 0; j < task.parts; j++) yield* learnPart(task, residuals, n, j);
  let error = 0;
  yield* steps(task, n, dimensions * Math.max(centroids, 1), (from, many) => {
    error += wasm.residualError(residuals.at(from), many);
  });
  engine.setState("reconstruction", error / n);
}

/** The sample as prepared rows. */
function* readSample(task: Task, sample: Rows, rows: Table): Steps<void> {
  const { engine, wasm, n, dimensions } = task;
  yield* steps(task, n, dimensions * 64, (from, many) => {
    engine.scope(() => {
      const at = engine.alloc(many * engine.rowBytes);
      writeChecked(engine, sample, at, from, from + many);
      wasm.prepareSample(at, rows.at(from), many);
    });
  });
}

/** One of so many points is taken by first rounds. */
function sparsely(n: number, centroids: number): number {
  return Math.max(Math.floor(n / (FIRST_POINTS * centroids)), 1);
}

function* learnLists(task: Task, rows: Table): Steps<void> {
  const { engine, wasm, n, nlist } = task;
  const kmeans = wasm.kmeansOpen(rows.at(0), n, nlist) >>> 0;
  if (!kmeans) throw engine.outOfMemory();
  const end = task.done + listWork(task);
  const every = sparsely(n, nlist);
  if (every > 1) yield* listRounds(task, kmeans, every, LIST_FIRST_ROUNDS);
  yield* listRounds(task, kmeans, 1, LIST_ROUNDS);
  task.done = end;
  wasm.takeCentres(kmeans);
}

/** Of first rounds. */
function firstWork(n: number, dimensions: number, centroids: number): number {
  return centroids ? (PART_FIRST_ROUNDS * n * dimensions * centroids) / sparsely(n, centroids) : 0;
}

function listWork({ n, nlist, dimensions }: Pick<Task, "n" | "nlist" | "dimensions">): number {
  return n * dimensions * (WHOLE_ROUNDS.length * nlist + LIST_ROUNDS * Math.min(SHORT_COST, nlist));
}

function* listRounds(task: Task, kmeans: number, every: number, rounds: number): Steps<void> {
  const { wasm, nlist, dimensions } = task;
  const n = wasm.kmeansTake(kmeans, every);
  let before = Infinity;
  for (let round = 0; round < rounds; round++) {
    const short = !WHOLE_ROUNDS.includes(round);
    const cost = dimensions * (short ? Math.min(SHORT_COST, nlist) : nlist);
    yield* steps(task, n, cost, (from, many) => wasm.kmeansAssign(kmeans, from, from + many, short));
    const objective = wasm.kmeansUpdate(kmeans);
    if (before - objective < SETTLED * Math.abs(objective)) break;
    before = objective;
  }
}

function* learnPart(task: Task, residuals: Table, n: number, j: number): Steps<void> {
  const every = sparsely(n, task.centroids);
  const some = Math.floor(n / every);
  if (every > 1) yield* partRounds(task, residuals, some, every, j, PART_FIRST_ROUNDS, true);
  yield* partRounds(task, residuals, n, 1, j, every > 1 ? PART_ROUNDS : PART_FIRST_ROUNDS + PART_ROUNDS, every === 1);
}

function* partRounds(
  task: Task,
  residuals: Table,
  n: number,
  every: number,
  j: number,
  rounds: number,
  anew: boolean,
): Steps<void> {
  const { engine, wasm, parts, centroids, dimensions } = task;
  for (let round = 0; round < rounds; round++) {
    if (!wasm.pqStep(residuals.at(0), n, every, j, anew && round === 0)) throw engine.outOfMemory();
    yield spend(task, (n * centroids * dimensions) / parts);
  }
}

/** opq: the rotation that loses least, from the first residuals, not rotated so far. */
function* learnRotation(task: Task, residuals: Table): Steps<void> {
  const { engine, wasm, parts, centroids, dimensions, turned: n } = task;
  const rotated = tableOf(engine, n, wasm.residualStride());
  const opq = wasm.opqOpen(residuals.at(0), n) >>> 0;
  if (!opq) throw engine.outOfMemory();
  for (let round = 0; round < OPQ_ROUNDS; round++) {
    yield* steps(task, n, dimensions * dimensions, (from, many) => {
      wasm.opqTurn(residuals.at(from), many, rotated.at(from));
    });
    const rounds = round ? OPQ_STEPS : OPQ_FIRST_STEPS;
    for (let j = 0; j < parts; j++) yield* partRounds(task, rotated, n, 1, j, rounds, round === 0);
    yield* steps(task, n, dimensions * centroids, (from, many) => wasm.opqDecode(rotated.at(from), many));
    yield* steps(task, n, dimensions * dimensions, (from, many) => {
      wasm.opqGather(opq, residuals.at(from), rotated.at(from), many, from === 0);
    });
    wasm.opqBegin(opq);
    const end = task.done + POLAR_EXPECTED * dimensions * polarWork(dimensions);
    for (let step = 0, last = 0; step < POLAR_STEPS && !last; step++) {
      yield* steps(task, dimensions, polarWork(dimensions), (from, many) => wasm.opqPolar(opq, from, from + many));
      last = wasm.opqStep(opq);
    }
    task.done = Math.max(task.done, end);
  }
}

/** Throws where the sample is too small for what is to be learned. */
export function checkSample(n: number, nlist: number, centroids: number): void {
  const [needs, why] = nlist >= centroids ? [nlist, `${nlist} lists`] : [centroids, `${centroids} centroids per part of pq`];
  if (n >= Math.max(needs, 1)) return;
  throw badOption(`training has ${n} vectors and needs at least ${Math.max(needs, 1)}${needs ? ` for ${why}` : ""}`);
}
