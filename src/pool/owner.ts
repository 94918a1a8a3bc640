// The worker that has an index: alone, or for others that search it where it lies.
import { seatOf } from "../base/seat-of.js";
import type { VectorIndex } from "../base/vector-index.js";
import type { Engine } from "../border/engine.js";
import type { SharedExports } from "../border/exports.js";
import { init } from "../border/runtime.js";
import { rowElements } from "../input/vectors.js";
import { createIndex } from "../make/create-index.js";
import { factory } from "../make/factory.js";
import { load } from "../make/load.js";
import type { FilterSource, PreparedFilter } from "../search/filter.js";
import { failureOf, type Told } from "../storage/told.js";
import { VicinalError } from "../words/errors.js";
import { instanceOf, ready, share, watchOthers } from "./guarded.js";
import type { WriteLock } from "./lock.js";
import { renamed } from "./renamed.js";
import { found } from "./searching.js";
import type { Answer, Facts, News, Origin, Piece, Region, Search, Shared, Verb } from "./words.js";

/** Brings the next piece of what is added; undefined after the last. */
export type NextPiece = (number: number) => Promise<Piece | undefined>;

/** The engine that others search, a number of its own, and what each of them searches with. */
interface Shown {
  readonly engine: Engine;
  readonly mark: number;
  readonly regions: (Region | undefined)[];
}

export class Owner {
  readonly index: VectorIndex;
  readonly #tell: (news: News) => void;
  readonly #lock: WriteLock | undefined;
  readonly #readers: number;
  readonly #filters = new Map<number, { readonly filter: PreparedFilter; uses: number }>();
  /** Where others search, which may be left behind by the index for a moment. */
  #shown: Shown | undefined;
  /** Whether that, or its filters, has changed since others were told. */
  #untold = false;

  private constructor(index: VectorIndex, lock: WriteLock | undefined, readers: number, tell: (news: News) => void) {
    this.index = index;
    this.#lock = lock;
    this.#readers = readers;
    this.#tell = tell;
  }

  static async open(origin: Origin, lock: WriteLock | undefined, readers: number, tell: (news: News) => void): Promise<Owner> {
    if (lock) await init({ variant: "threads" });
    const owner = new Owner(await indexOf(origin), lock, readers, tell);
    watchOthers(() => owner.follow());
    owner.follow();
    owner.tell();
    return owner;
  }

  /** After a change: filters that searches go by have codes of whatever passes now, and the pool knows how the index is. */
  settle(): void {
    const { engine } = seatOf(this.index);
    if (this.#shown && !engine.busy) for (const { filter } of this.#filters.values()) ready(engine.exports, filter.at(engine));
    this.tell();
  }

  tell(): void {
    const shared = this.#untold && this.#shown ? { shared: this.#shared(this.#shown) } : {};
    this.#untold = false;
    this.#tell({ facts: this.facts(), ...shared });
  }

  /** Where the index has moved to another memory, others search that from now on. */
  follow(): void {
    const { engine } = seatOf(this.index);
    if (!this.#lock || engine === this.#shown?.engine) return;
    share(instanceOf(engine.exports).memory, this.#lock);
    // An index that others read is never parked (tenants.ts).
    engine.endThreads ??= () => {};
    engine.timer?.(engine);
    const { regionBytes } = engine.exports as SharedExports;
    const regions = Array.from({ length: this.#readers }, () => regionOf(engine, regionBytes()));
    this.#shown = { engine, mark: Math.random(), regions };
    this.#untold = true;
    this.tell();
  }

  #shared({ engine, mark, regions }: Shown): Shared {
    const { module, memory } = instanceOf(engine.exports);
    const filters = Array.from(this.#filters, ([id, { filter }]) => [id, filter.at(engine)] as const);
    return { module, memory, mark, regions, filters };
  }

  /** A larger region for a reader: what it had is not used any more. Throws OUT_OF_MEMORY, and it keeps that. */
  widen(reader: number, bytes: number): void {
    this.follow();
    if (!this.#shown) return;
    const { engine, regions } = this.#shown;
    const region = regionOf(engine, Math.max(bytes, (engine.exports as SharedExports).regionBytes()));
    if (!region) throw engine.outOfMemory();
    regions[reader] = region;
    this.#untold = true;
    this.tell();
  }

  facts(): Facts {
    const { dimensions, size } = this.index;
    const { engine, profile } = seatOf(this.index);
    return { dimensions, packed: profile.shape.packed === true, size, nextId: engine.state("nextId") };
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
    this.follow();
    const filter = this.index.prepareFilter(source);
    this.#filters.set(id, { filter, uses: 0 });
    this.#untold = true;
    return filter.size;
  }

  forget(id: number): void {
    this.#filters.get(id)?.filter.close();
    this.#filters.delete(id);
    this.#untold = true;
  }

  async do(verb: Verb, args: readonly unknown[], signal: AbortSignal, told: Told | undefined): Promise<unknown> {
    const given = verb === "train" ? [args[0], { signal, ...(told && { onProgress: told }) }] : args;
    return (this.index[verb] as (...args: unknown[]) => unknown).apply(this.index, given as unknown[]);
  }

  async addAll(next: NextPiece, hasIds: boolean, signal: AbortSignal, told: Told | undefined): Promise<void> {
    const ids: Uint32Array[] = [];
    /** The number of each piece's first vector. */
    const firsts: number[] = [];
    const { dimensions, packed } = this.facts();
    const width = rowElements({ dimensions, packed });
    async function* rows(): AsyncGenerator<ArrayLike<number>> {
      for (let first = 0; ; ) {
        const piece = await next(firsts.length);
        if (!piece) return;
        if (piece.ids) ids.push(piece.ids);
        firsts.push(first);
        first += piece.rows.length / width;
        yield piece.rows;
      }
    }
    function* idsInTurn(): Generator<number> {
      for (let some = ids.shift(); some; some = ids.shift()) yield* some;
    }
    try {
      await this.index.addAll(rows() as AsyncIterable<ArrayLike<number>>, {
        signal,
        ...(hasIds && { ids: idsInTurn() }),
        ...(told && { onProgress: ({ done }) => told({ done }) }),
      });
    } catch (error) {
      throw renamed(error, /^source\[(\d+)\](?:\[(\d+)\])?/, (_, piece, i) => `source[${firsts[+piece] + Number(i ?? 0)}]`);
    }
  }
}

function regionOf(engine: Engine, bytes: number): Region | undefined {
  const at = (engine.exports as SharedExports).keepRegion(bytes) >>> 0;
  return at ? { at, bytes } : undefined;
}

async function indexOf(origin: Origin): Promise<VectorIndex> {
  if ("bytes" in origin) return load(origin.bytes, origin.maxBytes === undefined ? {} : { maxBytes: origin.maxBytes });
  const { factory: description, ...options } = origin.options as { factory?: string };
  if (description === undefined) return createIndex(options as Parameters<typeof createIndex>[0]);
  return factory(description, options as Parameters<typeof factory>[1]);
}
