// Several codes a slot: [count][code x count] in one pool, and where in it a slot's are.
import { type Codes, codesFor, grown } from "./lanes.js";

/** Below this the pool is not worth packing. */
const LEAST_WASTE = 4096;

export class Lists {
  /** By slot; 0: none. */
  #starts: Uint32Array = new Uint32Array(0);
  /** Element 0 is nobody's. */
  #pool: Codes = new Uint8Array(64);
  #used = 1;
  #wasted = 0;

  get starts(): Uint32Array {
    return this.#starts;
  }

  get pool(): Codes {
    return this.#pool;
  }

  get bytes(): number {
    return this.#starts.byteLength + this.#pool.byteLength;
  }

  put(slot: number, codes: readonly number[]): void {
    if (this.#wasted > LEAST_WASTE && this.#wasted > this.#used >> 1) this.#pack();
    this.#starts = grown(this.#starts, slot + 1);
    this.#pool = codesFor(grown(this.#pool, this.#used + codes.length + 1), Math.max(codes.length, ...codes));
    this.#starts[slot] = this.#used;
    this.#pool[this.#used++] = codes.length;
    for (const code of codes) this.#pool[this.#used++] = code;
  }

  /** The slot must have some. */
  of(slot: number): Codes {
    const start = this.#starts[slot];
    return this.#pool.subarray(start + 1, start + 1 + this.#pool[start]);
  }

  drop(slot: number): void {
    this.#wasted += this.#pool[this.#starts[slot]] + 1;
    this.#starts[slot] = 0;
  }

  /** In order of the slots again, without what was dropped. */
  #pack(): void {
    const pool = this.#pool;
    const next = pool.slice(0, 1);
    let used = 1;
    let packed: Codes = grown(next, this.#used - this.#wasted);
    for (let slot = 0; slot < this.#starts.length; slot++) {
      const start = this.#starts[slot];
      if (start === 0) continue;
      const length = pool[start] + 1;
      packed = grown(packed, used + length);
      packed.set(pool.subarray(start, start + length), used);
      this.#starts[slot] = used;
      used += length;
    }
    this.#pool = packed;
    this.#used = used;
    this.#wasted = 0;
  }
}
