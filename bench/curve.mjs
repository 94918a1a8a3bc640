// Reading a curve of recall against speed.

/** QPS at a recall: log QPS drawn straight between two points of the curve; of a better first point, its own QPS. */
export function qpsAt(curve, target) {
  const i = curve.findIndex(({ recall }) => recall >= target);
  if (i <= 0) return i < 0 ? NaN : curve[0].qps;
  const [a, b] = [curve[i - 1], curve[i]];
  const part = (target - a.recall) / (b.recall - a.recall);
  return Math.exp(Math.log(a.qps) * (1 - part) + Math.log(b.qps) * part);
}
