// Reading a curve of recall against speed, and ratios of several.

/** QPS at a recall: log QPS drawn straight between two points of the curve; of a better first point, its own QPS. */
export function qpsAt(curve, target) {
  const i = curve.findIndex(({ recall }) => recall >= target);
  if (i <= 0) return i < 0 ? NaN : curve[0].qps;
  const [a, b] = [curve[i - 1], curve[i]];
  const part = (target - a.recall) / (b.recall - a.recall);
  return Math.exp(Math.log(a.qps) * (1 - part) + Math.log(b.qps) * part);
}

/**
 * QPS at a recall where points lie far apart: between two of them misses fall as a power of `effort`, and the time of a query
 * grows with it.
 */
export function qpsByEffort(curve, target) {
  const i = curve.findIndex(({ recall }) => recall >= target);
  if (i <= 0) return i < 0 ? NaN : curve[0].qps;
  const [a, b] = [curve[i - 1], curve[i]];
  const misses = (recall) => Math.log(Math.max(1 - recall, 1e-6));
  const power = (misses(target) - misses(a.recall)) / (misses(b.recall) - misses(a.recall));
  const effort = a.effort * (b.effort / a.effort) ** power;
  const part = (effort - a.effort) / (b.effort - a.effort);
  return 1 / ((1 - part) / a.qps + part / b.qps);
}

export const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
/** NaN of none. */
export const least = (values) => (values.length ? Math.min(...values) : Number.NaN);
