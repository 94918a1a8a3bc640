// One index's wasm instance and its linear memory: the only file that handles pointers and views.

import type { Rows } from "../input/vectors.js";
import { badRow } from "../input/vectors.js";
import type { Bytes, Floats, Ids } from "../words/arrays.js";
import { E_MEMORY, IDS_CHUNK } from "../words/codes.js";
import { badOption, VicinalError } from "../words/errors.js";
import { PAGE_BYTES } from "../words/needs.js";
import { NONE, offsetOf, readField, STATE_BYTES, type State, writeField } from "../words/state.js";
import { type Explanation, type Hit, PLANS, type SearchStats } from "./answers.js";
import type { Exports } from "./exports.js";
import { another, type Instance } from "./instance.js";
import type { Tenant } from "./tenants.js";
import type { Variant } from "./variants.js";

/** What a section of the file is in memory: a column of a store (0 nodes, 1 upper), or a table of fixed size. */
export interface Part {
  readonly tag: string;
  /** Bytes per slot; of a table, all of it. */
  readonly stride: number;
  /** Not of a table. */
  readonly store?: 0 | 1;
  readonly index: number;
  /** Slots come in whole groups of 32. */
  readonly packed?: boolean;
}

/** Finds the lists of an ivf index from outside it. */
export interface Lists {
  readonly bytes: number;
  /** The index's own search for the query at hand, where so many vectors pass, in the lists found. */
  search(engine: Engine, nprobe: number, passing: number): void;
  /** Where in scratch the list of each of n vectors at `vectors` is. */
  assign(engine: Engine, vectors: number, n: number): number;
}

/** Slots of a packed group. */
const GROUP = 32;
/** Bytes hashed at a time where they are not in linear memory already; a multiple of 32. */
const HASH_CHUNK = 1 << 16;
/** What an instance keeps below its static data, or below its scratch where the memory is another's (assembly/memory/arena.ts), and an index's first is to find cleared. */
const RECORDS_BYTES = 4096;
const STORES = [0, 1] as const;

/** The fields of assembly/search/work.ts, a word each. */
enum Work {
  distances,
  visited,
  reranked,
  plan,
  met,
  metPassing,
  walkCost,
  scanCost,
  passing,
  found,
  ids,
  values,
}

/** Bytes of a part in an index of so many slots and records. */
export function partBytes({ store, stride, packed }: Part, slots: number, records: number): number {
  if (store === undefined) return stride;
  const count = store ? records : slots;
  return stride * (packed ? Math.ceil(count / GROUP) * GROUP : count);
}

let uses = 0;

export class Engine implements Tenant {
  readonly module: object;
  readonly variant: Variant;
  readonly maxBytes: number;
  /** Bytes of a vector as wasm takes it. */
  readonly rowBytes: number;
  /** ivf: what finds the lists where a graph over the centroids does. */
  lists: Lists | undefined;
  /** Threads that build, this one included. */
  readonly threads: number;
  /** Ends the others, where there are any. */
  endThreads: (() => void) | undefined;
  used = 0;
  /** Times the steps of its searches, once: a graph's where the build can (clock.ts). Others go by what is assumed. */
  timer: ((engine: Engine) => void) | undefined;
  timed = false;
  readonly #packed: boolean;
  readonly #query: number;
  /** Where it lives, unless it is parked. */
  #instance: Instance | undefined;
  readonly #state: number;
  readonly #work: number;
  readonly #live: number;
  #scopes = 0;
  /** Of linear memory; while parked, all there is. */
  #u8: Uint8Array = new Uint8Array();
  #u32 = new Uint32Array();
  #f32 = new Float32Array();

