import { type IndexOptions, open, ownState } from "../base/create.js";
import { VectorIndex } from "../base/vector-index.js";
import { FLAT } from "../words/knobs.js";

export interface FlatOptions extends IndexOptions {
  /**
   * Keeps beside each row one byte per value and a bound on what that loses. A single search then reads the bytes, and of
   * the rows only those that their bound cannot exclude: the very same answers, several times sooner from some hundred
   * dimensions on, for dimensions + 16 more bytes per vector. Batches read rows as before. Codec f32; metrics l2,
   * cosine and dot. Default false.
   */
  prefilter?: boolean;
}

/** Exact search: every vector is looked at. Nothing to tune, nothing missed; the choice up to some ten thousand vectors. */
export class Flat extends VectorIndex {
  /** @internal */
  protected override readonly knobs = FLAT;

  static async create(options: FlatOptions): Promise<Flat> {
    return new this(await open("flat", options, ownState("flat", FLAT, options)));
  }
}
