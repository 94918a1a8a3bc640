import {
  INDEX_OPTIONS,
  type IndexOptions,
  type IndexStats,
  maxBytesOf,
  newState,
  stateBytes,
  VectorIndex,
  type Wanted,
} from "./base.js";
import { VicinalError } from "./errors.js";
import { MAX_EF_CONSTRUCTION, MAX_M } from "./file.js";
import type { Passing } from "./filter.js";
import type { Engine } from "./memory.js";
import { integer, known, oneOf } from "./options.js";
import { newEngine } from "./runtime.js";
import { NONE } from "./state.js";

const MIPS_NAMES = ["native", "augment"] as const;

export interface HnswOptions extends IndexOptions {
  /** Links per node and layer (2m on the lowest), 2 to 512. More: better recall, more memory. Default 16. */
  m?: number;
  /** Beam width while building, 1 to 65536. More: better graph, slower build. Default 200. */
  efConstruction?: number;
  /** Beam width of searches that do not say, at least 1. Default 64. */
  ef?: number;
  /**
   * metric "dot" only. How the graph is built for inner products, which are no distance: "native" (default) links by
   * inner product as it is (Morozov and Babenko 2018); "augment" gives rows one more coordinate that makes it a distance
   * (Bachrach et al. 2014), and a later vector longer than any before raises the common length, the coordinates of all
   * rows follow and their links stay. Measured on item factors with informative norms, native found far more per query.
   */
  mips?: (typeof MIPS_NAMES)[number];
}

/**
 * Hierarchical navigable small world graph (Malkov and Yashunin 2016, arXiv 1603.09320): approximate search in
 * logarithmic time. Vectors are added one by one for ever; there is no size to announce.
 */
export class Hnsw extends VectorIndex {
  protected readonly defaultEf: number;

  private constructor(engine: Engine) {
    super(engine);
    this.defaultEf = engine.state("ef");
  }

  static async create(options: HnswOptions): Promise<Hnsw> {
    known("Hnsw.create", options, [...INDEX_OPTIONS, "m", "efConstruction", "ef", "mips"]);
    const state = newState("hnsw", options, {
      m: integer("m", options.m ?? 16, 2, MAX_M),
      efConstruction: integer("efConstruction", options.efConstruction ?? 200, 1, MAX_EF_CONSTRUCTION),
      ef: integer("ef", options.ef ?? 64, 1, NONE),
      mips: MIPS_NAMES.indexOf(oneOf("mips", options.mips ?? "native", MIPS_NAMES)),
    });
    if (options.mips !== undefined && options.metric !== "dot") {
      throw new VicinalError("BAD_OPTION", `mips is for metric "dot", not ${JSON.stringify(options.metric ?? "cosine")}`);
    }
    return new this(await newEngine(stateBytes(state), maxBytesOf(options)));
  }

  /** @internal */
  static over(engine: Engine): Hnsw {
    return new this(engine);
  }

  /** @internal */
  protected override walk(engine: Engine, { k, ef, candidates }: Wanted, filter: Passing): number {
    return engine.exports.hnswSearch(k, ef, candidates, filter.address, filter.count);
  }

  override stats(): IndexStats {
    const { exports } = this.engine;
    const levels = Array.from({ length: this.engine.state("topLevel") + 1 }, (_, level) => exports.slotsOnLevel(level));
    const nodes = this.size + this.deleted;
    return { ...super.stats(), levels, meanDegree: nodes ? exports.countLinks() / nodes : 0 };
  }
}
