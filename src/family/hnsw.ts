import { type IndexOptions, open, ownState } from "../base/create.js";
import { type IndexStats, VectorIndex } from "../base/vector-index.js";
import { badOption } from "../words/errors.js";
import { HNSW, type MIPS_NAMES } from "../words/knobs.js";

export interface HnswOptions extends IndexOptions {
  /** Links per node and layer (2m on the lowest), 2 to 512. More: better recall, more memory. Default 16. */
  m?: number;
  /** Beam width while building, 1 to 65536. More: better graph, slower build. Default 200. */
  efConstruction?: number;
  /**
   * Beam width of searches that do not say, at least 1. Default 64. It counts as k at least; a search
   * that itself names less than k is a narrow one, and fills up with what lies near: faster, less sure.
   */
  ef?: number;
  /**
   * metric "dot" only. How the graph is built for inner products, which are no distance: "native" (default) links by
   * inner product as it is (Morozov and Babenko 2018); "augment" gives rows one more coordinate that makes all equally long
   * (Bachrach et al. 2014) and links by half of it; a later vector longer than any before raises the common length, the
   * coordinates of all rows follow and their links stay. Measured on item factors with informative norms, both take about as
   * many distances for a recall of .95.
   */
  mips?: (typeof MIPS_NAMES)[number];
  /**
   * Keeps beside each node the 1-bit codes of its 2m neighbours, packed so that one table lookup scores 32 of them:
   * RaBitQ seen from the node, as in SymphonyQG (Gou et al. 2024, arXiv 2411.12229). Searches then read a row only for
   * the nodes they expand, for about m (dimensions + 64) / 4 more bytes per vector (m a multiple of 16). Vectors are linked as with
   * `atOnce`. Codecs f32, f16, bf16 and sq8; metrics l2, cosine and dot. Default false.
   */
  fastScan?: boolean;
  /**
   * Links many vectors at once in place of one after the other: those of one add(), 512 or more and one for every 16 that there are, and all
   * of addAll(). From overlapping leaves whose distances come as matrices (PiPNN, arXiv 2602.21247); under "dot", where lengths differ by
   * more than 10 %, leaves are by direction, each with the vectors of the largest dots. efConstruction / 200, rounded up, is then how many
   * sets of leaves are taken. Codecs that learn do so first. Default false: of the wasm builds the core and the full one have it not.
   */
  atOnce?: boolean;
  /**
   * With fastScan or atOnce: threads that build the graph when many vectors are added at once, 1 to 32; the graph is the same. More than
   * one needs a shared memory, so on a page cross-origin isolation, and relaxed SIMD; close() ends them. Default 1.
   */
  threads?: number;
}

/**
 * Hierarchical navigable small world graph (Malkov and Yashunin 2016, arXiv 1603.09320): approximate search in
 * logarithmic time. Vectors are added one by one for ever; there is no size to announce.
 */
export class Hnsw extends VectorIndex {
  /** @internal */
  protected override readonly knobs = HNSW;

  static async create(options: HnswOptions): Promise<Hnsw> {
    const { threads, ...own } = ownState("hnsw", HNSW, options);
    if (threads > 1 && !own.fastScan && !own.atOnce) {
      throw badOption("threads build graphs with fastScan or atOnce; others are built by one");
    }
    return new this(await open("hnsw", options, own, undefined, threads));
  }

  override stats(): IndexStats {
    if (!this.trained) return super.stats();
    const { exports } = this.engine;
    const levels = Array.from({ length: this.engine.state("topLevel") + 1 }, (_, level) => exports.slotsOnLevel(level));
    const nodes = this.size + this.deleted;
    const unreachable = exports.countUnreachable();
    return {
      ...super.stats(),
      levels,
      meanDegree: nodes ? exports.countLinks() / nodes : 0,
      ...(unreachable >= 0 && { unreachable }),
    };
  }
}
