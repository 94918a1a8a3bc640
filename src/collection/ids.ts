// Which document is in which slot. Ids are strings or integers; their bytes lie one after the other in a heap, and a hash table
// of slots finds them: some 30 bytes for an id of 20 characters, where a Map of strings takes more than a hundred.
//
// An entry of the heap: length of the key (LEB128), key. A key: what it is u8, then an integer as f64 | ASCII | UTF-8 | UTF-16
// where the string has half a surrogate pair, which UTF-8 cannot say. So "1" and 1 have different keys, and equal keys are equal
// ids.
import { bad, show, VicinalError } from "../words/errors.js";
import { grown } from "./grown.js";

/** A document's id: a string, also the empty one, or a safe integer; "1" is not 1. */
export type DocumentId = string | number;

const INTEGER = 0;
const ASCII = 1;
const UTF8 = 2;
const UTF16 = 3;
/** Most bytes of a key. */
const MOST_BYTES = 65536;
/** Slots are fewer than this: as an index's. */
const NO_SLOT = -1;
/** The heap is rewritten where this much of it is of ids that are gone. */
const MOST_WASTE = 0.25;
/** Free of anything else: a heap begins here, so that no entry is at 0. */
const FIRST = 1;

const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Throws where it is none; -0 is 0. */
export function checkDocumentId(id: unknown, name: string): DocumentId {
  if (typeof id === "string" && id.length < MOST_BYTES) return id;
  if (Number.isSafeInteger(id)) return (id as number) + 0;
  const why = typeof id === "string" ? `has ${id.length} characters, more than ${MOST_BYTES - 1}` : `is ${show(id)}`;
  throw new VicinalError("BAD_ID", `${name} ${why}; an id is a string or a safe integer`);
}

/** Keys are written to one place, and are valid until the next is. */
let scratch = new Uint8Array(256);

/** The key of an id. */
export function keyOf(id: DocumentId): Uint8Array {
  if (typeof id === "number") {
    scratch[0] = INTEGER;
    new DataView(scratch.buffer).setFloat64(1, id, true);
    return scratch.subarray(0, 9);
  }
  const n = id.length;
  // What a long value of a field has taken is not kept.
  if (scratch.length < 3 * n + 1 || scratch.length > 4 * MOST_BYTES) scratch = new Uint8Array(Math.max(256, 4 * n + 1));
  let i = 0;
  for (let code = 0; i < n; i++) {
    code = id.charCodeAt(i);
    if (code > 127) break;
    scratch[i + 1] = code;
  }
  if (i === n) {
    scratch[0] = ASCII;
    return scratch.subarray(0, n + 1);
  }
  if (/[\ud800-\udfff]/u.test(id)) {
    scratch[0] = UTF16;
    for (let j = 0; j < n; j++) {
      scratch[1 + 2 * j] = id.charCodeAt(j);
      scratch[2 + 2 * j] = id.charCodeAt(j) >> 8;
    }
    return scratch.subarray(0, 2 * n + 1);
  }
  scratch[0] = UTF8;
  const { written } = encoder.encodeInto(id, scratch.subarray(1));
  return scratch.subarray(0, written + 1);
}

/** A short one, in half the time that a decoder takes. */
function asciiOf(key: Uint8Array): string {
  let text = "";
  let i = 1;
  for (; i + 4 <= key.length; i += 4) text += String.fromCharCode(key[i], key[i + 1], key[i + 2], key[i + 3]);
  for (; i < key.length; i++) text += String.fromCharCode(key[i]);
  return text;
}

