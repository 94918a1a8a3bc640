// Which family and codec: designs are built of ever more of the vectors, and what another beats on every axis is left behind.

import { dimensionsOf } from "../base/create.js";
import { Flat } from "../family/flat.js";
import { checkWatched } from "../input/slices.js";
import { rowsOf, type Vectors } from "../input/vectors.js";
import { factory } from "../make/factory.js";
import { badOption } from "../words/errors.js";
import { METRIC_NAMES, type Metric } from "../words/kinds.js";
import { heed, integer, known, oneOf, real } from "../words/options.js";
import { pickTwo, type ThreeAxes } from "./pick-two.js";
import { DESIGNS, type Design, listsOf } from "./plan/laws.js";
import { canPlan } from "./plan/machine.js";
import { someOf } from "./random.js";
import { tune } from "./tune.js";

export interface TuneFactoryOptions {
  dimensions: number;
  /** l2, cosine or dot. Default "cosine". */
  metric?: Metric;
  /** The share of the true neighbours that each is tuned to find, at k 10. Default 0.95. */
  recall?: number;
  /** What will be asked. Default: 200 of the vectors, which are then not in the indices. */
  queries?: Vectors;
  /** No stage begins after so many. Default 60. */
  seconds?: number;
  /** Of the sample. Default 42. */
  seed?: number;
  /** Stops between two slices. */
  signal?: AbortSignal;
  /** Called with each row that has been measured, and how many vectors it was of. */
  onProgress?: (row: FactoryRow) => void;
}

export interface FactoryRow {
  /** For `factory`. */
  factory: string;
  /** How many it was built of. */
  vectors: number;
  /** Measured: what the effort finds, by the true neighbours; the median and 99 of 100 searches; memory; seconds of the build on this thread. */
  recall: number;
  p50Ms: number;
  p99Ms: number;
  bytes: number;
  buildSeconds: number;
  /** The effort it was tuned to, as an option of searches. */
  search: Record<string, number>;
}

/** "Pick two": what is best of the first by the second; the third axis pays. */
export interface Recommendations {
  /** Of those that find what is wanted, the least p99. */
  recallAndLatency: FactoryRow;
  /** Of those, the fewest bytes. */
  recallAndMemory: FactoryRow;
  /** The least product of p99 and bytes, whatever it finds. */
  latencyAndMemory: FactoryRow;
}

export interface FactoryReport {
  /** Those that no other beats on recall, p99, bytes and build time at once; the least p99 first. */
  rows: FactoryRow[];
  best: Recommendations;
  /** Vectors that the rows were built of, and seconds that it all took. */
  vectors: number;
  seconds: number;
}

const NAMES = ["dimensions", "metric", "recall", "queries", "seconds", "seed", "signal", "onProgress"];
const K = 10;
const QUERIES = 200;
/** Of a stage the next has so many times the vectors; the first has so many at least. */
const GROWS = 4;
const FIRST = 4000;
/** What a stage finds worse than another by this factor on every axis does not come back as vectors become more. */
const BEATEN = 1.3;

type Axis = (row: FactoryRow) => number;
const misses: Axis = ({ recall }) => 1 - recall + 0.01;
/** Smaller is better. */
const AXES: readonly Axis[] = [misses, ({ p99Ms }) => p99Ms, ({ bytes }) => bytes, ({ buildSeconds }) => buildSeconds];

const STANDING: ThreeAxes<FactoryRow> = { recall: ({ recall }) => recall, ms: ({ p99Ms }) => p99Ms, bytes: ({ bytes }) => bytes };

const beats = (a: FactoryRow, b: FactoryRow, by: number): boolean => AXES.every((axis) => by * axis(a) <= axis(b));

/** The sizes of the stages, the last of all. */
function stagesOf(n: number): number[] {
  const stages = [n];
  while (stages[0] / GROWS >= FIRST) stages.unshift(Math.floor(stages[0] / GROWS));
  return stages;
}

type Row = Float32Array;

/**
 * Builds designs of family and codec from ever more of the vectors, tunes each to the recall, and leaves behind what another beats on every axis, until all
 * vectors are in or the time is over: then rows are of the last stage that was finished, and `vectors` says so. Errors: BAD_OPTION, and
 * those of indices.
 */
