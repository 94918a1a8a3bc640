import { INDEX_OPTIONS, type IndexOptions, open } from "../base/create.js";
import { type IndexStats, VectorIndex } from "../base/vector-index.js";
import { effortOf } from "../search/plan.js";
import { LIMITS } from "../words/limits.js";
import { integer, known } from "../words/options.js";
import { treeStats } from "./tree-stats.js";

export interface ForestOptions extends IndexOptions {
  /** Trees, 1 to 1024. More: better recall, more memory. Default 16. */
  trees?: number;
  /** Vectors in a leaf before it splits, 2 to 4096. Default 32. */
  leafSize?: number;
  /** Candidates gathered over all trees by searches that do not say, at least 1. Default 1024. */
  searchK?: number;
}
const OWN_OPTIONS = ["trees", "leafSize", "searchK"];

/**
 * Forest of random hyperplane trees, as in Annoy: each tree splits by the plane between two random means, and one search
 * follows all trees together, nearest planes first. Cheap to build and to change.
 */
export class Forest extends VectorIndex {
  static async create(options: ForestOptions): Promise<Forest> {
    known("Forest.create", options, [...INDEX_OPTIONS, ...OWN_OPTIONS]);
    return new this(
      await open("forest", options, {
        trees: integer("trees", options.trees ?? 16, ...LIMITS.trees),
        leafSize: integer("leafSize", options.leafSize ?? 32, ...LIMITS.leafSize),
        effort: effortOf("searchK", options.searchK ?? 1024),
      }),
    );
  }

  override stats(): IndexStats {
    return { ...super.stats(), ...treeStats(this.engine) };
  }
}