/** The id of a key. Throws where no id has it. */
function idOfKey(key: Uint8Array): DocumentId {
  const bytes = key.subarray(1);
  if (key[0] === ASCII && key.length < 64) return asciiOf(key);
  if (key[0] === ASCII || key[0] === UTF8) return utf8.decode(bytes);
  if (key[0] === INTEGER && bytes.length === 8) {
    return new DataView(key.buffer, key.byteOffset + 1, 8).getFloat64(0, true);
  }
  if (key[0] === UTF16 && bytes.length % 2 === 0) {
    let text = "";
    for (let i = 0; i < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
    return text;
  }
  throw bad(`an id of kind ${key[0]} in ${key.length} bytes`);
}

function hashOf(key: Uint8Array): number {
  let hash = key.length;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca77 | 0);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Bytes of a key's length. */
function headBytes(length: number): number {
  let bytes = 1;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
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
    for (let place = hashOf(key) & mask; ; place = (place + 1) & mask) {
      const slot = this.#table[place] - 1;
      if (slot === NO_SLOT || this.#isAt(this.#at[slot], key)) return slot;
    }
  }

  has(slot: number): boolean {
    return slot < this.#slots && this.#at[slot] !== 0;
  }

  /** The id in a slot that is taken. */
  idAt(slot: number): DocumentId {
    return idOfKey(this.keyAt(slot));
  }

  /** Its key: a view, valid until the next change. */
  keyAt(slot: number): Uint8Array {
    let at = this.#at[slot];
    let n = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#heap[at++];
      n |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return this.#heap.subarray(at, at + n);
  }

  /** Takes a slot for a key that has none. */
  add(key: Uint8Array): number {
    if (4 * (this.size + 1) > 3 * this.#table.length) this.#rehash(2 * this.#table.length);
    const slot = this.#free.pop() ?? this.#slots;
    if (slot === this.#slots) this.#at = grown(this.#at, ++this.#slots);
    this.#at[slot] = this.#write(key);
    this.#enter(slot, key);
    return slot;
  }

  remove(slot: number): void {
    const key = this.keyAt(slot);
    this.#waste += key.length + headBytes(key.length);
    this.#leave(slot, key);
    this.#at[slot] = 0;
    this.#free.push(slot);
    if (this.#waste > 4096 && this.#waste > MOST_WASTE * this.#end) this.#sweep();
  }

  /** Each slot's entry, in order; of a free one a single 0. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#end - FIRST - this.#waste + this.#free.length);
    let end = 0;
    for (let slot = 0; slot < this.#slots; slot++) {
      const at = this.#at[slot];
      if (at === 0) {
        bytes[end++] = 0;
        continue;
      }
      const to = this.keyAt(slot);
      const from = to.byteOffset - this.#heap.byteOffset;
      bytes.set(this.#heap.subarray(at, from + to.length), end);
      end += from - at + to.length;
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
      const key = table.keyAt(slot);
      at = key.byteOffset + key.length;
    }
    if (at !== table.#end) throw bad(`${bytes.length} bytes of ids that end at ${at - FIRST}`);
    let places = 64;
    while (4 * slots > 3 * places) places *= 2;
    table.#table = new Uint32Array(places);
    for (let slot = 0; slot < slots; slot++) {
      if (table.#at[slot] === 0) continue;
      const key = table.keyAt(slot);
      if (table.find(key) !== NO_SLOT) throw bad(`the id ${show(idOfKey(key))} twice`);
      table.#enter(slot, key);
    }
    return table;
  }

  #isAt(at: number, key: Uint8Array): boolean {
    const heap = this.#heap;
    let n = 0;
    let from = at;
    for (let shift = 0; ; shift += 7) {
      const byte = heap[from++];
      n |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (n !== key.length) return false;
    // From the end: ids often begin alike.
    for (let i = n - 1; i >= 0; i--) if (heap[from + i] !== key[i]) return false;
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

  #enter(slot: number, key: Uint8Array): void {
    const mask = this.#table.length - 1;
    let place = hashOf(key) & mask;
    while (this.#table[place] !== 0) place = (place + 1) & mask;
    this.#table[place] = slot + 1;
  }

  /** Takes a slot out of the table; those behind it that it had kept from their place move up. */
  #leave(slot: number, key: Uint8Array): void {
    const table = this.#table;
    const mask = table.length - 1;
    let hole = hashOf(key) & mask;
    while (table[hole] !== slot + 1) hole = (hole + 1) & mask;
    for (let place = (hole + 1) & mask; table[place] !== 0; place = (place + 1) & mask) {
      const home = hashOf(this.keyAt(table[place] - 1)) & mask;
      // Whether home is cyclically in (hole, place].
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      table[hole] = table[place];
      hole = place;
    }
    table[hole] = 0;
  }

  #rehash(places: number): void {
    this.#table = new Uint32Array(places);
    for (let slot = 0; slot < this.#slots; slot++) if (this.#at[slot] !== 0) this.#enter(slot, this.keyAt(slot));
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
      const key = this.keyAt(slot);
      at = key.byteOffset + key.length;
    }
    this.#waste = this.#free.length;
  }
}
