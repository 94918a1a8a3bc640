import { INDEX_OPTIONS, type IndexOptions, open } from "../base/create.js";
import { VectorIndex } from "../base/vector-index.js";
import { effortOf } from "../search/plan.js";
import { COARSE_NAMES } from "../words/describe.js";
import { LIMITS, listsFor } from "../words/limits.js";
import { integer, known, oneOf } from "../words/options.js";

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
const OWN_OPTIONS = ["nlist", "nprobe", "coarse", "expected"];

/**
 * Inverted lists: vectors lie in the list of the nearest of `nlist` centroids, which k-means learns, and a search scans
 * the `nprobe` lists nearest to the query. With codec "pq" this is IVF-PQ (Jegou et al. 2011): small and fast.
 */
export class Ivf extends VectorIndex {
  static async create(options: IvfOptions): Promise<Ivf> {
    known("Ivf.create", options, [...INDEX_OPTIONS, ...OWN_OPTIONS]);
    const { nlist = "auto", expected } = options;
    const n = expected === undefined ? 0 : integer("expected", expected, ...LIMITS.trainAt);
    return new this(
      await open("ivf", options, {
        nlist: nlist === "auto" ? n && listsFor(n, n) : integer("nlist", nlist, ...LIMITS.nlist),
        effort: effortOf("nprobe", options.nprobe ?? 8),
        coarseGraph: COARSE_NAMES.indexOf(oneOf("coarse", options.coarse ?? "auto", COARSE_NAMES)),
      }),
    );
  }
}
