// The pool itself: checks what it is given, and leaves the rest to its workers.
import type { AddAllOptions } from "../base/add-all.js";
import type { TrainOptions, TrainReport } from "../base/succession.js";
import { type IndexStats, VectorIndex } from "../base/vector-index.js";
import type { Explanation, Hit } from "../border/answers.js";
import type { FileBytes, FileSource } from "../file/vic.js";
import { either } from "../input/either.js";
import type { Closable } from "../input/patience.js";
import { checkWatched } from "../input/slices.js";
import { checkId, copyOf, idsOf, isArray, oneRow, rowsOf, type Shape, type Vector, type Vectors } from "../input/vectors.js";
import type { CreateIndexOptions } from "../make/create-index.js";
import type { FactoryOptions } from "../make/factory.js";
import { type BatchHits, type BatchOptions, batchK, noHits } from "../search/batch.js";
import type { FilterSource } from "../search/filter.js";
import type { SearchOptions } from "../search/plan.js";
import type { Searchable } from "../search/searchable.js";
import type { Bytes, Floats, Ids } from "../words/arrays.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { checkSignal, flag, heed, integer, known } from "../words/options.js";
import { tagOf } from "../words/tag.js";
import { sharesMemory } from "./builds.js";
import { Copied } from "./copied.js";
import { inPieces, plainRows } from "./feed.js";
import type { Hands, Hearing } from "./hands.js";
import { bytesFrom, coresHere } from "./here.js";
import { renamed } from "./renamed.js";
import { Sharded } from "./sharded.js";
import { Sharing } from "./sharing.js";
import type { Origin, Piece, Search } from "./words.js";

export interface PoolOptions {
  /** Workers that search. Default: as many as there are cores, up to 8. */
  threads?: number;
  /** A copy of the index in each worker, also where one memory could be shared. */
  replicas?: boolean;
  /** A part of the index in each worker: for an index too large for one memory. */
  shards?: boolean;
  /** Searches that may wait for an answer; one more is BUSY. Default 10,000. */
  queue?: number;
  /** Of an index from bytes or a path: as for `load`. */
  maxBytes?: number;
}

/** An index that a pool is made of: copied at the call; or made there, by createIndex or, with `factory`, by that. */
export type PoolSource =
  | VectorIndex
  | FileBytes
  | FileSource
  | string
  | URL
  | CreateIndexOptions
  | (FactoryOptions & { readonly factory: string });

/** A filter of a pool that was made ready, for many searches. */
export interface PoolFilter {
  /** Vectors that passed when it was made. */
  readonly size: number;
  /** Gives its memory back. Closing again does nothing. */
  close(): Promise<void>;
}

/** As for an index, but for predicates, which cannot be sent; or what prepareFilter made. */
type SentFilter = Exclude<FilterSource, (id: number) => boolean> | PoolFilter;
export type PoolSearchOptions = Omit<SearchOptions, "filter"> & { filter?: SentFilter; signal?: AbortSignal };
export type PoolBatchOptions = Omit<BatchOptions, "filter"> & { filter?: SentFilter; signal?: AbortSignal };

const MOST_THREADS = 64;
const DEFAULT_THREADS = 8;
const DEFAULT_QUEUE = 10_000;
/** Parts of a batch for each worker, so that none waits for long for the last. */
const PARTS = 4;
const MOST_OF_A_PART = 1024;

/**
 * An index in workers: the calls are those of an index, as promises, and the thread that asks stays free. Where memory may be shared (Node; a
 * page that is cross-origin isolated) all workers search one index in one memory, which one of them changes while the others
 * wait; elsewhere each has a copy. `layout` tells.
 */
export class Pool implements Searchable<number> {
  readonly threads: number;
  readonly layout: "shared" | "replicas" | "shards";
  readonly #hands: Hands;
  readonly #filters = new WeakMap<PoolFilter, Made>();
  #numbers = 0;
  #over: VicinalError | undefined;
  readonly #closable: Closable = new Closing(() => this.#check());

  private constructor(hands: Hands, threads: number, layout: Pool["layout"]) {
    this.#hands = hands;
    this.threads = threads;
    this.layout = layout;
  }

