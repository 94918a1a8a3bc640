// Vectors made from a seed: the same in every browser.
import { uniform } from "../../guide/random.js";
import type { ShapeName } from "./messages.js";

/** Normally distributed: Box and Muller. */
function gaussian(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** About so many vectors to a cluster, and how far they lie from its centre beside the distance between centres. */
const OF_A_CLUSTER = 100;
const WIDE = 0.5;

/** Rows of values one after the other; the last `queries` of them are for asking. */
export function made(shape: ShapeName, n: number, dimensions: number, seed: number): Float32Array {
  const next = uniform(seed);
  if (shape === "uniform") return Float32Array.from({ length: n * dimensions }, next);
  const clusters = Math.max(Math.round(n / OF_A_CLUSTER), 1);
  const centres = Float32Array.from({ length: clusters * dimensions }, () => gaussian(next));
  const values = new Float32Array(n * dimensions);
  for (let i = 0; i < n; i++) {
    const from = Math.floor(next() * clusters) * dimensions;
    // Lengths by a log-normal law: one vector in a hundred is some five times as long as the median.
    const stretch = shape === "heavy" ? Math.exp(0.7 * gaussian(next)) : 1;
    for (let j = 0; j < dimensions; j++) values[i * dimensions + j] = stretch * (centres[from + j] + WIDE * gaussian(next));
  }
  return values;
}
