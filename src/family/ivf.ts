import { type IndexOptions, open, ownState } from "../base/create.js";
import { VectorIndex } from "../base/vector-index.js";
import { type COARSE_NAMES, IVF } from "../words/knobs.js";
import { listsFor } from "../words/needs.js";

export interface IvfOptions extends IndexOptions {
  /**
   * Lists, 1 to 65536. "auto" (default) decides when it trains: 4 sqrt(n) for n vectors, at most one per 39 that it
   * learns from.
   */
  nlist?: number | "auto";
  /** Lists scanned by searches that do not say, at least 1. Default 8. */
  nprobe?: number;
  /** How the nearest lists are found: "exact" looks at each centroid, "hnsw" asks a graph over them. Default "auto": a graph from 16384 lists on. */
  coarse?: (typeof COARSE_NAMES)[number];
  /** For nlist "auto": how many vectors there will be, where that is known before the first of them. */
  expected?: number;
}

/**
 * Inverted lists: vectors lie in the list of the nearest of `nlist` centroids, which k-means learns, and a search scans
 * the `nprobe` lists nearest to the query. With codec "pq" this is IVF-PQ (Jegou et al. 2011): small and fast.
 */
export class Ivf extends VectorIndex {
  /** @internal */
  protected override readonly knobs = IVF;

  static async create(options: IvfOptions): Promise<Ivf> {
    const { expected, ...own } = ownState("ivf", IVF, options);
    if (expected && !own.nlist) own.nlist = listsFor(expected, expected);
    return new this(await open("ivf", options, own));
  }
}
