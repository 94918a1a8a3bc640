// The least effort that finds so much, on this machine and these vectors.
import { seatOf } from "../base/seat-of.js";
import { rowsOf, type Vectors } from "../input/vectors.js";
import { badOption } from "../words/errors.js";
import { METRICS } from "../words/kinds.js";
import { checkSignal, integer, known, real } from "../words/options.js";
import { NONE } from "../words/state.js";
import { type Choice, curveOf, promised } from "./curve.js";
import { learnedOf } from "./learned.js";
import { type Ask, measure, type Point, truths } from "./measuring.js";
import { keepPast } from "./past.js";
import type { Truth } from "./recall.js";
import { type AnyFilter, checkFilters, type Query, type Subject, subjectOf, type Tunable } from "./subject.js";
import { type Curve, Tuned } from "./tuned.js";

export interface TuneOptions {
  /** The share of the true neighbours that searches should find, 0 to 1. Default 0.95. */
  recall?: number;
  /** Neighbours that are asked for, one or several. The first sets the default. Default 10. */
  k?: number | readonly number[];
  /**
   * What searches will ask, as many as there are: 500 and more are well. Default: `sample` of the vectors themselves, whose own hits do not
   * count; those are often easier to find than what users ask.
   */
  queries?: Vectors;
  /**
   * Of each query the ids of its true neighbours, nearest first, at least as many as the largest k. Default: found by exact search of what is
   * stored. Of a lossy codec without rerank that is the codes, and what those lose does not show.
   */
  truth?: ArrayLike<ArrayLike<number | string>>;
  /** How many of the vectors are asked for in place of `queries`. Default 1000. */
  sample?: number;
  /** Each is measured beside the others: shares of vectors that pass at random, 1 being no filter, or filters as searches take them. Default [1]. */
  filters?: readonly (number | AnyFilter)[];
  /** Queries of a call: above 1 they go to searchBatch. Recall is the same, times are of such calls. Default 1. */
  batch?: number;
  /** Whether the choice becomes the index's default, which is saved with it. Pools and collections have none that could be set. Default true. */
  apply?: boolean;
  /** Of the sample and of what passes by share. Default 42. */
  seed?: number;
  /** Stops between two slices. */
  signal?: AbortSignal;
  /** Called with each effort that has been measured. */
  onProgress?: (point: Point & { k: number; share: number }) => void;
}

const NAMES = ["recall", "k", "queries", "truth", "sample", "filters", "batch", "apply", "seed", "signal", "onProgress"];

/** Checked. */
interface Wish {
  readonly recall: number;
  readonly ks: readonly number[];
  readonly filters: readonly (number | AnyFilter)[];
  readonly batch: number;
  readonly seed: number;
  readonly options: TuneOptions;
}

function wishOf(options: TuneOptions): Wish {
  known("tune", options, NAMES);
  checkSignal(options.signal);
  const filters = checkFilters(options.filters ?? [1]);
  const ks = (typeof options.k === "object" ? options.k : [options.k ?? 10]).map((k) => integer("k", k, 1, 2 ** 20));
  if (ks.length === 0 || filters.length === 0) throw badOption("tune wants at least one k and one filter");
  return {
    recall: real("recall", options.recall ?? 0.95, 0, 1),
    ks,
    filters,
    batch: integer("batch", options.batch ?? 1, 1, 2 ** 16),
    seed: integer("seed", options.seed ?? 42, 0, Number.MAX_SAFE_INTEGER),
    options,
  };
}

async function queriesOf(subject: Subject, { seed, options }: Wish): Promise<Query[]> {
  const { queries, sample = 1000, truth } = options;
  if (queries === undefined) {
    if (truth !== undefined) throw badOption("truth is that of queries: give both");
    return subject.drawn(integer("sample", sample, 1, 2 ** 20), seed);
  }
  const { dimensions, metric } = subject.stats;
  const shape = { dimensions, packed: METRICS[metric].packed };
  const rows = rowsOf(queries, shape, "queries");
  const bits = shape.packed && queries instanceof Uint8Array;
  const width = bits ? (dimensions + 7) >> 3 : dimensions;
  return Array.from({ length: rows.n }, (_, i) => ({
    vector: bits ? queries.slice(i * width, (i + 1) * width) : Float32Array.from({ length: width }, (_, j) => rows.value(i, j)),
  }));
}

