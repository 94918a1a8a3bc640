import { INDEX_OPTIONS, type IndexOptions, open } from "../base/create.js";
import { VectorIndex } from "../base/vector-index.js";
import { effortOf } from "../search/plan.js";
import { badOption } from "../words/errors.js";
import { METRICS } from "../words/kinds.js";
import { LIMITS } from "../words/limits.js";
import { integer, known, real } from "../words/options.js";

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
const OWN_OPTIONS = ["tables", "bits", "probes", "width"];

/**
 * Locality-sensitive hashing: random hyperplanes (Charikar 2002), under l2 random projections cut into cells (Datar et al.
 * 2004), under hamming sampled bits (Indyk and Motwani 1998); the likeliest neighbouring buckets are probed too.
 */
export class Lsh extends VectorIndex {
  static async create(options: LshOptions): Promise<Lsh> {
    known("Lsh.create", options, [...INDEX_OPTIONS, ...OWN_OPTIONS]);
    const { width } = options;
    const own = {
      trees: integer("tables", options.tables ?? 16, ...LIMITS.tables),
      hashBits: integer("bits", options.bits ?? 12, ...LIMITS.hashBits),
      effort: effortOf("probes", options.probes ?? 32),
      width: width === undefined ? 0 : real("width", width, ...LIMITS.width),
    };
    if (width !== undefined && !METRICS[options.metric ?? "cosine"]?.cells) {
      throw badOption(`width is for metric "l2", not ${JSON.stringify(options.metric ?? "cosine")}`);
    }
    return new this(await open("lsh", options, own));
  }
}
