// Several codes a slot: [count][code x count] in one pool, and where in it a slot's are.
import { atOnce } from "../../input/slices.js";
import { type Codes, codesFor, grown } from "./lanes.js";

/** Below this the pool is not worth packing. */
const LEAST_WASTE = 4096;
/** Slots that are packed between two yields. */
const SLICE = 1 << 14;

/** Lists at one moment. */
export interface ListsCopy {
  /** By slot, where it is in the pool; 0: none. */
  readonly starts: Uint32Array;
  readonly pool: Codes;
  /** Elements of the pool that are in use, with the first, which is nobody's. */
  readonly used: number;
}

/**
 * The lists in order of their slots, without what was dropped, in a pool from whose element 1 on they are. `starts` then says where
 * in that one.
 */
export function* packed({ starts, pool, used }: ListsCopy): Generator<undefined, Codes, void> {
  const into = new (pool.constructor as new (length: number) => Codes)(used);
  let at = 1;
  for (let slot = 0; slot < starts.length; slot++) {
    if (slot % SLICE === SLICE - 1) yield;
    const start = starts[slot];
    if (start === 0) continue;
    starts[slot] = at;
    for (let i = start, end = start + pool[start]; i <= end; i++) into[at++] = pool[i];
  }
  return into;
}

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

  copy(): ListsCopy {
    return { starts: this.#starts.slice(), pool: this.#pool.slice(0, this.#used), used: this.#used - this.#wasted };
  }

  /** Lists of the slots in their order, packed. False where there are fewer or more, or `take` says of a code that it is none. */
  restore(packed: Codes, slots: readonly number[], take: (code: number) => boolean): boolean {
    const pool = grown(packed.slice(0, 0), packed.length + 1);
    pool.set(packed, 1);
    this.#pool = pool;
    this.#used = packed.length + 1;
    this.#starts = grown(this.#starts, (slots.at(-1) ?? -1) + 1);
    let at = 1;
    for (const slot of slots) {
      const end = at + 1 + pool[at];
      if (end > this.#used || pool[at] < 2) return false;
      for (let i = at + 1; i < end; i++) if (!take(pool[i])) return false;
      this.#starts[slot] = at;
      at = end;
    }
    return at === this.#used;
  }

  /** In order of the slots again, without what was dropped. */
  #pack(): void {
    const used = this.#used - this.#wasted;
    this.#pool = atOnce(packed({ starts: this.#starts, pool: this.#pool, used }));
    this.#used = used;
    this.#wasted = 0;
  }
}