  /**
   * A pool of an index (copied at the call), a .vic file (bytes, a Response, a Blob, a URL, in Node a path), or a new index in the words of
   * createIndex, or of `factory` with the description as `factory`. Errors: BAD_OPTION; those of `load`; BAD_RUNTIME where no worker can
   * be made, or a Content-Security-Policy without `worker-src blob:` forbids it.
   */
  static async open(source: PoolSource, options: PoolOptions = {}): Promise<Pool> {
    known("Pool.open", options, ["threads", "replicas", "shards", "queue", "maxBytes"]);
    const { maxBytes } = options;
    const threads = integer("threads", options.threads ?? Math.min(coresHere(), DEFAULT_THREADS), 1, MOST_THREADS);
    const queue = integer("queue", options.queue ?? DEFAULT_QUEUE, 1, Number.MAX_SAFE_INTEGER);
    const [replicas, shards] = [flag("replicas", options.replicas), flag("shards", options.shards)];
    if (replicas && shards)
      throw badOption("replicas and shards are both true; a worker has a copy of the index or a part of it");
    const origin = await originOf(source, maxBytes);
    let ended: (why: VicinalError) => void = () => {};
    const over = (why: VicinalError): void => ended(why);
    let pool: Pool;
    if (shards) pool = new Pool(await Sharded.open(origin, threads, queue, over), threads, "shards");
    else if (threads > 1 && !replicas && sharesMemory()) {
      pool = new Pool(await Sharing.open(origin, threads, queue, over), threads, "shared");
    } else pool = new Pool(await Copied.open(origin, threads, queue, over), threads, "replicas");
    ended = (why) => pool.#end(why);
    return pool;
  }

  get dimensions(): number {
    return this.#hands.facts.dimensions;
  }

  /** Vectors that searches can find, as of the last change that was answered. */
  get size(): number {
    return this.#hands.facts.size;
  }

