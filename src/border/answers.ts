// What wasm answers, as callers and searches see it.

/** A filter made ready: where its bitset is, and how many live vectors pass. */
export interface Passing {
  readonly address: number;
  readonly count: number;
}

export interface Hit {
  id: number;
  distance: number;
}

/** The work of the last search (of a whole batch for searchBatch). */
export interface SearchStats {
  /** Distances computed on the index's codec; with a prefilter, bounds by its codes. */
  distances: number;
  /** Graph: nodes expanded. Lists, leaves, buckets: those looked into. Scan: rows looked at. */
  visited: number;
  /** Exact distances computed to re-score candidates, or of what a prefilter let pass. */
  reranked: number;
}
