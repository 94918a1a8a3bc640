// What goes wrong when vectors trained for one metric are served by another, measured in one call.

import { Flat } from "../family/flat.js";
import { copyAll, rowsOf, type Vector, type Vectors } from "../input/vectors.js";
import { badOption } from "../words/errors.js";
import { METRIC_NAMES, type Metric } from "../words/kinds.js";
import { integer, known, oneOf } from "../words/options.js";

export interface MetricComparison {
  /** Share of the k nearest by one metric that are among the k nearest by the other, averaged over prefixes 1 to k and queries. */
  overlap: number;
  k: number;
  queries: number;
  /** Lengths of the base vectors; `spread` is the standard deviation over the mean. Without spread, all metrics agree on unit vectors. */
  norms: { min: number; mean: number; max: number; spread: number };
}

/** Length of one vector of an array of either form. */
function dimensionsOf(vectors: Vectors, dimensions: number | undefined): number {
  if (dimensions !== undefined) return dimensions;
  const first: unknown = vectors?.[0];
  if (first !== null && typeof first === "object") return (first as Vector).length;
  throw badOption("compareMetrics wants arrays of vectors; give `dimensions` with numbers in a row");
}

/** Average overlap (Webber, Moffat and Zobel 2010) of two rankings. */
function overlapOf(a: Uint32Array, b: Uint32Array): number {
  const seenA = new Set<number>();
  const seenB = new Set<number>();
  let shared = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    seenA.add(a[i]);
    if (seenB.has(a[i])) shared++;
    seenB.add(b[i]);
    if (seenA.has(b[i])) shared++;
    sum += shared / (i + 1);
  }
  return a.length ? sum / a.length : 1;
}

function normsOf(index: Flat): MetricComparison["norms"] {
  let [min, max, sum, squares, n] = [Infinity, 0, 0, 0, 0];
  for (const id of index.ids()) {
    const norm = Math.hypot(...(index.get(id) as Float32Array));
    min = Math.min(min, norm);
    max = Math.max(max, norm);
    sum += norm;
    squares += norm * norm;
    n++;
  }
  const mean = sum / n;
  return { min, mean, max, spread: mean ? Math.sqrt(Math.max(squares / n - mean * mean, 0)) / mean : 0 };
}

/** How much the exact neighbours by metrics `a` and `b` agree, and how far the lengths of the vectors are apart. */
export async function compareMetrics(
  queries: Vectors,
  base: Vectors,
  a: Metric,
  b: Metric,
  options: { k?: number; dimensions?: number } = {},
): Promise<MetricComparison> {
  known("compareMetrics", options, ["k", "dimensions"]);
  const most = integer("k", options.k ?? 10, 1, 2 ** 20);
  const metrics = [oneOf("the first metric", a, METRIC_NAMES), oneOf("the second metric", b, METRIC_NAMES)];
  const dimensions = dimensionsOf(base, options.dimensions);
  const own = (vectors: Vectors, name: string): Vectors => {
    for (const metric of metrics) rowsOf(vectors, { dimensions, packed: metric === "hamming" }, name); // throws
    return copyAll(vectors);
  };
  const [bases, asked] = [own(base, "base"), own(queries, "queries")];
  const [one, other] = await Promise.all(metrics.map((metric) => Flat.create({ dimensions, metric })));
  try {
    for (const index of [one, other]) index.add(bases);
    if (one.size === 0) throw badOption("compareMetrics has no base vectors to compare");
    const k = Math.min(most, one.size);
    const [ours, theirs] = [one.searchBatch(asked, { k }).ids, other.searchBatch(asked, { k }).ids];
    const n = ours.length / k;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += overlapOf(ours.subarray(i * k, (i + 1) * k), theirs.subarray(i * k, (i + 1) * k));
    return { overlap: n ? sum / n : 1, k, queries: n, norms: normsOf(one) };
  } finally {
    one.close();
    other.close();
  }
}
