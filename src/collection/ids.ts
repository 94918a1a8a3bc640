// Which document is in which slot. The keys of ids lie one after the other in a heap, and a hash table of slots finds them: some
// 40 bytes for an id of 20 characters, where a Map of strings takes more than a hundred.
//
// An entry of the heap: length of the key (LEB128), key (keys.ts).
import { bad, show } from "../words/errors.js";
import { grown } from "./grown.js";
import { type DocumentId, hashOf, idOfKey } from "./keys.js";

/** The answer where there is no such document. */
const NO_SLOT = -1;
/** The heap is rewritten where this much of it is of ids that are gone. */
const MOST_WASTE = 0.25;
/** Free of anything else: a heap begins here, so that no entry is at 0. */
const FIRST = 1;

/** Bytes of a key's length. */
function headBytes(length: number): number {
  let bytes = 1;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}

/** The length of the key whose entry begins at `at`. */
function lengthAt(heap: Uint8Array, at: number): number {
  let length = 0;
  let byte = 128;
  for (let shift = 0, from = at; byte >= 128; shift += 7) {
    byte = heap[from++];
    length |= (byte & 127) << shift;
  }
  return length;
}

export class IdTable {
  #heap = new Uint8Array(256);
  #end = FIRST;
  /** Bytes of the heap that belong to ids that are gone. */
  #waste = 0;
  /** Where the entry of a slot is; 0: the slot is free. */
  #at = new Uint32Array(0);
  /** Slots that were ever taken. */
  #slots = 0;
  #free: number[] = [];
  /** Slots + 1, by hash of their keys; the next place where it is taken. */
  #table = new Uint32Array(64);

  /** Documents. */
  get size(): number {
    return this.#slots - this.#free.length;
  }

  /** Slots there are, free ones included. */
  get slots(): number {
    return this.#slots;
  }

  get bytes(): number {
    return this.#heap.length + this.#at.byteLength + this.#table.byteLength + 8 * this.#free.length;
  }

