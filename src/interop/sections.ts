// An index of ours as its .vic file would have it, for writers of other formats: columns and tables, each copied when it is first asked for, and
// rows where they are in memory.
import type { VectorIndex } from "../base/vector-index.js";
import { type Engine, type Part, partBytes } from "../border/engine.js";
import { badOption } from "../words/errors.js";
import { readState, type State } from "../words/state.js";

/** In the column "life": a vector that searches find. */
const LIVE = 1;

export class Sections {
  readonly state: State;
  readonly slots: number;
  readonly #engine: Engine;
  readonly #parts = new Map<string, Part>();
  readonly #copies = new Map<string, Uint8Array>();

  /** The index must not change while it is read. */
  constructor(index: VectorIndex) {
    this.#engine = (index as unknown as { readonly engine: Engine }).engine;
    for (const part of this.#engine.parts()) this.#parts.set(part.tag, part);
    this.state = readState(this.#engine.copyState());
    this.slots = this.#engine.exports.storeCount(0);
  }

  has(tag: string): boolean {
    return this.#parts.has(tag);
  }

  /** Bytes of a column or table, which are there. */
  bytes(tag: string): Uint8Array {
    let copy = this.#copies.get(tag);
    if (!copy) {
      const part = this.#part(tag);
      copy = new Uint8Array(partBytes(part, this.slots, this.#engine.exports.storeCount(1)));
      this.#engine.readPart(part, copy, 0);
      this.#copies.set(tag, copy);
    }
    return copy;
  }
  u32s(tag: string): Uint32Array {
    const bytes = this.bytes(tag);
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  f32s(tag: string): Float32Array {
    const bytes = this.bytes(tag);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  /** What a slot has in a column that is not packed, where it lies: good until the next call. */
  row(tag: string, slot: number): Uint8Array {
    const { store, index, stride } = this.#part(tag);
    const at = this.#engine.exports.columnAt(store as number, index, slot) >>> 0;
    return this.#engine.u8().subarray(at, at + stride);
  }

  /** Bytes of a slot in a column. */
  stride(tag: string): number {
    return this.#parts.get(tag)?.stride ?? 0;
  }

  /** Slots of vectors that searches find, in order. */
  live(): Uint32Array {
    const stages = this.bytes("life");
    const slots = new Uint32Array(this.state.live);
    for (let slot = 0, n = 0; slot < this.slots; slot++) if (stages[slot] === LIVE) slots[n++] = slot;
    return slots;
  }

  #part(tag: string): Part {
    const part = this.#parts.get(tag);
    if (!part) throw badOption(`the index has no section ${tag}`);
    return part;
  }
}
