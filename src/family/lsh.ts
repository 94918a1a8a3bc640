import { type IndexOptions, open, ownState } from "../base/create.js";
import { VectorIndex } from "../base/vector-index.js";
import { LSH } from "../words/knobs.js";

export interface LshOptions extends IndexOptions {
  /** Hash tables, 1 to 256. More: better recall, more memory. Default 16. */
  tables?: number;
  /** Hash functions per table, 1 to 32. More: smaller buckets. Default 12. */
  bits?: number;
  /** Buckets looked into per table by searches that do not say, at least 1. Default 32. */
  probes?: number;
  /** metric "l2" only: width of a hash cell, in distances. Default: learned from the first vectors. */
  width?: number;
}

/**
 * Locality-sensitive hashing: random hyperplanes (Charikar 2002), under l2 random projections cut into cells (Datar et al.
 * 2004), under hamming sampled bits (Indyk and Motwani 1998); the likeliest neighbouring buckets are probed too.
 */
export class Lsh extends VectorIndex {
  /** @internal */
  protected override readonly knobs = LSH;

  static async create(options: LshOptions): Promise<Lsh> {
    return new this(await open("lsh", options, ownState("lsh", LSH, options)));
  }
}