  /** Lays out an empty index as `state` describes. */
  constructor(instance: Instance, state: Uint8Array) {
    const { exports, module, variant, maxBytes, threads = 1, endThreads } = instance;
    this.module = module;
    this.variant = variant;
    this.maxBytes = maxBytes;
    this.threads = threads;
    this.endThreads = endThreads;
    this.#instance = instance;
    this.#state = exports.STATE.value;
    this.#work = exports.WORK.value >>> 2;
    this.#live = (this.#state + offsetOf("live")) >>> 2;
    const records = (this.#state & -RECORDS_BYTES) >>> 0;
    this.u8().fill(0, records, records + RECORDS_BYTES);
    this.writeState(state);
    this.done(exports.open(Math.floor(maxBytes / PAGE_BYTES)));
    if (threads > 1) exports.setWorkers?.(threads - 1);
    this.#query = exports.queryAddress() >>> 0;
    this.rowBytes = exports.inputBytes();
    this.#packed = this.rowBytes !== 4 * this.state("dimensions");
  }

  /** Functions are good until another index is used: the memory they work on may then be parked. */
  get exports(): Exports {
    this.used = ++uses;
    return this.#here.exports;
  }

  get #here(): Instance {
    if (!this.#instance) {
      const parked = this.#u8;
      if (parked.length === 0) throw new VicinalError("CLOSED", "the index has been closed");
      this.#instance = another(this, this.maxBytes, parked.length);
      this.u8().set(parked);
    }
    return this.#instance;
  }

  /** Bytes of linear memory. */
  get bytes(): number {
    return (this.#instance?.memory.buffer ?? this.#u8).byteLength + (this.lists?.bytes ?? 0);
  }

  get idle(): boolean {
    return this.#instance !== undefined && !this.busy && !this.endThreads;
  }

  park(): void {
    this.#instance?.exports.stopLinking?.();
    this.#leave(this.u8().slice());
  }

  /** Gives all memory back, whoever still holds the engine. */
  close(): void {
    this.endThreads?.();
    this.#leave(new Uint8Array());
  }

  #leave(bytes: Uint8Array): void {
    this.#instance = undefined;
    this.#u8 = bytes;
    this.#u32 = new Uint32Array();
    this.#f32 = new Float32Array();
  }

