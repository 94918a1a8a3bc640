import { type IndexOptions, open, ownState } from "../base/create.js";
import { type IndexStats, VectorIndex } from "../base/vector-index.js";
import { KDTREE } from "../words/knobs.js";
import { treeStats } from "./tree-stats.js";

export interface KdTreeOptions extends IndexOptions {
  /** Vectors in a leaf before it splits, 2 to 4096. Default 16. */
  leafSize?: number;
  /** Leaves visited by searches that do not say. Default Infinity: the exact answer. */
  maxLeaves?: number;
}

/**
 * k-d tree: exact search by branch and bound, for few dimensions (up to about 20; beyond, almost every leaf is visited and
 * a scan is faster). `maxLeaves` trades exactness for speed.
 */
export class KdTree extends VectorIndex {
  /** @internal */
  protected override readonly knobs = KDTREE;

  static async create(options: KdTreeOptions): Promise<KdTree> {
    return new this(await open("kdtree", options, ownState("kdtree", KDTREE, options)));
  }

  override stats(): IndexStats {
    return { ...super.stats(), ...treeStats(this.engine) };
  }
}
