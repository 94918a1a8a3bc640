import { type IndexOptions, open, ownState } from "../base/create.js";
import { type IndexStats, VectorIndex } from "../base/vector-index.js";
import { FOREST } from "../words/knobs.js";
import { treeStats } from "./tree-stats.js";

export interface ForestOptions extends IndexOptions {
  /** Trees, 1 to 1024. More: better recall, more memory. Default 16. */
  trees?: number;
  /** Vectors in a leaf before it splits, 2 to 4096. Default 32. */
  leafSize?: number;
  /** Candidates gathered over all trees by searches that do not say, at least 1. Default 1024. */
  searchK?: number;
}

/**
 * Forest of random hyperplane trees, as in Annoy: each tree splits by the plane between two random means, and one search
 * follows all trees together, nearest planes first. Cheap to build and to change.
 */
export class Forest extends VectorIndex {
  /** @internal */
  protected override readonly knobs = FOREST;

  static async create(options: ForestOptions): Promise<Forest> {
    return new this(await open("forest", options, ownState("forest", FOREST, options)));
  }

  override stats(): IndexStats {
    return { ...super.stats(), ...treeStats(this.engine) };
  }
}
