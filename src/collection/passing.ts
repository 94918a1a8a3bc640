// Slots that pass a filter, ready for the indices that are searched with it.
import type { VectorIndex } from "../base/vector-index.js";
import type { Filter, PreparedFilter } from "../search/filter.js";

/** An index of fewer vectors reads bits about as fast. */
const SMALL = 2048;

export class Passing {
  #prepared: PreparedFilter | undefined;
  #of: VectorIndex | undefined;
  #uses = 0;

  /** Slot i passes where bit i & 31 of word i >> 5 is 1. */
  constructor(
    readonly words: Uint32Array,
    readonly count: number,
  ) {}

  /**
   * As this index takes it: bits for one that asks for the first time, and for small ones; then a filter that it has prepared.
   */
  for(index: VectorIndex): Filter {
    const bits = new Uint8Array(this.words.buffer, this.words.byteOffset, this.words.byteLength);
    if (this.#of === index && this.#prepared) return this.#prepared;
    if (index.size < SMALL || this.#uses++ === 0) return bits;
    this.close();
    this.#of = index;
    this.#prepared = index.prepareFilter(bits);
    return this.#prepared;
  }

  close(): void {
    this.#prepared?.close();
    this.#prepared = undefined;
  }
}
