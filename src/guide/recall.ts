// How much of the truth was found, and how sure that is.
import type { Found } from "../search/searchable.js";

/** The right answer to one query. */
export interface Truth {
  readonly ids: ReadonlySet<unknown>;
  /** A hit this near is right whatever its id: it ties with the last. -Infinity where distances are not known. */
  readonly bound: number;
}

/** Recall over queries, 0 to 1. */
export interface Recall {
  recall: number;
  /** Standard error of the mean, by the spread over queries: the hits of one query go together, so that k of them are not k trials. */
  error: number;
  /** Between these the recall of as many other queries like these lies, 95 times of 100. */
  low: number;
  high: number;
}

/** Of the normal distribution: 95 % lie within so many standard deviations. */
const Z = 1.96;
/**
 * Where so few queries miss anything, as many others may miss nothing: of m that do in two halves, all are in one half one time in 2^m, which
 * for 5 is more often than the 2.5 % above the interval.
 */
const FEW = 5;

/** The truth that an exact search found, nearest first. */
export function truthOf(hits: readonly Found<unknown>[]): Truth {
  return { ids: new Set(hits.map(({ id }) => id)), bound: hits.at(-1)?.distance ?? Number.NEGATIVE_INFINITY };
}

/** How many of the hits are right; never more than there are true ones. */
export function countRight(hits: readonly Found<unknown>[], { ids, bound }: Truth): number {
  let right = 0;
  for (const { id, distance } of hits) if (ids.has(id) || distance <= bound) right++;
  return Math.min(right, ids.size);
}

/** Of the right ones the share that was found; 1 where there are none. */
export function shareOf(hits: readonly Found<unknown>[], truth: Truth): number {
  return truth.ids.size === 0 ? 1 : countRight(hits, truth) / truth.ids.size;
}

/**
 * Wilson's interval (1927), which ends at 0 and 1 and is no point where every query has found all. Its trials: as many as would spread
 * as much as the queries do and one more of the worst, which few hard queries among many easy ones would else be too sure of; halved,
 * because the other queries spread as well.
 */
export function recallOf(shares: readonly number[]): Recall {
  const n = shares.length;
  const mean = shares.reduce((sum, share) => sum + share, 0) / n;
  const squares = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0);
  const worst = (shares.reduce((a, b) => Math.min(a, b)) - mean) ** 2;
  const trials = (squares > 0 ? (n * mean * (1 - mean)) / ((squares + worst) / n) : n) / 2;
  const wide = 1 + Z ** 2 / trials;
  const centre = (mean + Z ** 2 / (2 * trials)) / wide;
  const half = (Z * Math.sqrt((mean * (1 - mean)) / trials + (Z / (2 * trials)) ** 2)) / wide;
  // Of 0 and 1 the ends are these themselves, but for rounding.
  const low = Math.min(Math.max(centre - half, 0), mean);
  const high = shares.filter((share) => share < 1).length <= FEW ? 1 : Math.max(Math.min(centre + half, 1), mean);
  return { recall: mean, error: Math.sqrt(squares / Math.max(n - 1, 1) / n), low, high };
}
