// Lists whose codes have arrived, in an ivf index of the engine that has a slot for every document: a list's are whole groups of 32, in the
// order of the lists, and free until its codes are there. What arrives is checked as what a file holds is.
import type { Engine } from "../border/engine.js";
import { writeChecked } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";
import { newEngine } from "../border/runtime.js";
import { enlist } from "../border/tenants.js";
import { Flat } from "../family/flat.js";
import { rowsOf, type Vector } from "../input/vectors.js";
import { place } from "../search/filter.js";
import { type Profile, profileOf, writeQuery } from "../search/plan.js";
import { VicinalError } from "../words/errors.js";
import { KIND_NAMES, METRIC_NAMES, type Metric } from "../words/kinds.js";
import { FRESH, stateBytes } from "../words/state.js";
import { AUX_BYTES, badHead, type Head, listAt, viewOf } from "./format.js";

const GROUP = 32;
const LIVE = 1;
/** TAG_CELLS of assembly/kernel/centres.ts. */
export const CENTROIDS = "cent";
const COLUMNS = ["ids ", "life", "code", "aux "];
/** Candidates re-scored at a time. */
const CHUNK = 1024;

/** Where a column of the engine's first store is. */
export function columnOf(engine: Engine, tag: string): number {
  const column = engine.parts().find((part) => part.store === 0 && part.tag === tag);
  if (!column) throw badHead(`its index has no ${tag}`);
  return column.index;
}

/** Where the owner of each group of the engine is. */
export function ownerOf(engine: Engine, group: number): number {
  return engine.exports.columnAt(1, 0, group) >>> 0;
}

/** Writes centroids, lists x dimensions, to the engine's table of them. */
export function writeCentroids(engine: Engine, centroids: Float32Array): void {
  const table = engine.tables().find(({ tag }) => tag === CENTROIDS);
  if (!table) throw badHead("its index has no centroids");
  const [lists, dimensions] = [engine.state("nlist"), engine.state("dimensions")];
  const stride = table.bytes / lists;
  for (let i = 0; i < lists; i++) {
    engine.f32().set(centroids.subarray(i * dimensions, (i + 1) * dimensions), (table.address + i * stride) >>> 2);
  }
}

/** A document that codes have nominated. */
export interface Scored {
  readonly place: number;
  /** As a caller sees it. */
  readonly distance: number;
}

export class Lists {
  readonly #engine: Engine;
  readonly #profile: Profile;
  /** Finds the nearest lists. */
  readonly #centres: Flat;
  readonly #unit: boolean;
  /** Of each list its first slot, and after the last how many slots there are. */
  readonly #slots: Uint32Array;
  readonly #first: Uint32Array;
  readonly #here: Uint8Array;

  private constructor(engine: Engine, centres: Flat, slots: Uint32Array, first: Uint32Array) {
    const metric = METRIC_NAMES[engine.state("metric")];
    this.#engine = engine;
    this.#centres = centres;
    this.#slots = slots;
    this.#first = first;
    this.#here = new Uint8Array(slots.length - 1);
    this.#profile = profileOf(KIND_NAMES[engine.state("kind")], metric, engine.state("dimensions"), 1, false);
    this.#unit = this.#profile.metric.unit === true;
    enlist(engine);
  }

  /** `first`: of each list its first document's place, and how many there are. */
  static async open({ state, lists, centroids }: Head, first: Uint32Array): Promise<Lists> {
    const slots = new Uint32Array(lists.length + 1);
    for (const [i, { documents }] of lists.entries()) slots[i + 1] = slots[i] + Math.ceil(documents / GROUP) * GROUP;
    const count = slots[lists.length];
    const engine = await newEngine(stateBytes({ ...state, ...FRESH, nextId: count }));
    writeCentroids(engine, centroids);
    engine.done(engine.exports.restore(count, count / GROUP));
    for (let list = 0; list < lists.length; list++) {
      for (let group = slots[list] / GROUP; group < slots[list + 1] / GROUP; group++) {
        engine.u32()[ownerOf(engine, group) >>> 2] = list;
      }
    }
    if (!engine.exports.isValid()) throw badHead("its content contradicts itself");
    const { dimensions } = state;
    // Centroids of unit vectors have any length, and unit queries are nearest to them by distance.
    const metric: Metric = METRIC_NAMES[state.metric] === "dot" ? "dot" : "l2";
    const centres = await Flat.create({ dimensions, metric });
    centres.add(centroids);
    return new Lists(engine, centres, slots, first);
  }

  get bytes(): number {
    return this.#engine.bytes + this.#centres.bytes;
  }

  has(list: number): boolean {
    return this.#here[list] === 1;
  }

