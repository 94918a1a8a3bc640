// What wasm answers, as callers and searches see it.

export interface Hit {
  id: number;
  distance: number;
}

/** By PLAN_* of assembly/base/codes.ts. */
export const PLANS = [
  "scan",
  "walk",
  "walk, then scan",
  "lists",
  "more lists",
  "trees",
  "buckets",
  "buckets, then scan",
  "trees, then scan",
] as const;

/** One search, and why it went as it did. */
export interface Explanation extends SearchStats {
  /** Vectors of the index that pass the filter: all where there is none. */
  passing: number;
  /** They are so much of the index, 0 to 1; of an empty one 1. */
  share: number;
  /** Of the vectors that a walk came across: how many pass, 0 to 1. Undefined where nothing was walked, or all pass. */
  localShare: number | undefined;
  /** Microseconds that either way was thought to take when one was chosen; undefined where there was nothing to choose. */
  cost: { walk: number | undefined; scan: number | undefined };
  /** What it took, by the clock there is: in browsers that shows steps of 5 to 100. */
  microseconds: number;
}

/** The work of the last search (of a whole batch for searchBatch). */
export interface SearchStats {
  /** Distances computed on the index's codec; with a prefilter, bounds by its codes. */
  distances: number;
  /** Graph: nodes expanded. Lists, leaves, buckets: those looked into. Scan: rows looked at. */
  visited: number;
  /** Exact distances computed to re-score candidates, or of what a prefilter let pass. */
  reranked: number;
  /**
   * How it was searched; of a batch, its first query. "scan": all that pass the filter, one by one, which is also what `exact`
   * asks for, and what a filter that few pass comes to. Otherwise by the index: "walk" through the graph, `nprobe` "lists" or "more
   * lists" where those had too few, "trees", "buckets". Where it turns out on the way that less passes than elsewhere: "walk, then
   * scan", "trees, then scan", "buckets, then scan". Undefined before the first search.
   */
  plan: (typeof PLANS)[number] | undefined;
}
