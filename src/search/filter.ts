// Which ids may be answered. Any form becomes a bitset of slots: in scratch, or for as long as it is wanted.

import type { Engine } from "../border/engine.js";
import { checkAlive, copyOf, idsOf } from "../input/vectors.js";
import { IDS_CHUNK } from "../words/codes.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { tagOf } from "../words/tag.js";

/** An array or set of ids, a predicate over ids, or a Uint8Array bitset: id i passes if bit i & 7 of byte i >> 3 is 1. */
export type FilterSource = ReadonlySet<number> | readonly number[] | Uint32Array | Uint8Array | ((id: number) => boolean);

/**
 * What index.prepareFilter has made ready; or what that takes, which every search then reads anew: a predicate is asked once per id
 * in the index. Ids need not be in the index; what is no id is refused, as by add and remove.
 */
export type Filter = PreparedFilter | FilterSource;

/** Ids, or a bitset of them. */
type Listed = Uint32Array | Uint8Array;
/** A filter whose predicate has been asked. */
export type Settled = PreparedFilter | Listed | undefined;

/** The index that filters are prepared for. */
interface Home {
  /** Throws where the index is closed. */
  readonly engine: Engine;
  /** Those that are open, each with its address in the engine. */
  readonly filters: Map<PreparedFilter, number>;
}

/** What a search spends on codes of what passes at most. */
const CODING_US = 1000;

/** Runs predicates now, before any scratch is in use, for so many searches; what comes back is cheap to place. */
export function settle(filter: Filter | undefined, engine: Engine, searches = 1): Settled {
  const ready = (address: number): number => (!engine.busy && engine.exports.readyFilter?.(address, searches * CODING_US)) || 0;
  if (filter === undefined) {
    if (ready(0)) engine.timer?.(engine);
    return undefined;
  }
  engine.timer?.(engine);
  if (filter instanceof PreparedFilter) {
    ready(filter.at(engine));
    return filter;
  }
  return typeof filter === "function" ? engine.ids().filter(asked(filter)) : listed(filter);
}

function listed(filter: Exclude<FilterSource, (id: number) => boolean>): Listed {
  const tag = tagOf(filter);
  if (tag === "Uint32Array" || tag === "Uint8Array") {
    checkAlive(filter as Uint8Array, "filter", "BAD_OPTION");
    return filter as Listed;
  }
  if (tag === "Set" || Array.isArray(filter)) return idsOf(Array.from(filter as Iterable<number>), "filter");
  throw badOption(`filter is ${show(filter)}; it must be a Set or array of ids, a Uint8Array bitset or a function`);
}

/** A promise is no answer, and must not count as yes. */
function asked(predicate: (id: number) => boolean): (id: number) => boolean {
  return (id) => {
    const value: unknown = predicate(id);
    if (value !== null && typeof value === "object") {
      throw badOption(`filter answered ${show(value)}; it must answer true or false at once`);
    }
    return Boolean(value);
  };
}

function isBits(filter: Listed): filter is Uint8Array {
  return filter.BYTES_PER_ELEMENT === 1;
}

/** Whether an id is among those of a filter. */
function membership(filter: Listed): (id: number) => boolean {
  if (isBits(filter)) return (id) => ((filter[id >>> 3] >> (id & 7)) & 1) > 0;
  let set: Set<number> | undefined;
  return (id) => {
    set ??= new Set(filter);
    return set.has(id);
  };
}

/** @internal Inside a scope: where the filter is; 0: all pass. */
export function place(engine: Engine, settled: Settled): number {
  if (settled === undefined) return 0;
  if (settled instanceof PreparedFilter) return settled.at(engine);
  const address = opened(engine, engine.exports.openFilter());
  if (!isBits(settled)) passIds(engine, address, settled);
  else engine.scope(() => engine.exports.passBits(address, engine.writeU8(settled), settled.length));
  return address;
}

/** Throws where there was no memory. */
function opened(engine: Engine, address: number): number {
  if (address === 0) throw engine.outOfMemory();
  return address >>> 0;
}

/** Lets more ids pass. */
function passIds(engine: Engine, address: number, ids: Uint32Array): void {
  for (let from = 0; from < ids.length; from += IDS_CHUNK) {
    const some = ids.subarray(from, from + IDS_CHUNK);
    engine.scope(() => engine.exports.passIds(address, engine.writeU32(some), some.length));
  }
}

/** @internal Where a filter is that lasts, which these ids pass. */
export function keep(engine: Engine, ids: Uint32Array): number {
  const address = opened(engine, engine.exports.keepFilter());
  passIds(engine, address, ids); // finds the room that keepFilter leaves
  return address;
}

/**
 * @internal Asks the open filters of ids that are about to be added, before anything changes; what comes back lets those pass that
 * are there by then.
 */
export function admission(home: Home, ids: Uint32Array): () => void {
  const { engine, filters } = home;
  if (filters.size === 0) return () => {};
  const wanted = engine.scope(() => Array.from(filters.keys(), (filter) => [filter, ids.filter(filter.wants)] as const));
  return () => {
    for (const [filter, some] of wanted) {
      const address = home.filters.get(filter);
      if (address) passIds(home.engine, address, some);
    }
  };
}

/**
 * A filter made ready for many searches of the index that prepared it, until it or the index is closed. It follows the index: an id
 * that was given, or whose bit is set, passes also if it comes later, and a predicate is asked once of each id that comes.
 */
export class PreparedFilter {
  /** For `using`, where there is one. */
  declare [Symbol.dispose]: () => void;
  readonly #home: Home;
  /** @internal Whether an id is to pass that comes. */
  readonly wants: (id: number) => boolean;

  static {
    if (Symbol.dispose) this.prototype[Symbol.dispose] = this.prototype.close;
  }

  /** @internal */
  constructor(home: Home, source: FilterSource) {
    const { engine } = home;
    engine.checkIdle();
    const own = typeof source === "function" ? undefined : copyOf(listed(source));
    this.#home = home;
    this.wants = own ? membership(own) : asked(source as (id: number) => boolean);
    const ids = own && !isBits(own) ? own : engine.scope(() => engine.ids().filter(this.wants));
    home.filters.set(this, keep(home.engine, ids));
  }

  /** Vectors of the index that pass now. Errors: CLOSED. */
  get size(): number {
    const { engine } = this.#home;
    return engine.passing(this.at(engine));
  }

  /** @internal Where it is in the engine of its index. */
  at(engine: Engine): number {
    if (this.#home.engine !== engine) throw badOption("filter was prepared by another index");
    const address = this.#home.filters.get(this);
    if (address) return address;
    throw new VicinalError("CLOSED", "the filter is closed");
  }

  /** Gives its memory back, for the next filter of the index. Closing again does nothing. */
  close(): void {
    const address = this.#home.filters.get(this);
    if (!address) return;
    this.#home.engine.exports.closeFilter(address);
    this.#home.filters.delete(this);
  }
}

declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
  }
}