export async function tuneFactory(vectors: Vectors, options: TuneFactoryOptions): Promise<FactoryReport> {
  known("tuneFactory", options, NAMES);
  checkWatched(options as { signal?: AbortSignal });
  const dimensions = dimensionsOf(options);
  const metric = oneOf("metric", options.metric ?? "cosine", METRIC_NAMES);
  if (!canPlan(metric)) throw badOption(`tuneFactory knows l2, cosine and dot, not ${metric}`);
  const wanted = real("recall", options.recall ?? 0.95, 0, 1);
  const seconds = real("seconds", options.seconds ?? 60, 0, Number.MAX_VALUE);
  const seed = integer("seed", options.seed ?? 42, 0, Number.MAX_SAFE_INTEGER);
  const shape = { dimensions, packed: undefined };
  const listed = (of: Vectors, name: string): Row[] => {
    const rows = rowsOf(of, shape, name);
    return Array.from({ length: rows.n }, (_, i) => Float32Array.from({ length: dimensions }, (_, j) => rows.value(i, j)));
  };
  const shuffled = someOf(listed(vectors, "vectors"), Number.POSITIVE_INFINITY, seed);
  const queries = options.queries === undefined ? shuffled.splice(0, QUERIES) : listed(options.queries, "queries");
  if (shuffled.length < 1000 || queries.length === 0) {
    const own = options.queries === undefined ? queries.length : 0;
    const all = `there are ${shuffled.length + own} vectors${own ? `, ${own} of which are to be asked,` : ""} and ${queries.length - own} queries`;
    throw badOption(`${all}; 1000 vectors at least beside the queries can be compared`);
  }
  const start = performance.now();
  const spent = (): number => (performance.now() - start) / 1000;
  let left: readonly Design[] = DESIGNS.filter(({ way }) => way !== "lists" || dimensions >= 4);
  let rows: FactoryRow[] = [];
  let took = 0;
  for (const n of stagesOf(shuffled.length)) {
    // A stage takes as much longer as it has vectors.
    if (rows.length > 0 && spent() + GROWS * took > seconds) break;
    const from = spent();
    const some = shuffled.slice(0, n);
    const truth = await truthOf(some, queries, dimensions, metric);
    const stage: { design: Design; row: FactoryRow }[] = [];
    for (const design of left) {
      heed(options.signal);
      const row = await measured(design, some, queries, truth, { ...options, metric, recall: wanted });
      stage.push({ design, row });
      options.onProgress?.(row);
    }
    took = spent() - from;
    rows = stage.map(({ row }) => row);
    left = stage
      .filter(({ row }) => !rows.some((other) => other !== row && beats(other, row, BEATEN)))
      .map(({ design }) => design);
  }
  const front = rows
    .filter((row) => !rows.some((other) => other !== row && beats(other, row, 1)))
    .sort((a, b) => a.p99Ms - b.p99Ms);
  return { rows: front, best: pickTwo(front, wanted, STANDING), vectors: front[0].vectors, seconds: spent() };
}

async function truthOf(rows: Row[], queries: Row[], dimensions: number, metric: Metric): Promise<Uint32Array[]> {
  const flat = await Flat.create({ dimensions, metric });
  try {
    await flat.addAll(rows);
    const { ids, k } = flat.searchBatch(queries, { k: K });
    return queries.map((_, i) => ids.subarray(i * k, (i + 1) * k));
  } finally {
    flat.close();
  }
}

async function measured(
  design: Design,
  rows: Row[],
  queries: Row[],
  truth: Uint32Array[],
  { dimensions, metric, recall, signal }: TuneFactoryOptions,
): Promise<FactoryRow> {
  const words = design.factory(dimensions, listsOf(rows.length));
  const index = await factory(words, { dimensions, metric, ...(design.way === "graph" && !design.fastScan && { atOnce: true }) });
  try {
    const start = performance.now();
    await index.addAll(rows, { signal });
    if (!index.trained) await index.train(undefined, { signal });
    const buildSeconds = (performance.now() - start) / 1000;
    const { choice } = await tune(index, { recall, k: K, queries, truth, signal });
    const effort = design.way === "graph" ? "ef" : "nprobe";
    const { recall: found, p50Ms, p99Ms } = choice;
    return {
      factory: words,
      vectors: rows.length,
      recall: found,
      p50Ms,
      p99Ms,
      bytes: index.bytes,
      buildSeconds,
      search: choice.effort === undefined ? {} : { [effort]: choice.effort },
    };
  } finally {
    index.close();
  }
}