  /** The slot of a document; -1 where there is none. */
  find(key: Uint8Array): number {
    const mask = this.#table.length - 1;
    for (let place = hashOf(key, 0, key.length) & mask; ; place = (place + 1) & mask) {
      const slot = this.#table[place] - 1;
      if (slot === NO_SLOT || this.#isAt(this.#at[slot], key, 0, key.length)) return slot;
    }
  }

  has(slot: number): boolean {
    return slot < this.#slots && this.#at[slot] !== 0;
  }

  /** The id in a slot that is taken. */
  idAt(slot: number): DocumentId {
    const from = this.#keyFrom(slot);
    return idOfKey(this.#heap, from, this.#entryEnd(this.#at[slot]));
  }

  /** Where in the heap the slot's key begins. */
  #keyFrom(slot: number): number {
    const at = this.#at[slot];
    return at + headBytes(lengthAt(this.#heap, at));
  }

  #hashAt(slot: number): number {
    return hashOf(this.#heap, this.#keyFrom(slot), this.#entryEnd(this.#at[slot]));
  }

  /** Takes a slot for a key that has none. */
  add(key: Uint8Array): number {
    if (4 * (this.size + 1) > 3 * this.#table.length) this.#rehash(2 * this.#table.length);
    const slot = this.#free.pop() ?? this.#slots;
    if (slot === this.#slots) this.#at = grown(this.#at, ++this.#slots);
    this.#at[slot] = this.#write(key);
    this.#enter(slot);
    return slot;
  }

  remove(slot: number): void {
    this.#waste += this.#entryEnd(this.#at[slot]) - this.#at[slot];
    this.#leave(slot);
    this.#at[slot] = 0;
    this.#free.push(slot);
    if (this.#waste > 4096 && this.#waste > MOST_WASTE * this.#end) this.#sweep();
  }

  /** As it is now, for toBytes() alone: what finds ids is left out. */
  copy(): IdTable {
    const copy = new IdTable();
    copy.#heap = this.#heap.slice(0, this.#end);
    copy.#at = this.#at.slice(0, this.#slots);
    copy.#slots = this.#slots;
    return copy;
  }

  /** The entries of some slots, in order; of a free one a single 0. */
  toBytes(from = 0, to = this.#slots): Uint8Array {
    let length = 0;
    for (let slot = from; slot < to; slot++) {
      const at = this.#at[slot];
      length += at === 0 ? 1 : this.#entryEnd(at) - at;
    }
    const bytes = new Uint8Array(length);
    let end = 0;
    for (let slot = from; slot < to; ) {
      const at = this.#at[slot];
      if (at === 0) {
        end++;
        slot++;
        continue;
      }
      // Those that lie one after the other go together.
      let until = at;
      for (; slot < to && this.#at[slot] === until; slot++) until = this.#entryEnd(until);
      bytes.set(this.#heap.subarray(at, until), end);
      end += until - at;
    }
    return bytes;
  }

  /** The table of what toBytes() told, checked: no id twice, none beyond the end. */
  static fromBytes(bytes: Uint8Array, slots: number): IdTable {
    const table = new IdTable();
    table.#heap = new Uint8Array(bytes.length + FIRST);
    table.#heap.set(bytes, FIRST);
    table.#end = bytes.length + FIRST;
    table.#at = new Uint32Array(slots);
    table.#slots = slots;
    let at = FIRST;
    for (let slot = 0; slot < slots; slot++) {
      if (at >= table.#end) throw bad(`ids of ${slot} of ${slots} slots`);
      if (table.#heap[at] === 0) {
        table.#free.push(slot);
        table.#waste++;
        at++;
        continue;
      }
      table.#at[slot] = at;
      at = table.#entryEnd(at);
    }
    if (at !== table.#end) throw bad(`${bytes.length} bytes of ids that end at ${at - FIRST}`);
    let places = 64;
    while (4 * slots > 3 * places) places *= 2;
    table.#table = new Uint32Array(places);
    for (let slot = 0; slot < slots; slot++) {
      if (table.#at[slot] !== 0 && !table.#enter(slot)) throw bad(`the id ${show(table.idAt(slot))} twice`);
    }
    return table;
  }

  /** Where the entry ends that begins there. */
  #entryEnd(at: number): number {
    const n = lengthAt(this.#heap, at);
    return at + headBytes(n) + n;
  }

  /** Whether the entry is that of the key that lies in `bytes` between two places. */
  #isAt(at: number, bytes: Uint8Array, from: number, to: number): boolean {
    const heap = this.#heap;
    const n = lengthAt(heap, at);
    if (n !== to - from) return false;
    const first = at + headBytes(n);
    // From the end: ids often begin alike.
    for (let i = n - 1; i >= 0; i--) if (heap[first + i] !== bytes[from + i]) return false;
    return true;
  }

  #write(key: Uint8Array): number {
    const at = this.#end;
    this.#heap = grown(this.#heap, at + key.length + headBytes(key.length));
    let n = key.length;
    for (; n > 127; n >>>= 7) this.#heap[this.#end++] = (n & 127) | 128;
    this.#heap[this.#end++] = n;
    this.#heap.set(key, this.#end);
    this.#end += key.length;
    return at;
  }

  /** False where the slot's key has another slot already. */
  #enter(slot: number): boolean {
    const table = this.#table;
    const mask = table.length - 1;
    const from = this.#keyFrom(slot);
    const to = this.#entryEnd(this.#at[slot]);
    let place = hashOf(this.#heap, from, to) & mask;
    for (; table[place] !== 0; place = (place + 1) & mask) {
      if (this.#isAt(this.#at[table[place] - 1], this.#heap, from, to)) return false;
    }
    table[place] = slot + 1;
    return true;
  }

  /** Takes a slot out of the table; those behind it that it had kept from their place move up. */
  #leave(slot: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let hole = this.#hashAt(slot) & mask;
    while (table[hole] !== slot + 1) hole = (hole + 1) & mask;
    for (let place = (hole + 1) & mask; table[place] !== 0; place = (place + 1) & mask) {
      const home = this.#hashAt(table[place] - 1) & mask;
      // Whether home is cyclically in (hole, place].
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      table[hole] = table[place];
      hole = place;
    }
    table[hole] = 0;
  }

  #rehash(places: number): void {
    this.#table = new Uint32Array(places);
    for (let slot = 0; slot < this.#slots; slot++) if (this.#at[slot] !== 0) this.#enter(slot);
  }

  /** Rewrites the heap without what is gone. */
  #sweep(): void {
    const bytes = this.toBytes();
    let at = FIRST;
    this.#heap = new Uint8Array(bytes.length + FIRST);
    this.#heap.set(bytes, FIRST);
    this.#end = at + bytes.length;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#at[slot] === 0) {
        at++;
        continue;
      }
      this.#at[slot] = at;
      at = this.#entryEnd(at);
    }
    this.#waste = this.#free.length;
  }
}
