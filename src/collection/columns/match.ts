// The documents that pass an expression, kept true to what the documents become.
import type { Expression } from "../where/expression.js";
import { countOf, eachSlot } from "./bits.js";

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

  /** What has become of the slots that changed, or may have. */
  update(changed: Uint32Array, passing: Uint32Array, seen: number): void {
    if (this.#words.length < changed.length) {
      const words = new Uint32Array(changed.length);
      words.set(this.#words);
      this.#words = words;
    }
    const words = this.#words;
    const flipped = changed.map((word, w) => (words[w] ^ passing[w]) & word);
    eachSlot(flipped, (slot) => {
      this.#flips.push(slot);
    });
    for (let w = 0; w < flipped.length; w++) words[w] ^= flipped[w];
    this.#version += countOf(flipped);
    if (this.#flips.length > MOST_FLIPS) this.#flips = this.#flips.slice(-MOST_FLIPS / 2);
    this.#count = countOf(words);
    this.#seen = seen;
  }
}
