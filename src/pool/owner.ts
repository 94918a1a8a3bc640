// The worker that has an index: alone, or for others that search it where it lies.
import { seatOf } from "../base/seat-of.js";
import type { VectorIndex } from "../base/vector-index.js";
import type { Engine } from "../border/engine.js";
import type { SharedExports } from "../border/exports.js";
import { init } from "../border/runtime.js";
import { createIndex } from "../make/create-index.js";
import { factory } from "../make/factory.js";
import { load } from "../make/load.js";
import type { FilterSource, PreparedFilter } from "../search/filter.js";
import { failureOf, type Told } from "../storage/told.js";
import { VicinalError } from "../words/errors.js";
import { instanceOf, ready, share } from "./guarded.js";
import type { WriteLock } from "./lock.js";
import { found } from "./searching.js";
import type { Answer, Facts, News, Origin, Piece, Region, Search, Shared, Verb } from "./words.js";

/** Brings the next piece of what is added; undefined after the last. */
export type NextPiece = (number: number) => Promise<Piece | undefined>;

export class Owner {
  readonly index: VectorIndex;
  readonly #tell: (news: News) => void;
  readonly #lock: WriteLock | undefined;
  readonly #readers: number;
  readonly #filters = new Map<number, { readonly filter: PreparedFilter; uses: number }>();
  /** The engine that others search, and by which regions. */
  #shown: Engine | undefined;
  #regions: Region[] = [];
  #mark = 0;

  private constructor(index: VectorIndex, lock: WriteLock | undefined, readers: number, tell: (news: News) => void) {
    this.index = index;
    this.#lock = lock;
    this.#readers = readers;
    this.#tell = tell;
  }

  static async open(origin: Origin, lock: WriteLock | undefined, readers: number, tell: (news: News) => void): Promise<Owner> {
    if (lock) await init({ variant: "threads" });
    const owner = new Owner(await indexOf(origin), lock, readers, tell);
    owner.settle();
    return owner;
  }

  /** Tells how the index is, and where, if it has moved to another memory. */
  settle(): void {
    const facts = this.facts();
    const { engine } = seatOf(this.index);
    if (!this.#lock || engine === this.#shown) {
      this.#tell({ facts });
      return;
    }
    this.#shown = engine;
    this.#mark = Math.random();
    const { memory } = instanceOf(engine.exports);
    share(memory, this.#lock);
    // An index that others read is never parked (tenants.ts).
    engine.endThreads ??= () => {};
    engine.timer?.(engine);
    const { regionBytes } = engine.exports as SharedExports;
    this.#regions = Array.from({ length: this.#readers }, () => this.#keepRegion(regionBytes()));
    this.#tell({ facts, shared: this.shared() });
  }

  shared(): Shared {
    const engine = this.#shown as Engine;
    const { module, memory } = instanceOf(engine.exports);
    const filters = Array.from(this.#filters, ([id, { filter }]) => [id, filter.at(engine)] as const);
    return { module, memory, mark: this.#mark, regions: this.#regions, filters };
  }

  /** A larger region for a reader: what it had is not used any more. */
  widen(reader: number, bytes: number): void {
    const { regionBytes } = (this.#shown as Engine).exports as SharedExports;
    this.#regions[reader] = this.#keepRegion(Math.max(bytes, regionBytes()));
    this.#tell({ facts: this.facts(), shared: this.shared() });
  }

  #keepRegion(bytes: number): Region {
    const engine = this.#shown as Engine;
    const at = (engine.exports as SharedExports).keepRegion(bytes) >>> 0;
    if (!at) throw engine.outOfMemory();
    return { at, bytes };
  }

  facts(): Facts {
    const { kind, metric, dimensions, size } = this.index;
    const { engine, profile } = seatOf(this.index);
    return { kind, metric, dimensions, packed: profile.shape.packed === true, size, nextId: engine.state("nextId") };
  }

  find(searches: readonly Search[]): Answer[] {
    return searches.map((search) => {
      try {
        return { value: found(this.index, search, this.#filterOf(search.filter)) };
      } catch (error) {
        return { error: failureOf(error) };
      }
    });
  }

  #filterOf(filter: Search["filter"]): PreparedFilter | FilterSource | undefined {
    if (typeof filter !== "number") return filter;
    const known = this.#filters.get(filter);
    if (!known) throw new VicinalError("CLOSED", "the filter is closed");
    // The more it is used, the surer that it pays to have its codes ready.
    known.uses++;
    const { engine } = seatOf(this.index);
    if (Number.isInteger(Math.log2(known.uses)) && !engine.busy) ready(engine.exports, known.filter.at(engine));
    return known.filter;
  }

  prepare(id: number, source: FilterSource): number {
    const filter = this.index.prepareFilter(source);
    this.#filters.set(id, { filter, uses: 0 });
    if (this.#shown) this.#tell({ facts: this.facts(), shared: this.shared() });
    return filter.size;
  }

  forget(id: number): void {
    const known = this.#filters.get(id);
    this.#filters.delete(id);
    if (this.#shown) this.#tell({ facts: this.facts(), shared: this.shared() });
    known?.filter.close();
  }

  async do(verb: Verb, args: readonly unknown[], signal: AbortSignal, told: Told | undefined): Promise<unknown> {
    const given = verb === "train" ? [args[0], { signal, ...(told && { onProgress: told }) }] : args;
    return (this.index[verb] as (...args: unknown[]) => unknown).apply(this.index, given as unknown[]);
  }

  async addAll(next: NextPiece, hasIds: boolean, signal: AbortSignal, told: Told | undefined): Promise<void> {
    const ids: Uint32Array[] = [];
    async function* rows(): AsyncGenerator<ArrayLike<number>> {
      for (let number = 0; ; number++) {
        const piece = await next(number);
        if (!piece) return;
        if (piece.ids) ids.push(piece.ids);
        yield piece.rows;
      }
    }
    function* idsInTurn(): Generator<number> {
      for (let some = ids.shift(); some; some = ids.shift()) yield* some;
    }
    await this.index.addAll(rows() as AsyncIterable<ArrayLike<number>>, {
      signal,
      ...(hasIds && { ids: idsInTurn() }),
      ...(told && { onProgress: ({ done }) => told({ done }) }),
    });
  }
}

async function indexOf(origin: Origin): Promise<VectorIndex> {
  if ("bytes" in origin) return load(origin.bytes, origin.maxBytes === undefined ? {} : { maxBytes: origin.maxBytes });
  const { factory: description, ...options } = origin.options as { factory?: string };
  if (description === undefined) return createIndex(options as Parameters<typeof createIndex>[0]);
  return factory(description, options as Parameters<typeof factory>[1]);
}
