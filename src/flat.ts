import { INDEX_OPTIONS, type IndexOptions, maxBytesOf, newState, stateBytes, VectorIndex, type Wanted } from "./base.js";
import type { Passing } from "./filter.js";
import type { Engine } from "./memory.js";
import { known } from "./options.js";
import { newEngine } from "./runtime.js";

/** Exact search: every vector is looked at. Nothing to tune, nothing missed; the choice up to some ten thousand vectors. */
export class Flat extends VectorIndex {
  protected readonly defaultEf = 1;

  static async create(options: IndexOptions): Promise<Flat> {
    known("Flat.create", options, INDEX_OPTIONS);
    return new this(await newEngine(stateBytes(newState("flat", options, {})), maxBytesOf(options)));
  }

  /** @internal */
  static over(engine: Engine): Flat {
    return new this(engine);
  }

  /** @internal */
  protected override walk(engine: Engine, { k, candidates }: Wanted, filter: Passing): number {
    return engine.exports.exactSearch(k, candidates, filter.address, Infinity);
  }
}