  /** Throws where it is none for this index; what is returned is a copy. */
  query(query: Vector): Float32Array {
    writeQuery(this.#profile, this.#engine, query);
    return this.#engine.copyQuery();
  }

  /** All lists, the nearest first. */
  nearest(query: Float32Array): number[] {
    let asked = query;
    if (this.#unit) {
      const length = Math.hypot(...query);
      if (length > 0) asked = query.map((value) => value / length);
    }
    return this.#centres.search(asked, { k: this.#here.length }).map(({ id }) => id);
  }

  /** Takes in the codes of lists, as they are in the data: all, or none where they are not codes. Errors: BAD_FILE. */
  arrive(blocks: readonly { readonly list: number; readonly bytes: Uint8Array }[]): void {
    const fresh = blocks.filter(({ list }) => !this.has(list));
    if (fresh.length === 0) return;
    for (const { list, bytes } of fresh) this.#write(list, bytes);
    if (this.#engine.exports.isValid()) return;
    for (const { list } of fresh) this.#leave(list);
    throw new VicinalError("BAD_FILE", "the codes in the data are none: no publish has written them");
  }

  #write(list: number, block: Uint8Array): void {
    const engine = this.#engine;
    const { exports } = engine;
    const n = this.#first[list + 1] - this.#first[list];
    const [ids, stages, codes, aux] = COLUMNS.map((tag) => columnOf(engine, tag));
    const codeBytes = exports.columnStride(0, codes);
    const view = viewOf(block);
    const [u8, u32, f32] = [engine.u8(), engine.u32(), engine.f32()];
    for (let i = 0; i < n; i++) {
      const slot = this.#slots[list] + i;
      const lane = slot & (GROUP - 1);
      u32[exports.columnAt(0, ids, slot) >>> 2] = slot;
      u8[exports.columnAt(0, stages, slot) >>> 0] = LIVE;
      // Packed by groups, as assembly/memory/store.ts has it: float i of 32 slots, then nibble i of 32 slots, two in a byte.
      const floats = (exports.columnAt(0, aux, slot - lane) >>> 2) + lane;
      f32[floats] = view.getFloat32(4 * i, true);
      f32[floats + GROUP] = view.getFloat32(4 * (n + i), true);
      const shift = (lane >> 2) & 4;
      const others = 0xf0 >> shift;
      let to = (exports.columnAt(0, codes, slot - lane) >>> 0) + (lane & 15);
      for (let from = AUX_BYTES * n + i * codeBytes, end = from + codeBytes; from < end; from++, to += GROUP) {
        u8[to] = (u8[to] & others) | ((block[from] & 15) << shift);
        u8[to + 16] = (u8[to + 16] & others) | ((block[from] >> 4) << shift);
      }
    }
    engine.setState("live", engine.live + n);
    this.#here[list] = 1;
  }

  #leave(list: number): void {
    const engine = this.#engine;
    const stages = columnOf(engine, "life");
    const n = this.#first[list + 1] - this.#first[list];
    for (let i = 0; i < n; i++) engine.u8()[engine.exports.columnAt(0, stages, this.#slots[list] + i) >>> 0] = 0;
    engine.setState("live", engine.live - n);
    this.#here[list] = 0;
    engine.exports.isValid(); // what it counts and links follows
  }

  /**
   * Of the documents in these lists, which are here, the `most` nearest by their codes, nearest first; of those in `passing` alone,
   * where that is given, which are places.
   */
  nominate(query: Float32Array, lists: readonly number[], most: number, passing?: Uint32Array): number[] {
    const engine = this.#engine;
    // No more than there are: for what is lacking the engine would look into other lists.
    const there = passing?.length ?? lists.reduce((sum, list) => sum + this.#first[list + 1] - this.#first[list], 0);
    const wanted = Math.min(most, there);
    if (wanted === 0) return [];
    engine.setFloats(query);
    engine.scope(() => {
      const filter = place(
        engine,
        passing?.map((one) => this.#slotOf(one)),
      );
      const at = engine.writeU32(lists);
      engine.exports.ask(wanted, lists.length, wanted, filter, Infinity, false, true);
      engine.done((engine.exports as FullExports).ivfSearch(at, lists.length));
    });
    return engine.hits((raw) => raw).map(({ id }) => this.#placeOf(id));
  }

  /** The k nearest of documents that are here, by rows of theirs, nearest first, equal distances by place. */
  rescore(query: Float32Array, places: readonly number[], rows: Float32Array, k: number): Scored[] {
    const engine = this.#engine;
    const { shape, metric } = this.#profile;
    const scored: Scored[] = [];
    for (let from = 0; from < places.length; from += CHUNK) {
      const some = places.slice(from, from + CHUNK);
      const own = rowsOf(rows.subarray(from * shape.dimensions, (from + some.length) * shape.dimensions), shape, "rows");
      engine.setFloats(query);
      engine.scope(() => {
        const at = engine.alloc(some.length * engine.rowBytes);
        writeChecked(engine, own, at, 0, some.length);
        const slots = engine.writeU32(some.map((one) => this.#slotOf(one)));
        engine.done((engine.exports as FullExports).rescore(at, slots, some.length, Math.min(k, some.length), Infinity));
        scored.push(...engine.hits(metric.distance).map(({ id, distance }) => ({ place: this.#placeOf(id), distance })));
      });
    }
    return scored.sort((a, b) => a.distance - b.distance || a.place - b.place).slice(0, k);
  }

  #slotOf(place: number): number {
    const list = listAt(this.#first, place);
    return this.#slots[list] + place - this.#first[list];
  }

  #placeOf(slot: number): number {
    const list = listAt(this.#slots, slot);
    return this.#first[list] + slot - this.#slots[list];
  }

  close(): void {
    this.#engine.close();
    this.#centres.close();
  }
}
