// Slots that pass a filter, ready for the indices that are searched with it.
import type { VectorIndex } from "../base/vector-index.js";
import type { Filter, PreparedFilter } from "../search/filter.js";

/** An index of fewer vectors reads bits about as fast. */
const SMALL = 2048;
/** The fresh tier and the main one. */
const INDICES = 2;

export class Passing {
  /** By the indices that have asked, the latest last; undefined where one has asked once. */
  readonly #prepared = new Map<VectorIndex, PreparedFilter | undefined>();

  /** Slot i passes where bit i & 31 of word i >> 5 is 1. */
  constructor(
    readonly words: Uint32Array,
    readonly count: number,
  ) {}

  /**
   * As this index takes it: bits for one that asks for the first time, and for small ones; then a filter that it has prepared.
   */
  for(index: VectorIndex): Filter {
    const ready = this.#prepared.get(index);
    if (ready) return ready;
    const bits = new Uint8Array(this.words.buffer, this.words.byteOffset, this.words.byteLength);
    if (index.size < SMALL) return bits;
    const again = this.#prepared.has(index);
    const filter = again ? index.prepareFilter(bits) : undefined;
    this.#prepared.set(index, filter);
    for (const [oldest, old] of this.#prepared) {
      if (this.#prepared.size <= INDICES) break;
      old?.close();
      this.#prepared.delete(oldest);
    }
    return filter ?? bits;
  }

  close(): void {
    for (const filter of this.#prepared.values()) filter?.close();
    this.#prepared.clear();
  }
}