  /** As VectorIndex.search. Errors: its; BUSY; CLOSED; BAD_RUNTIME where workers die; the signal's reason. */
  async search(query: Vector, options: PoolSearchOptions = {}): Promise<Hit[]> {
    return (await this.#find(query, options, false)) as Hit[];
  }

  /** As VectorIndex.explain; not of shards. */
  async explain(query: Vector, options: PoolSearchOptions = {}): Promise<Explanation> {
    return (await this.#find(query, options, true)) as Explanation;
  }

  async #find(query: Vector, options: PoolSearchOptions, explained: boolean): Promise<unknown> {
    const { signal, ...rest } = this.#options(options);
    const rows = plainRows(oneRow(query, this.#shape, "query"), this.#shape);
    return this.#using(options.filter, () => this.#hands.find({ rows, many: false, explained, ...rest }, signal, true));
  }

  /** A filter that is closed meanwhile is forgotten when no search goes by it any more. */
  async #using<T>(filter: SentFilter | undefined, search: () => Promise<T>): Promise<T> {
    const made = this.#filters.get(filter as PoolFilter);
    if (!made) return search();
    made.uses++;
    try {
      return await search();
    } finally {
      made.uses--;
      if (made.closed && !made.uses) await this.#forget(made);
    }
  }

  async #forget({ number }: Made): Promise<void> {
    if (!this.#over) await this.#hands.forget(number);
  }

  /** As VectorIndex.searchBatch: the queries are split among the workers. */
  async searchBatch(queries: Vectors, options: PoolBatchOptions = {}): Promise<BatchHits> {
    const { signal, ...rest } = this.#options(options);
    const shape = this.#shape;
    const rows = rowsOf(queries, shape, "queries");
    const k = batchK(rows.n, options.k);
    const hits = noHits(rows.n, k);
    const size = Math.min(Math.max(Math.ceil(rows.n / (this.threads * PARTS)), 1), MOST_OF_A_PART);
    const find = async (from: number): Promise<void> => {
      const search: Search = { rows: plainRows(rows, shape, from, Math.min(from + size, rows.n)), many: true, ...rest };
      try {
        const { ids, distances } = (await this.#hands.find(search, signal, from === 0)) as BatchHits;
        hits.ids.set(ids, from * k);
        hits.distances.set(distances, from * k);
      } catch (error) {
        throw renamed(error, /^queries\[(\d+)\]/, (_, i) => `queries[${Number(i) + from}]`);
      }
    };
    // An empty one has options, too.
    const parts = Array.from({ length: Math.max(Math.ceil(rows.n / size), 1) }, (_, i) => i * size);
    await this.#using(options.filter, () => Promise.all(parts.map(find)));
    return hits;
  }

  /** As VectorIndex.add. Many vectors at once keep searches waiting: addAll does not. */
  async add(vectors: Vectors, ids?: ArrayLike<number>): Promise<Uint32Array> {
    this.#check();
    const rows = this.#plain(vectors, "vectors");
    return this.#hands.do("add", [rows, ids === undefined ? undefined : idsOf(ids, "ids")]) as Promise<Uint32Array>;
  }

  /** As VectorIndex.upsert; with shards all or nothing in each of them alone. */
  async upsert(vectors: Vectors, ids: number | ArrayLike<number>): Promise<number> {
    this.#check();
    const rows = this.#plain(vectors, "vectors");
    const list = typeof ids === "number" ? Uint32Array.of(checkId(ids, "ids")) : idsOf(ids, "ids");
    return this.#hands.do("upsert", [rows, list]) as Promise<number>;
  }

  /** As VectorIndex.addAll, the source being read here, piece by piece as a worker takes them. Searches go on meanwhile. */
  async addAll(source: Vectors | Iterable<Vector> | AsyncIterable<Vector>, options: AddAllOptions = {}): Promise<void> {
    known("addAll", options, ["ids", "signal", "onProgress"]);
    checkWatched(options);
    this.#check();
    const { ids, signal, onProgress } = options;
    const shape = this.#shape;
    const rows = isArray(source) ? rowsOf(source, shape, "source") : undefined;
    const hears = onProgress && ((body: unknown) => onProgress({ done: (body as { done: number }).done, total: rows?.n }));
    await this.#heard(signal, hears, (hearing) =>
      this.#hands.addAll(
        ids !== undefined,
        async (feed) => {
          const { signal, end } = either(feed.stopped, hearing.signal);
          const give = (piece: Piece): Promise<void> => feed.give(piece);
          await inPieces(source, rows, ids, shape, this.#closable, signal, give).finally(end);
        },
        hearing,
      ),
    );
  }

  /** What `hears` throws ends the call, as it does with an index. */
  async #heard<T>(
    signal: AbortSignal | undefined,
    hears: ((body: unknown) => void) | undefined,
    work: (hearing: Hearing) => Promise<T>,
  ): Promise<T> {
    if (!hears) return work({ signal });
    const own = new AbortController();
    const both = either(own.signal, signal);
    const told = (body: unknown): void => {
      try {
        hears(body);
      } catch (error) {
        own.abort(error);
      }
    };
    try {
      heed(signal);
      const done = await work({ signal: both.signal, told });
      heed(both.signal);
      return done;
    } finally {
      both.end();
    }
  }

  /** As VectorIndex.remove. */
  async remove(ids: number | ArrayLike<number>): Promise<number> {
    this.#check();
    return this.#hands.do("remove", [typeof ids === "number" ? checkId(ids, "id") : idsOf(ids, "ids")]) as Promise<number>;
  }

  /** As VectorIndex.train. */
  async train(sample?: Vectors, options: TrainOptions = {}): Promise<TrainReport> {
    known("train", options, ["signal", "onProgress"]);
    checkWatched(options);
    this.#check();
    const { signal, onProgress } = options;
    const rows = sample && this.#plain(sample, "sample");
    return this.#heard(signal, onProgress as ((body: unknown) => void) | undefined, (hearing) =>
      this.#hands.do("train", [rows], hearing),
    ) as Promise<TrainReport>;
  }

  /** As VectorIndex.compact: searches go on in the old memory until the new one is there. */
  async compact(): Promise<void> {
    this.#check();
    await this.#hands.do("compact", []);
  }

  /** As VectorIndex.prepareFilter, but of ids or a bitset: a predicate cannot be asked in a worker. */
  async prepareFilter(source: Exclude<FilterSource, (id: number) => boolean>): Promise<PoolFilter> {
    this.#check();
    const number = this.#numbers++;
    const size = await this.#hands.prepare(number, sendable(source));
    const made: Made = { number, uses: 0, closed: false };
    const filter = {
      size,
      close: async () => {
        if (made.closed) return;
        made.closed = true;
        if (!made.uses) await this.#forget(made);
      },
    };
    this.#filters.set(filter, made);
    return filter;
  }

