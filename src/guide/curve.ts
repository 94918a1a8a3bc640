// Recall by effort: which efforts are measured, which is chosen, and what lies between them.
import type { Point } from "./measuring.js";

/** The effort that was chosen for a recall. */
export interface Choice extends Point {
  /** Whether it holds the recall that was wanted; where no effort does, this is the best there is. */
  reached: boolean;
}

/** How far below what is wanted the recall of as many other queries may be, 19 times of 20: so much, or half of what may be missed. */
const BELOW = 0.015;
/** Of the normal distribution 95 % lie below so many standard deviations; the difference of two means has the square root of two of them. */
const ONE_SIDED = 1.645 * Math.SQRT2;

/**
 * What is promised where so much is wanted: the recall, less what keeps that of other queries from being farther below than BELOW; but no
 * more than one standard error, which of few queries is much already. bench:tune has what that costs and holds.
 */
export function promised({ recall, error }: Point, wanted: number): number {
  const unsure = ONE_SIDED * error - Math.min(BELOW, (1 - wanted) / 2);
  return recall - Math.min(Math.max(unsure, 0), error);
}

/** Between the last effort that is too low and the first that is not there is at most so much, or nothing. */
const STEP = 1.04;
/** The curve is measured on to this recall, so that searches may ask for more than was tuned for, but for no more than so many times the effort. */
const BEYOND = 0.99;
const FURTHER = 16;

const between = (low: number, high: number): number => Math.round(Math.sqrt(low * high));

/** Where two doublings in a row have brought less than their own error, the next will not do it. */
function isLevel(points: readonly Point[]): boolean {
  const [a, , c] = points.slice(-3);
  return c !== undefined && c.recall - a.recall <= c.error;
}

/**
 * Doubles the effort from the least to the most until it holds the recall wanted, then halves the gap below it by ratio. All points are of
 * the same queries, so that the choice among them has little of the luck that a choice among independent ones has.
 */
export async function curveOf(
  measured: (effort: number) => Promise<Point>,
  least: number,
  most: number,
  wanted: number,
): Promise<{ points: Point[]; choice: Choice }> {
  const points = [await measured(least)];
  const last = (): Point => points[points.length - 1];
  const effortOf = (point: Point): number => point.effort as number;
  while (promised(last(), wanted) < wanted && effortOf(last()) < most && !isLevel(points)) {
    points.push(await measured(Math.min(2 * effortOf(last()), most)));
  }
  const reached = promised(last(), wanted) >= wanted;
  if (!reached) return { points, choice: { ...best(points), reached } };
  let [low, chosen] = [points.at(-2), last()];
  while (low && effortOf(chosen) > STEP * effortOf(low) && effortOf(chosen) - effortOf(low) > 1) {
    const middle = Math.min(Math.max(between(effortOf(low), effortOf(chosen)), effortOf(low) + 1), effortOf(chosen) - 1);
    const point = await measured(middle);
    points.push(point);
    if (promised(point, wanted) >= wanted) chosen = point;
    else low = point;
  }
  points.sort((a, b) => effortOf(a) - effortOf(b));
  const end = Math.min(most, FURTHER * effortOf(chosen));
  while (promised(last(), BEYOND) < BEYOND && effortOf(last()) < end && !isLevel(points)) {
    points.push(await measured(Math.min(2 * effortOf(last()), end)));
  }
  return { points, choice: { ...chosen, reached } };
}

/** The cheapest of those that come within its error of the most that was found. */
function best(points: readonly Point[]): Point {
  const most = points.reduce((a, b) => (b.recall > a.recall ? b : a));
  return points.find(({ recall }) => recall >= most.recall - most.error) ?? most;
}

/** The effort that a recall takes: between two points misses fall as a power of it. Undefined where none holds it. */
export function effortAt(points: readonly Point[], wanted: number): number | undefined {
  const i = points.findIndex((point) => promised(point, wanted) >= wanted);
  if (i <= 0) return points[i]?.effort;
  const [a, b] = [points[i - 1], points[i]];
  const misses = (recall: number): number => Math.log(Math.max(1 - recall, 1e-6));
  const [low, high] = [misses(promised(a, wanted)), misses(promised(b, wanted))];
  const part = high < low ? (misses(wanted) - low) / (high - low) : 1;
  const [from, to] = [a.effort as number, b.effort as number];
  return Math.min(Math.ceil(from * (to / from) ** Math.min(Math.max(part, 0), 1)), to);
}
