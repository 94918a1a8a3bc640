// What every experiment is: what it asks, for the page, and how it is run, for the worker. A file for each; a page's bundle leaves out what
// runs.
import { shareOf, type Truth, truthOf } from "../../../guide/recall.js";
import { Flat, type VectorIndex } from "../../../index.js";
import type { Metric } from "../../../words/kinds.js";
import { rowsOf } from "../given.js";
import type { Finding, ShapeName, StoryTold } from "../messages.js";

export interface About {
  readonly id: string;
  readonly title: string;
  /** The question, and how it is put. */
  readonly asks: string;
}

export type Tell = (told: StoryTold) => void;
export type Run = (tell: Tell) => Promise<Finding>;

export const K = 10;
export type Query = Float32Array;

/** Vectors and queries of an experiment. */
export const vectors = (shape: ShapeName, n: number, dimensions: number, seed = 1) =>
  rowsOf({ from: "made", shape, n, dimensions, seed });

/** The row of a vector. */
export const rowAt = (values: Float32Array, i: number, dimensions: number): Float32Array =>
  values.subarray(i * dimensions, (i + 1) * dimensions);

/** Exact answers of an index over all that it has, or what passes. */
export async function exact(
  values: Float32Array,
  dimensions: number,
  metric: Metric,
  queries: readonly Query[],
  filter?: readonly number[],
): Promise<Truth[]> {
  const flat = await Flat.create({ dimensions, metric });
  try {
    await flat.addAll(values);
    return queries.map((query) => truthOf(flat.search(query, { k: K, ...(filter && { filter: Uint32Array.from(filter) }) })));
  } finally {
    flat.close();
  }
}

export interface Found {
  readonly recall: number;
  /** Mean of a search. */
  readonly distances: number;
}

/** Recall by ids alone where distances are of another kind than the truth's. */
export function found(index: VectorIndex, queries: readonly Query[], truths: readonly Truth[], options: object = {}): Found {
  let [recall, distances] = [0, 0];
  for (const [i, query] of queries.entries()) {
    recall += shareOf(index.search(query, { k: K, ...options }), truths[i]) / queries.length;
    distances += index.lastStats.distances / queries.length;
  }
  return { recall, distances };
}

/** Without the distances, which codes or another metric have otherwise. */
export const byIds = (truths: readonly Truth[]): Truth[] => truths.map(({ ids }) => ({ ids, bound: Number.NEGATIVE_INFINITY }));

/** Where a falling or rising curve crosses a height, by logarithms of x; undefined where it does not. */
export function crossing(xs: readonly number[], ys: readonly number[], height: number): number | undefined {
  for (let i = 1; i < xs.length; i++) {
    const [a, b] = [ys[i - 1] - height, ys[i] - height];
    if (a === 0) return xs[i - 1];
    if (a * b > 0) continue;
    return xs[i - 1] * (xs[i] / xs[i - 1]) ** (a / (a - b));
  }
  return undefined;
}