  async get(id: number): Promise<Floats | undefined> {
    this.#check();
    return this.#hands.do("get", [checkId(id, "id")]) as Promise<Floats | undefined>;
  }
  async has(id: number): Promise<boolean> {
    this.#check();
    return this.#hands.do("has", [checkId(id, "id")]) as Promise<boolean>;
  }
  async ids(): Promise<Ids> {
    this.#check();
    return this.#hands.do("ids", []) as Promise<Ids>;
  }
  async stats(): Promise<IndexStats> {
    this.#check();
    return this.#hands.do("stats", []) as Promise<IndexStats>;
  }
  /** The whole index as a .vic file; not of shards. */
  async toBytes(): Promise<Bytes> {
    this.#check();
    return this.#hands.do("toBytes", []) as Promise<Bytes>;
  }

  /** Ends all workers, and with CLOSED whatever waits for them; any later use throws CLOSED. Closing again does nothing. */
  async close(): Promise<void> {
    this.#end(new VicinalError("CLOSED", "the pool is closed"));
  }

  #end(why: VicinalError): void {
    this.#over ??= why;
    for (const hear of this.#closable.waiting) hear();
    this.#hands.end(this.#over);
  }

  #check(): void {
    if (this.#over) throw this.#over;
  }

  get #shape(): Shape {
    const { dimensions, packed } = this.#hands.facts;
    return { dimensions, packed };
  }

  #plain(vectors: Vectors, name: string): Piece["rows"] {
    return plainRows(rowsOf(vectors, this.#shape, name), this.#shape);
  }

  #options(given: PoolSearchOptions): { signal: AbortSignal | undefined; filter: Search["filter"]; options: object } {
    this.#check();
    if (given === null || typeof given !== "object") throw badOption(`a search takes an object of options, not ${show(given)}`);
    const { signal, filter, ...options } = given;
    checkSignal(signal);
    heed(signal);
    if (filter === undefined) return { signal, filter, options };
    const made = this.#filters.get(filter as PoolFilter);
    if (made?.closed) throw new VicinalError("CLOSED", "the filter is closed");
    return { signal, filter: made?.number ?? sendable(filter as Exclude<SentFilter, PoolFilter>), options };
  }
}

/** A filter as the workers know it, and searches that go by it now. */
interface Made {
  readonly number: number;
  uses: number;
  closed: boolean;
}

class Closing implements Closable {
  readonly waiting = new Set<() => void>();
  readonly #check: () => void;

  constructor(check: () => void) {
    this.#check = check;
  }

  get engine(): unknown {
    return this.#check();
  }
}

/** A pool of one worker, so that the thread that asks stays free. */
export function remote(source: PoolSource, options: Omit<PoolOptions, "threads" | "replicas" | "shards"> = {}): Promise<Pool> {
  known("remote", options, ["queue", "maxBytes"]);
  return Pool.open(source, { ...options, threads: 1 });
}

/** As it is now, whatever becomes of the caller's. */
function sendable(filter: unknown): Uint32Array | Uint8Array {
  if (typeof filter === "function")
    throw badOption("filter is a function, which cannot be asked in a worker: give ids or a bitset");
  const tag = tagOf(filter);
  if (tag === "Uint32Array" || tag === "Uint8Array") return copyOf(filter as Uint8Array);
  if (tag === "Set" || Array.isArray(filter)) return idsOf(Array.from(filter as Iterable<number>), "filter");
  throw badOption(`filter is ${show(filter)}; it must be a Set or array of ids, a Uint8Array bitset or what prepareFilter made`);
}

async function originOf(source: PoolSource, maxBytes: number | undefined): Promise<Origin> {
  if (source instanceof VectorIndex) return { bytes: source.toBytes(), maxBytes };
  const bytes = await bytesFrom(source as FileBytes | FileSource | string | URL);
  if (bytes) return { bytes, maxBytes };
  const { dimensions } = (source ?? {}) as { dimensions?: unknown };
  if (typeof dimensions !== "number") {
    throw badOption(
      `source is ${show(source)}; it must be an index, a .vic file (bytes, Response, Blob, URL or path), or the options of a new index`,
    );
  }
  return { options: maxBytes === undefined ? (source as object) : { ...(source as object), maxBytes } };
}
