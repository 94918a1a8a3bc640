// One index's wasm instance and its linear memory: the only file that handles pointers and views.
import { VicinalError } from "./errors.js";
import type { Variant } from "./runtime.js";
import { offsetOf, readField, STATE_BYTES, type State } from "./state.js";

/** What assembly/index.ts exports. Addresses and counts are numbers; negative results are error codes. */
export interface Exports {
  readonly STATE: WebAssembly.Global;
  readonly WORK: WebAssembly.Global;
  variant(): number;
  open(): number;
  alloc(bytes: number): number;
  mark(): number;
  reset(to: number): void;
  queryAddress(): number;
  inputBytes(): number;
  reserve(n: number, otherIds: boolean, scratchBytes: number): number;
  firstBad(vectors: number, n: number): number;
  whyBad(vector: number): number;
  addVectors(vectors: number, ids: number, n: number): number;
  removeIds(ids: number, n: number): number;
  startSweep(): void;
  sweep(slots: number): number;
  compactSlots(): number;
  slotOfId(id: number): number;
  getVector(id: number, out: number): number;
  liveIds(out: number): void;
  clearWork(): void;
  prepareQuery(): number;
  exactSearch(k: number, candidates: number, filter: number, bound: number): number;
  exactSearchBatch(inputs: number, n: number, k: number, candidates: number, filter: number): number;
  hnswSearch(k: number, ef: number, candidates: number, filter: number, passing: number): number;
  scoreSlots(slots: number, n: number, out: number): void;
  openFilter(): number;
  passIds(filter: number, ids: number, n: number): number;
  passBits(filter: number, bits: number, bytes: number): number;
  storeCount(store: number): number;
  storeBlockSlots(store: number): number;
  storeColumns(store: number): number;
  columnTag(store: number, column: number): number;
  columnStride(store: number, column: number): number;
  columnAt(store: number, column: number, slot: number): number;
  restore(slots: number, records: number): number;
  isValid(): number;
  checksumStart(): void;
  checksumAdd(address: number, bytes: number): void;
  checksumEnd(): bigint;
  slotsOnLevel(level: number): number;
  countLinks(): number;
}

/** Error codes of assembly/codes.ts. */
export const E_MEMORY = -1;
export const E_NOT_FINITE = -2;

export class Engine {
  readonly exports: Exports;
  readonly variant: Variant;
  readonly maxBytes: number;
  readonly queryAddress: number;
  readonly #memory: WebAssembly.Memory;
  readonly #state: number;
  readonly #work: number;
  readonly #live: number;
  #scopes = 0;
  #u8: Uint8Array;
  #u32: Uint32Array;
  #f32: Float32Array;

  constructor(exports: Exports, memory: WebAssembly.Memory, variant: Variant, maxBytes: number, state: Uint8Array) {
    this.exports = exports;
    this.variant = variant;
    this.maxBytes = maxBytes;
    this.#memory = memory;
    this.#state = exports.STATE.value;
    this.#work = exports.WORK.value >>> 2;
    this.#live = (this.#state + offsetOf("live")) >>> 2;
    this.#u8 = new Uint8Array(memory.buffer);
    this.#u32 = new Uint32Array(memory.buffer);
    this.#f32 = new Float32Array(memory.buffer);
    this.u8().set(state, this.#state);
    this.done(exports.open());
    this.queryAddress = exports.queryAddress();
  }

  /** Bytes of linear memory. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  // Growing replaces the buffer and kills every view of it, so a view is asked for afresh after each call that may grow.
  u8(): Uint8Array {
    if (this.#u8.buffer !== this.#memory.buffer) this.#u8 = new Uint8Array(this.#memory.buffer);
    return this.#u8;
  }
  u32(): Uint32Array {
    if (this.#u32.buffer !== this.#memory.buffer) this.#u32 = new Uint32Array(this.#memory.buffer);
    return this.#u32;
  }
  f32(): Float32Array {
    if (this.#f32.buffer !== this.#memory.buffer) this.#f32 = new Float32Array(this.#memory.buffer);
    return this.#f32;
  }

  /** A persistent number of the index, as it is now. */
  state(name: keyof State): number {
    return readField(this.u32(), this.#state, name);
  }

  copyState(): Uint8Array {
    return this.u8().slice(this.#state, this.#state + STATE_BYTES);
  }

  writeState(state: Uint8Array): void {
    this.u8().set(state, this.#state);
  }

  /** Vectors that searches can find. */
  get live(): number {
    return this.u32()[this.#live];
  }

  /** Where assembly/work.ts is in u32(): distances, visited, reranked, found, ids, distances. */
  get work(): number {
    return this.#work;
  }

  /** Throws where wasm ran out of memory. Other codes are the caller's. */
  done(code: number): number {
    if (code === E_MEMORY) throw this.outOfMemory();
    return code;
  }

  outOfMemory(): VicinalError {
    return new VicinalError(
      "OUT_OF_MEMORY",
      `the index holds ${this.bytes} bytes and cannot grow as needed (limit ${this.maxBytes} bytes)`,
    );
  }

  /** Scratch taken inside is given back at the end, whatever happens. */
  scope<T>(work: () => T): T {
    const start = this.exports.mark();
    this.#scopes++;
    try {
      return work();
    } finally {
      this.#scopes--;
      this.exports.reset(start);
    }
  }

  /** Whether scratch is in use, so that permanent memory may not be taken: a caller's getter or proxy called back. */
  get busy(): boolean {
    return this.#scopes > 0;
  }

  /** Scratch of the running scope. */
  alloc(bytes: number): number {
    const address = bytes <= this.maxBytes ? this.exports.alloc(bytes) >>> 0 : 0;
    if (address === 0) throw this.outOfMemory();
    return address;
  }

  /** Copies `values` into scratch. */
  writeU32(values: ArrayLike<number>): number {
    const address = this.alloc(values.length * 4);
    this.u32().set(values, address >>> 2);
    return address;
  }
  writeU8(values: Uint8Array): number {
    const address = this.alloc(values.length);
    this.u8().set(values, address);
    return address;
  }
}
