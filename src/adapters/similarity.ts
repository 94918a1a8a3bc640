// What frameworks rank by: more is nearer.
import type { Metric } from "../words/kinds.js";

/**
 * A collection's distance as a similarity: under cosine the cosine, under dot the inner product, else 1 / (1 + distance), which is 1
 * for equal vectors.
 */
export function similarityOf(metric: Metric, distance: number): number {
  if (metric === "cosine") return 1 - distance;
  return metric === "dot" ? -distance : 1 / (1 + distance);
}