  // Growing replaces the buffer and kills every view of it, so a view is asked for afresh after each call that may grow.
  u8(): Uint8Array {
    if (this.#u8.buffer !== this.#here.memory.buffer) this.#view();
    return this.#u8;
  }
  u32(): Uint32Array {
    if (this.#u32.buffer !== this.#here.memory.buffer) this.#view();
    return this.#u32;
  }
  f32(): Float32Array {
    if (this.#f32.buffer !== this.#here.memory.buffer) this.#view();
    return this.#f32;
  }
  #view(): void {
    const { buffer } = this.#here.memory;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#f32 = new Float32Array(buffer);
  }

  // ---- state --------------------------------------------------------------------------------------------------------

  /** A persistent number of the index, as it is now. */
  state(name: keyof State): number {
    return readField(this.u32(), this.#state, name);
  }

  setState(name: keyof State, value: number): void {
    writeField(new DataView(this.#here.memory.buffer, this.#state, STATE_BYTES), name, value);
  }

  copyState(): Bytes {
    return this.u8().slice(this.#state, this.#state + STATE_BYTES);
  }

  writeState(state: Uint8Array): void {
    this.u8().set(state, this.#state);
  }

  /** Vectors that searches can find. */
  get live(): number {
    return this.u32()[this.#live];
  }

  // ---- scratch ------------------------------------------------------------------------------------------------------

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

  /** Whether scratch is in use, so that permanent memory may not be taken: a caller's getter, proxy or filter called back. */
  get busy(): boolean {
    return this.#scopes > 0;
  }

  checkIdle(): void {
    if (this.busy) throw badOption("the index cannot grow while it reads what its caller gave");
  }

  /** What memory may still grow by, beside the room that the index keeps for one search (assembly/index/room.ts). */
  get spare(): number {
    const { mark, roomToUse } = this.exports;
    return Math.max(Math.floor(this.maxBytes / PAGE_BYTES) * PAGE_BYTES - (mark() >>> 0) - (roomToUse() >>> 0), 0);
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
    this.setU32(address, values);
    return address;
  }
  writeU8(values: Uint8Array): number {
    const address = this.alloc(values.length);
    this.u8().set(values, address);
    return address;
  }
  setU32(address: number, values: ArrayLike<number>): void {
    this.u32().set(values, address >>> 2);
  }

  copyU32(address: number, count: number): Ids {
    return this.u32().slice(address >>> 2, (address >>> 2) + count);
  }
  copyF32(address: number, count: number): Floats {
    return this.f32().slice(address >>> 2, (address >>> 2) + count);
  }

  // ---- vectors ------------------------------------------------------------------------------------------------------

  /** Writes rows from..to to scratch at `at`. */
  writeRows(rows: Rows, at: number, from: number, to: number): void {
    const unit = this.#packed ? 1 : 4;
    for (let i = from; i < to; i++) {
      rows.write(i, this.#packed ? this.u8() : this.f32(), (at + (i - from) * this.rowBytes) / unit);
    }
  }

  /** Where the vector after `i` others at `at` is. */
  rowAt(at: number, i: number): number {
    return at + i * this.rowBytes;
  }

  /** Hands a query over and prepares it; negative: why it cannot be used. */
  setQuery(query: Rows): number {
    this.writeRows(query, this.#query, 0, 1);
    return this.exports.prepareQuery();
  }
  /** The same for plain floats of the right length. */
  setFloats(query: Float32Array): number {
    this.f32().set(query, this.#query >>> 2);
    return this.exports.prepareQuery();
  }
  /** The same for the vector after `i` others at `at`. */
  setQueryFrom(at: number, i: number): number {
    const from = this.rowAt(at, i);
    this.u8().copyWithin(this.#query, from, from + this.rowBytes);
    return this.exports.prepareQuery();
  }
  /** The query as it was handed over. */
  copyQuery(): Floats {
    return this.copyF32(this.#query, this.state("dimensions"));
  }

  /** The vector of an id, or undefined. */
  vector(id: number): Floats | undefined {
    return this.scope(() => {
      const dimensions = this.state("dimensions");
      const out = this.alloc(dimensions * 4);
      return this.exports.getVector(id, out) ? this.copyF32(out, dimensions) : undefined;
    });
  }

  /** The ids of all live slots, or of those that pass a filter, in slot order. */
  ids(filter = 0): Ids {
    const ids = new Uint32Array(filter ? this.passing(filter) : this.live);
    this.scope(() => {
      const out = this.alloc(Math.min(this.exports.storeCount(0), IDS_CHUNK) * 4);
      for (let slot = 0, n = 0; n < ids.length; slot += IDS_CHUNK) {
        const found = this.exports.liveIds(slot, IDS_CHUNK, filter, out);
        ids.set(this.copyU32(out, found), n);
        n += found;
      }
    });
    return ids;
  }

  /** Live slots that pass a filter. */
  passing(filter: number): number {
    return this.exports.passIds(filter, 0, 0);
  }

  has(id: number): boolean {
    return this.exports.slotOfId(id) !== -1;
  }

  // ---- results ------------------------------------------------------------------------------------------------------

  /** Work of the last search. */
  counters(): SearchStats {
    const u32 = this.u32();
    const at = this.#work;
    return {
      distances: u32[at + Work.distances],
      visited: u32[at + Work.visited],
      reranked: u32[at + Work.reranked],
      plan: PLANS[u32[at + Work.plan]],
    };
  }

  /** Why the last search went as it did. */
  reasons(): Omit<Explanation, keyof SearchStats | "microseconds"> {
    const [u32, f32, at] = [this.u32(), this.f32(), this.#work];
    const passing = u32[at + Work.passing];
    const met = u32[at + Work.met];
    return {
      passing,
      share: this.live ? passing / this.live : 1,
      localShare: met ? u32[at + Work.metPassing] / met : undefined,
      cost: { walk: f32[at + Work.walkCost] || undefined, scan: f32[at + Work.scanCost] || undefined },
    };
  }

  get found(): number {
    return this.u32()[this.#work + Work.found];
  }

  /** Hits of the last search. */
  hits(distance: (raw: number) => number): Hit[] {
    const { found } = this;
    const u32 = this.u32();
    const f32 = this.f32();
    const ids = u32[this.#work + Work.ids] >>> 2;
    const values = u32[this.#work + Work.values] >>> 2;
    const hits: Hit[] = [];
    for (let i = 0; i < found; i++) hits.push({ id: u32[ids + i], distance: distance(f32[values + i]) });
    return hits;
  }

  /** Copies `count` hits of the last search, those from number `from` on, to place `at`; ends where the hits do. */
  copyHits(
    from: number,
    count: number,
    ids: Uint32Array,
    distances: Float32Array,
    at: number,
    distance: (raw: number) => number,
  ) {
    const u32 = this.u32();
    const f32 = this.f32();
    const first = (u32[this.#work + Work.ids] >>> 2) + from;
    const values = (u32[this.#work + Work.values] >>> 2) + from;
    for (let i = 0; i < count && u32[first + i] !== NONE; i++) {
      ids[at + i] = u32[first + i];
      distances[at + i] = distance(f32[values + i]);
    }
  }

  // ---- content, for files and copies --------------------------------------------------------------------------------

  /** What a file has of this index, in its order; columns and tables without a tag are rebuilt. */
  parts(): Part[] {
    const { exports } = this;
    exports.stopLinking?.();
    const columns = STORES.flatMap((store) =>
      Array.from({ length: exports.storeColumns(store) }, (_, index) => ({
        tag: lettersOf(exports.columnTag(store, index)),
        stride: exports.columnStride(store, index),
        store,
        index,
        packed: exports.columnPacking(store, index) !== 0,
      })),
    );
    const tables = this.tables().filter(({ bytes }) => bytes > 0);
    return [...columns, ...tables.map(({ tag, bytes, index }) => ({ tag, stride: bytes, index }))].filter(
      ({ tag }) => tag !== "",
    );
  }

  /** Tables of fixed size; without a tag where they follow from others, or from the state. */
  tables(): { tag: string; address: number; bytes: number; index: number }[] {
    const { exports } = this;
    return Array.from({ length: exports.blobCount() }, (_, index) => ({
      tag: lettersOf(exports.blobTag(index)),
      address: exports.blobAt(index) >>> 0,
      bytes: exports.blobBytes(index) >>> 0,
      index,
    }));
  }

  /** Of each block, or slot, its share of a part: where it lies in memory and in the part, in bytes. */
  *pieces(part: Part): Generator<{ address: number; from: number; bytes: number }> {
    if (part.store === undefined) {
      yield { address: this.exports.blobAt(part.index) >>> 0, from: 0, bytes: part.stride };
      return;
    }
    const slots = this.exports.storeCount(part.store);
    const run = this.exports.columnRun(part.store, part.index);
    for (let slot = 0; slot < slots; slot += run) {
      const address = this.exports.columnAt(part.store, part.index, slot) >>> 0;
      const count = Math.min(run, slots - slot);
      yield { address, from: slot * part.stride, bytes: partBytes({ ...part, store: 0 }, count, 0) };
    }
  }

  /** Copies a part out to `file` at `at`; returns its checksum. */
  readPart(part: Part, file: Uint8Array, at: number): bigint {
    this.exports.checksumStart();
    for (const { address, from, bytes } of this.pieces(part)) {
      file.set(this.u8().subarray(address, address + bytes), at + from);
      this.exports.checksumAdd(address, bytes);
    }
    return BigInt.asUintN(64, this.exports.checksumEnd());
  }

  /** XXH64 of bytes that are not in linear memory. */
  hash(bytes: Uint8Array): bigint {
    return this.scope(() => {
      const at = this.alloc(Math.min(bytes.length, HASH_CHUNK));
      this.exports.checksumStart();
      for (let from = 0; from < bytes.length; from += HASH_CHUNK) {
        const chunk = bytes.subarray(from, from + HASH_CHUNK);
        this.u8().set(chunk, at);
        this.exports.checksumAdd(at, chunk.length);
      }
      return BigInt.asUintN(64, this.exports.checksumEnd());
    });
  }
}

/** Four letters, the first in the low byte; "" for 0. */
function lettersOf(tag: number): string {
  return tag === 0 ? "" : String.fromCharCode(...[0, 8, 16, 24].map((shift) => (tag >>> shift) & 255));
}

/** Writes rows from..to to scratch at `at` and makes sure that all of them can be used. */
export function writeChecked(engine: Engine, rows: Rows, at: number, from: number, to: number): void {
  engine.writeRows(rows, at, from, to);
  const bad = engine.exports.firstBad(at, to - from);
  if (bad >= 0) throw badRow(rows, from + bad, engine.exports.whyBad(engine.rowAt(at, bad)));
}
