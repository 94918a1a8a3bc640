// The pool itself: checks what it is given, and leaves the rest to its workers.
import type { AddAllOptions } from "../base/add-all.js";
import type { TrainOptions, TrainReport } from "../base/succession.js";
import { type IndexStats, VectorIndex } from "../base/vector-index.js";
import type { Explanation, Hit } from "../border/answers.js";
import type { FileBytes, FileSource } from "../file/vic.js";
import { checkWatched } from "../input/slices.js";
import { checkId, copyOf, idsOf, oneRow, rowsOf, type Shape, type Vector, type Vectors } from "../input/vectors.js";
import type { CreateIndexOptions } from "../make/create-index.js";
import type { FactoryOptions } from "../make/factory.js";
import { type BatchHits, type BatchOptions, batchK, noHits } from "../search/batch.js";
import type { FilterSource } from "../search/filter.js";
import type { SearchOptions } from "../search/plan.js";
import type { Searchable } from "../search/searchable.js";
import type { Bytes, Floats, Ids } from "../words/arrays.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { checkSignal, flag, heed, integer, known } from "../words/options.js";
import { sharesMemory } from "./builds.js";
import { Copied } from "./copied.js";
import { inPieces, plainRows } from "./feed.js";
import type { Hands } from "./hands.js";
import { bytesFrom, coresHere } from "./here.js";
import { Sharded } from "./sharded.js";
import { Sharing } from "./sharing.js";
import type { Origin, Search } from "./words.js";

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
  readonly #filters = new WeakMap<PoolFilter, number>();
  #numbers = 0;
  #over: VicinalError | undefined;
  readonly #closable = { waiting: new Set<() => void>(), engine: undefined as unknown };

  private constructor(hands: Hands, threads: number, layout: Pool["layout"]) {
    this.#hands = hands;
    this.threads = threads;
    this.layout = layout;
    const check = (): void => this.#check();
    Object.defineProperty(this.#closable, "engine", { get: check });
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
    return this.#hands.find({ rows, many: false, explained, ...rest }, signal);
  }

  /** As VectorIndex.searchBatch: the queries are split among the workers. */
  async searchBatch(queries: Vectors, options: PoolBatchOptions = {}): Promise<BatchHits> {
    const { signal, ...rest } = this.#options(options);
    const shape = this.#shape;
    const rows = rowsOf(queries, shape, "queries");
    const k = batchK(rows.n, options.k);
    const hits = noHits(rows.n, k);
    if (!rows.n) return hits;
    const size = Math.min(Math.max(Math.ceil(rows.n / (this.threads * PARTS)), 1), MOST_OF_A_PART);
    const parts = Array.from({ length: Math.ceil(rows.n / size) }, (_, i) => i * size);
    await Promise.all(
      parts.map(async (from) => {
        const search: Search = { rows: plainRows(rows, shape, from, Math.min(from + size, rows.n)), many: true, ...rest };
        const { ids, distances } = (await this.#hands.find(search, signal)) as BatchHits;
        hits.ids.set(ids, from * k);
        hits.distances.set(distances, from * k);
      }),
    );
    return hits;
  }

  /** As VectorIndex.add. Many vectors at once keep searches waiting: addAll does not. */
  async add(vectors: Vectors, ids?: ArrayLike<number>): Promise<Uint32Array> {
    this.#check();
    const rows = plainRows(rowsOf(vectors, this.#shape, "vectors"), this.#shape);
    return this.#hands.do("add", [rows, ids === undefined ? undefined : idsOf(ids, "ids")]) as Promise<Uint32Array>;
  }

  /** As VectorIndex.upsert; with shards all or nothing in each of them alone. */
  async upsert(vectors: Vectors, ids: number | ArrayLike<number>): Promise<number> {
    this.#check();
    const rows = plainRows(rowsOf(vectors, this.#shape, "vectors"), this.#shape);
    const list = typeof ids === "number" ? Uint32Array.of(checkId(ids, "ids")) : idsOf(ids, "ids");
    return this.#hands.do("upsert", [rows, list]) as Promise<number>;
  }

  /** As VectorIndex.addAll, the source being read here, piece by piece as a worker takes them. Searches go on meanwhile. */
  async addAll(source: Vectors | Iterable<Vector> | AsyncIterable<Vector>, options: AddAllOptions = {}): Promise<void> {
    known("addAll", options, ["ids", "signal", "onProgress"]);
    checkWatched(options);
    this.#check();
    const { ids, signal, onProgress } = options;
    const total = Array.isArray(source) || ArrayBuffer.isView(source) ? rowsOf(source, this.#shape, "source").n : undefined;
    const told = onProgress && ((body: unknown) => onProgress({ done: (body as { done: number }).done, total }));
    await this.#hands.addAll(
      ids !== undefined,
      (feed) => inPieces(source, ids, this.#shape, this.#closable as never, signal, (piece) => feed.give(piece)),
      { signal, told },
    );
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
    const rows = sample && plainRows(rowsOf(sample, this.#shape, "sample"), this.#shape);
    const told = onProgress as ((body: unknown) => void) | undefined;
    return this.#hands.do("train", [rows], { signal, told }) as Promise<TrainReport>;
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
    const filter = {
      size,
      close: async () => {
        if (!this.#filters.delete(filter) || this.#over) return;
        await this.#hands.forget(number);
      },
    };
    this.#filters.set(filter, number);
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
    const why = new VicinalError("CLOSED", "the pool is closed");
    this.#end(why);
    this.#hands.end(why);
  }

  #end(why: VicinalError): void {
    this.#over ??= why;
    for (const hear of this.#closable.waiting) hear();
  }

  #check(): void {
    if (this.#over) throw this.#over;
  }

  get #shape(): Shape {
    const { dimensions, packed } = this.#hands.facts;
    return { dimensions, packed };
  }

  #options({ signal, filter, ...options }: PoolSearchOptions): {
    signal: AbortSignal | undefined;
    filter: Search["filter"];
    options: object;
  } {
    this.#check();
    checkSignal(signal);
    heed(signal);
    if (filter === undefined) return { signal, filter, options };
    const number = this.#filters.get(filter as PoolFilter);
    if (number !== undefined) return { signal, filter: number, options };
    if (typeof (filter as PoolFilter)?.close === "function") {
      throw new VicinalError("CLOSED", "the filter is closed, or another pool's");
    }
    return { signal, filter: sendable(filter as Exclude<SentFilter, PoolFilter>), options };
  }
}

/** A pool of one worker, so that the thread that asks stays free. */
export function remote(source: PoolSource, options: Omit<PoolOptions, "threads" | "replicas" | "shards"> = {}): Promise<Pool> {
  known("remote", options, ["queue", "maxBytes"]);
  return Pool.open(source, { ...options, threads: 1 });
}

/** As it is now: of a view no more than it shows. */
function sendable<T>(filter: T): T {
  if (typeof filter === "function")
    throw badOption("filter is a function, which cannot be asked in a worker: give ids or a bitset");
  return ArrayBuffer.isView(filter) ? (copyOf(filter as unknown as Uint8Array) as unknown as T) : filter;
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
