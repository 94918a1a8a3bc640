// A worker that searches an index where another thread has it: an instance of the same module on the same memory, with records and scratch
// of its own there (assembly/index/share.ts).
import { findLists } from "../base/coarse-graph.js";
import { Opened } from "../base/seat.js";
import { seatOf } from "../base/seat-of.js";
import type { VectorIndex } from "../base/vector-index.js";
import { Engine } from "../border/engine.js";
import type { SharedExports } from "../border/exports.js";
import { wrap } from "../family/classes.js";
import { type Filter, PreparedFilter } from "../search/filter.js";
import { failureOf } from "../storage/told.js";
import { E_MEMORY } from "../words/codes.js";
import { VicinalError } from "../words/errors.js";
import { STATE_BYTES } from "../words/state.js";
import type { ReadLock } from "./lock.js";
import { found } from "./searching.js";
import type { Answer, Region, Search, Shared } from "./words.js";

export class Reader {
  readonly #lock: ReadLock;
  readonly #region: Region;
  readonly #exports: SharedExports;
  readonly #mark: number;
  #filters: ReadonlyMap<number, number>;
  readonly #index: VectorIndex;
  /** Changes there were when the records were copied. */
  #seen: number;

  private constructor({ module, memory, mark, filters }: Shared, region: Region, lock: ReadLock) {
    this.#lock = lock;
    this.#region = region;
    this.#mark = mark;
    this.#filters = new Map(filters);
    const { exports } = new WebAssembly.Instance(module as WebAssembly.Module, { env: { memory: memory as WebAssembly.Memory } });
    this.#exports = exports as unknown as SharedExports;
    this.#seen = lock.enter();
    try {
      this.#index = wrap(new Opened(this.#engineOn(module, memory as WebAssembly.Memory), undefined, undefined));
    } finally {
      lock.leave();
    }
  }

  /** `before`: what it was until now, and goes on being where only filters have come or gone. */
  static async join(shared: Shared, reader: number, lock: ReadLock, before: Reader | undefined): Promise<Reader> {
    const region = shared.regions[reader] as Region;
    if (before && before.#mark === shared.mark && before.#region.at === region.at) {
      before.#filters = new Map(shared.filters);
      return before;
    }
    const joined = new Reader(shared, region, lock);
    await joined.#findLists();
    return joined;
  }

  /** An engine whose records are in the region, and which attaches itself where others open. */
  #engineOn(module: object, memory: WebAssembly.Memory): Engine {
    const { at, bytes } = this.#region;
    const { STATE, WORK } = this.#exports;
    const moved = ({ value }: { readonly value: number }) => ({ value: value + at });
    const state = new Uint8Array(memory.buffer).slice(STATE.value, STATE.value + STATE_BYTES);
    // What would change the index is not there.
    const { readyFilter: _, stopLinking: __, practise: ___, ...reading } = this.#exports;
    const exports = { ...reading, STATE: moved(STATE), WORK: moved(WORK), open: () => (this.#attach() ? 0 : E_MEMORY) };
    const instance = { module, memory, exports, variant: "threads", maxBytes: at + bytes } as const;
    const engine = new Engine(instance as unknown as ConstructorParameters<typeof Engine>[0], state);
    // It is never parked (tenants.ts).
    engine.endThreads = () => {};
    return engine;
  }

  #attach(): boolean {
    return this.#exports.attach(this.#region.at, this.#region.bytes) !== 0;
  }

  async #findLists(): Promise<void> {
    const { engine } = seatOf(this.#index);
    if (engine.state("coarseGraph") === 1 && engine.state("trained")) engine.lists = await findLists(engine);
  }

  find(searches: readonly Search[]): Answer[] {
    return searches.map((search) => {
      try {
        return { value: this.#reading(() => found(this.#index, search, this.#filterOf(search.filter))) };
      } catch (error) {
        return { error: failureOf(error) };
      }
    });
  }

  /** The whole index as a file, for one that is to follow an owner that has died. */
  toBytes(): Uint8Array {
    return this.#reading(() => this.#index.toBytes());
  }

  #reading<T>(work: () => T): T {
    const changes = this.#lock.enter();
    try {
      if (changes !== this.#seen && !this.#attach()) throw seatOf(this.#index).engine.outOfMemory();
      this.#seen = changes;
      return work();
    } finally {
      this.#lock.leave();
    }
  }

  /** One that another thread has made ready: what a search asks of it is where it is. */
  #filterOf(filter: Search["filter"]): Filter | undefined {
    if (typeof filter !== "number") return filter;
    const address = this.#filters.get(filter);
    if (!address) throw new VicinalError("CLOSED", "the filter is closed");
    return Object.create(PreparedFilter.prototype, { at: { value: () => address } }) as PreparedFilter;
  }
}
