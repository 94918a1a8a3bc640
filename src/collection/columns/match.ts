// The documents that pass an expression, kept true to what the documents become.
import type { Expression } from "../where/expression.js";
import { countOf, ones } from "./bits.js";
import type { Slots } from "./refine.js";

/** Flips that are remembered one by one. */
const MOST_FLIPS = 4096;
/** Of a match beside its words: its key, twice, and the objects. */
const MATCH_BYTES = 512;

export class Match {
  #words: Uint32Array;
  #count: number;
  /** Changes of documents that it has seen. */
  #seen: number;
  #version: number;
  #flips: number[] = [];

  constructor(
    readonly expression: Expression,
    words: Uint32Array,
    seen: number,
  ) {
    this.#words = words.slice();
    this.#count = countOf(words);
    this.#seen = seen;
    // No more slots flip than change: so no version is that of an earlier match of the expression, unless nothing has changed since.
    this.#version = seen;
  }

  /** Bit b of word w: whether slot 32 w + b passes. Not to be written to; it holds until columns.match is called for it again. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** How many documents pass, exactly. */
  get count(): number {
    return this.#count;
  }

  /** The same as long as the same slots pass, also where the match was forgotten in between and made anew. */
  get version(): number {
    return this.#version;
  }

  get seen(): number {
    return this.#seen;
  }

  get bytes(): number {
    return this.#words.byteLength + 4 * this.expression.key.length + MATCH_BYTES;
  }

  /** Slots that pass now and did not, or did and do not, since a version; undefined where that is too long ago to be told. */
  flippedSince(version: number): Set<number> | undefined {
    const first = this.#flips.length - (this.#version - version);
    if (first < 0 || version > this.#version) return undefined;
    const odd = new Set<number>();
    for (const slot of this.#flips.slice(first)) if (!odd.delete(slot)) odd.add(slot);
    return odd;
  }

  /** What has become of slots that changed, or may have; there are so many words now. */
  update({ words: changed, at }: Slots, passing: Uint32Array, length: number, seen: number): void {
    const words = length > this.#words.length ? new Uint32Array(length) : this.#words;
    if (words !== this.#words) words.set(this.#words);
    for (let i = 0; i < changed.length; i++) {
      const w = at ? at[i] : i;
      const before = words[w];
      const flipped = (before ^ passing[i]) & changed[i];
      if (flipped === 0) continue;
      words[w] = before ^ flipped;
      this.#count += ones(words[w]) - ones(before);
      for (let left = flipped; left !== 0; left &= left - 1) this.#flips.push((w << 5) + 31 - Math.clz32(left & -left));
      this.#version += ones(flipped);
    }
    if (this.#flips.length > MOST_FLIPS) this.#flips = this.#flips.slice(-MOST_FLIPS / 2);
    this.#words = words;
    this.#seen = seen;
  }
}
