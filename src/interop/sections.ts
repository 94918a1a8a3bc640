// An index of ours as its .vic file has it: its columns and tables, for writers of other formats.
import type { VectorIndex } from "../base/vector-index.js";
import { readHead, readStat, sectionIn } from "../file/format.js";
import { badOption } from "../words/errors.js";
import type { State } from "../words/state.js";

/** In the column "life": a vector that searches find. */
const LIVE = 1;

export class Sections {
  readonly state: State;
  readonly slots: number;
  readonly #file: Uint8Array;
  readonly #places = new Map<string, { offset: number; bytes: number; stride: number }>();

  constructor(index: VectorIndex) {
    this.#file = index.toBytes();
    const head = readHead(this.#file, this.#file.length);
    this.state = readStat(head, sectionIn(this.#file, head.sections[0]), this.#file.length);
    this.slots = head.slots;
    for (const section of head.sections) this.#places.set(section.tag, section);
  }

  has(tag: string): boolean {
    return this.#places.has(tag);
  }

  /** Bytes of a column or table, which are there. */
  bytes(tag: string): Uint8Array {
    const place = this.#places.get(tag);
    if (!place) throw badOption(`the index has no section ${tag}`);
    return this.#file.subarray(place.offset, place.offset + place.bytes);
  }
  u32s(tag: string): Uint32Array {
    const bytes = this.bytes(tag);
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  f32s(tag: string): Float32Array {
    const bytes = this.bytes(tag);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  /** Bytes of a slot in a column. */
  stride(tag: string): number {
    return this.#places.get(tag)?.stride ?? 0;
  }

  /** Slots of vectors that searches find, in order. */
  live(): Uint32Array {
    const stages = this.bytes("life");
    const slots = new Uint32Array(this.state.live);
    for (let slot = 0, n = 0; slot < this.slots; slot++) if (stages[slot] === LIVE) slots[n++] = slot;
    return slots;
  }
}