function given(truth: ArrayLike<ArrayLike<number | string>>, n: number, k: number): Truth[] {
  if (truth.length !== n) throw badOption(`truth has ${truth.length} rows for ${n} queries`);
  return Array.from(truth, (ids, i) => {
    if (ids.length < k) throw badOption(`truth[${i}] has ${ids.length} ids; k is ${k}`);
    return { ids: new Set<unknown>(Array.from(ids).slice(0, k)), bound: Number.NEGATIVE_INFINITY };
  });
}

/**
 * Measures recall against effort, and makes the least effort that finds `recall` the index's default: for every k and filter a curve, the
 * choice, between which bounds its recall lies on other queries, and what it costs. The truth is an exact search of what is stored. In slices, like
 * addAll; the index may be searched meanwhile, and is not to change. Errors: BAD_OPTION, and those of searches.
 */
export async function tune<T extends Tunable>(target: T, options: TuneOptions = {}): Promise<Tuned<T>> {
  const wish = wishOf(options);
  const start = performance.now();
  const subject = await subjectOf(target);
  const { kind, dimensions } = subject.stats;
  const queries = await queriesOf(subject, wish);
  if (queries.length === 0 || subject.size === 0)
    throw badOption(`there are ${subject.size} vectors and ${queries.length} queries`);
  let truthMs = 0;
  const curves: Curve[] = [];
  for (const filter of wish.filters) {
    const ready = await subject.filter(filter, wish.seed);
    try {
      if (ready.share === 0)
        throw badOption("nothing passes one of the filters: there is nothing that searches by it could find");
      for (const k of wish.ks) {
        const ask: Ask = { subject, queries, k, options: ready.options, batch: wish.batch, signal: options.signal };
        const before = performance.now();
        const right = options.truth && filter === 1 ? given(options.truth, queries.length, k) : await truths(ask);
        truthMs += performance.now() - before;
        const share = ready.share ?? 1;
        const measured = async (effort: number | undefined): Promise<Point> => {
          const point = await measure(ask, effort, right);
          options.onProgress?.({ ...point, k, share });
          return point;
        };
        curves.push({ k, share, ...(await traced(subject, k, wish.recall, measured)) });
      }
    } finally {
      await ready.done();
    }
  }
  const [{ choice }] = curves;
  if (options.apply !== false && subject.index && choice.reached && choice.effort !== undefined) {
    const { engine } = seatOf(subject.index);
    engine.setState("effort", kind === "kdtree" && choice.effort >= subject.most ? NONE : choice.effort);
    const facts = { effort: choice.effort, size: subject.size, given: options.queries !== undefined, recall: choice.recall };
    keepPast(subject.index, { k: wish.ks[0], ...facts }, await learnedOf(subject.index, wish.seed));
  }
  return new Tuned(target, {
    kind,
    size: subject.size,
    dimensions,
    recall: wish.recall,
    curves,
    cost: {
      queries: queries.length,
      from: options.queries ? "given" : "own",
      truth: options.truth ? "given" : subject.truth,
      seconds: (performance.now() - start) / 1000,
      truthSeconds: truthMs / 1000,
    },
  });
}

/** A graph's beam is k at least. */
async function traced(
  subject: Subject,
  k: number,
  recall: number,
  measured: (effort: number | undefined) => Promise<Point>,
): Promise<{ points: Point[]; choice: Choice }> {
  if (subject.effort === undefined) {
    const point = await measured(undefined);
    return { points: [point], choice: { ...point, reached: promised(point, recall) >= recall } };
  }
  const most = subject.most;
  const least = subject.effort === "ef" || subject.effort === "searchK" ? k : 1;
  return curveOf(measured, Math.min(least, most), most, recall);
}
