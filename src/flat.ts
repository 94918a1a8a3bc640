import { VectorIndex } from "./base.js";
import { INDEX_OPTIONS, type IndexOptions, open } from "./create.js";
import { known } from "./options.js";

/** Exact search: every vector is looked at. Nothing to tune, nothing missed; the choice up to some ten thousand vectors. */
export class Flat extends VectorIndex {
  static async create(options: IndexOptions): Promise<Flat> {
    known("Flat.create", options, INDEX_OPTIONS);
    return new this(await open("flat", options, {}));
  }
}
