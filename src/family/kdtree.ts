import { INDEX_OPTIONS, type IndexOptions, open } from "../base/create.js";
import { type IndexStats, VectorIndex } from "../base/vector-index.js";
import { effortOf } from "../search/plan.js";
import { LIMITS } from "../words/limits.js";
import { integer, known } from "../words/options.js";
import { treeStats } from "./tree-stats.js";

export interface KdTreeOptions extends IndexOptions {
  /** Vectors in a leaf before it splits, 2 to 4096. Default 16. */
  leafSize?: number;
  /** Leaves visited by searches that do not say. Default Infinity: the exact answer. */
  maxLeaves?: number;
}
const OWN_OPTIONS = ["leafSize", "maxLeaves"];

/**
 * k-d tree: exact search by branch and bound, for few dimensions (up to about 20; beyond, almost every leaf is visited and
 * a scan is faster). `maxLeaves` trades exactness for speed.
 */
export class KdTree extends VectorIndex {
  static async create(options: KdTreeOptions): Promise<KdTree> {
    known("KdTree.create", options, [...INDEX_OPTIONS, ...OWN_OPTIONS]);
    return new this(
      await open("kdtree", options, {
        leafSize: integer("leafSize", options.leafSize ?? 16, ...LIMITS.leafSize),
        effort: effortOf("maxLeaves", options.maxLeaves ?? Infinity),
      }),
    );
  }

  override stats(): IndexStats {
    return { ...super.stats(), ...treeStats(this.engine) };
  }
}
