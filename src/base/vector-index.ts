// What every index does: add, search, read, remove, train, save. A family adds its options and its facts.

import type { Explanation, Hit, SearchStats } from "../border/answers.js";
import type { Engine } from "../border/engine.js";
import type { Variant } from "../border/variants.js";
import { writeFile } from "../file/vic.js";
import { checkId, idsOf, isArray, ownRows, rowsOf, type Vector, type Vectors } from "../input/vectors.js";
import { type BatchHits, type BatchOptions, batchK, searchBatch } from "../search/batch.js";
import { type FilterSource, PreparedFilter, settle } from "../search/filter.js";
import {
  type AsyncSearchOptions,
  checkNames,
  checkRadius,
  DEFAULT_K,
  type SearchOptions,
  searchOne,
  wantedOf,
  within,
} from "../search/plan.js";
import type { Searchable } from "../search/searchable.js";
import type { Bytes, Floats, Ids } from "../words/arrays.js";
import { type CodecOption, codecOptions } from "../words/codec-option.js";
import { optionsOf, wordsOf } from "../words/describe.js";
import { badOption } from "../words/errors.js";
import { CODEC_NAMES, type Codec, KIND_NAMES, type Kind, METRIC_NAMES, type Metric } from "../words/kinds.js";
import type { Knobs } from "../words/knobs.js";
import { checkSignal, heed, known } from "../words/options.js";
import { part } from "../words/part.js";
import { readState } from "../words/state.js";
import type { AddAllOptions } from "./add-all.js";
import { checkDifferent, newIds } from "./adding.js";
import { removeAll } from "./replacing.js";
import { Opened, Seat } from "./seat.js";
import type { TrainOptions, TrainReport } from "./succession.js";

export interface IndexStats {
  kind: Kind;
  metric: Metric;
  codec: Codec;
  /** What the codec was given beside its name. */
  codecOptions?: CodecOption;
  dimensions: number;
  size: number;
  /** Removed vectors whose place is not free yet. */
  deleted: number;
  /** Whether it has learned what it must; until then searches are exact. */
  trained: boolean;
  /** Linear memory of this index. */
  bytes: number;
  bytesPerVector: number;
  variant: Variant;
  /** The family's options and what else `create` was given. */
  options: Record<string, number | string | boolean>;
  /** The index in the words of `factory`. */
  factory: string;
  /** pq, rabitq: mean squared error of a vector of the training sample, coded and decoded. */
  error?: number;
  /** Graph: vectors by their highest layer, and mean links on layer 0. */
  levels?: number[];
  meanDegree?: number;
  /** Graph: vectors that no walk can reach, so that approximate searches never answer them; missing where memory to count them is. */
  unreachable?: number;
  /** Trees: all their leaves, and the longest way to one. */
  leaves?: number;
  depth?: number;
}

export abstract class VectorIndex implements Searchable<number> {
  readonly kind: Kind;
  readonly metric: Metric;
  readonly codec: Codec;
  readonly dimensions: number;
  /** Whether candidates are re-scored exactly: by rows kept beside the codes, or by those that fetchVectors brings. */
  readonly rerank: boolean;
  /** Of createIndex: what it chose, and why. */
  readonly why: string | undefined;
  readonly #seat: Seat;
  /** Has structuredClone and postMessage throw: an index would arrive without its memory. V8 says this in the error. */
  protected readonly noClone = () => "post index.toBytes(), and load() that there";

  /** Indices are made by `create` and `load`. */
  protected constructor(handle: unknown) {
    if (!(handle instanceof Opened)) throw badOption("an index is made by `await` on create() or load()");
    const { engine, why } = handle;
    this.#seat = new Seat(handle);
    this.why = why;
    this.kind = KIND_NAMES[engine.state("kind")];
    this.metric = METRIC_NAMES[engine.state("metric")];
    this.codec = CODEC_NAMES[engine.state("codec")];
    this.dimensions = engine.state("dimensions");
    this.rerank = engine.state("rerank") !== 0;
  }

  /** @internal */
  protected get seat(): Seat {
    try {
      return this.#seat;
    } catch {
      throw badOption("an index cannot be used through a Proxy: in Vue, make it markRaw(index), or use toRaw(index)");
    }
  }

  /** @internal The family's own options. */
  protected abstract readonly knobs: Knobs;

  /** @internal */
  protected get engine(): Engine {
    return this.seat.engine;
  }

  /** Vectors that searches can find. */
  get size(): number {
    return this.engine.live;
  }

  /** Removed vectors whose place is not free yet: searches walk through them, later changes and compact() free them. */
  get deleted(): number {
    return this.engine.state("dead") + this.engine.state("doomed");
  }

  /** False while an index that learns from its vectors has not seen enough of them; its searches are exact until then. */
  get trained(): boolean {
    return this.engine.state("trained") === 1;
  }

  /** Linear memory held, all of it. */
  get bytes(): number {
    return this.engine.bytes;
  }

  /** The variant this index runs on. */
  get variant(): Variant {
    return this.engine.variant;
  }

  get lastStats(): SearchStats {
    return this.seat.lastStats;
  }

  stats(): IndexStats {
    const { kind, metric, codec, dimensions, size, deleted, trained, bytes, variant } = this;
    const state = readState(this.engine.copyState());
    const own = codecOptions(state);
    return {
      ...{ kind, metric, codec, ...(own && { codecOptions: own }), dimensions, size, deleted, trained },
      ...{
        bytes,
        bytesPerVector: size ? bytes / size : 0,
        variant,
        options: optionsOf(state, this.knobs),
        factory: wordsOf(state),
      },
      ...(own && trained && { error: state.reconstruction }),
    };
  }

  /**
   * Adds vectors: all of them, or none where it throws. Ids default to the integers after the largest id so far. An
   * index that has seen enough now to learn from does so first, which may take seconds; addAll and train take breaks.
   * Returns the ids, in the order of the vectors.
   * Errors: BAD_DIMENSION, NOT_FINITE, TOO_LARGE, BAD_ID, DUPLICATE_ID, OUT_OF_MEMORY.
   */
  add(vectors: Vectors, ids?: ArrayLike<number>): Uint32Array {
    const { seat } = this;
    const rows = rowsOf(vectors, seat.profile.shape, "vectors");
    const taken = newIds(seat.engine, rows.n, ids === undefined ? undefined : idsOf(ids, "ids"));
    seat.add(rows, taken);
    return taken;
  }

  /**
   * Puts vectors in the place of those that have their ids, and adds the others: all of them, or none where it throws, and then every vector
   * that was there still is. Returns how many were replaced. The vectors are copied at the call. An index that has seen enough now
   * to learn from does so afterwards, in slices like train. Errors: as add, but for ids that are in the index.
   */
  upsert(vectors: Vectors, ids: number | ArrayLike<number>): number {
    const { seat } = this;
    const rows = ownRows(vectors, seat.profile.shape, "vectors");
    const list = typeof ids === "number" ? Uint32Array.of(checkId(ids, "ids")) : idsOf(ids, "ids");
    checkDifferent(rows.n, list);
    return seat.upsert(rows, list);
  }

  /**
   * Adds vectors from an array, an iterable or an async iterable, a slice of some 8 ms at a time, so that a page stays
   * alive and searches run in between. Items are vectors, or Float32Arrays of several. An array is read as it
   * goes along, and is not to change until it is done; an item of an iterable is copied when it is taken. Where it stops early (abort, close or
   * error), also while the source keeps it waiting, the source's return() is called, and the slices before stay: `size` tells.
   */
  async addAll(source: Vectors | Iterable<Vector> | AsyncIterable<Vector>, options: AddAllOptions = {}): Promise<void> {
    known("addAll", options, ["ids", "signal", "onProgress"]);
    const { seat } = this;
    const rows = isArray(source) ? rowsOf(source, seat.profile.shape, "source") : undefined;
    const ids = isArray(options.ids) ? idsOf(options.ids, "ids") : options.ids;
    const { addAll } = await part(import("./extras.js"));
    return addAll(seat, source, rows, ids, options);
  }

  /**
   * Learns from a sample (default: the vectors the index holds) and codes what it holds anew, in slices like addAll. An
   * index that learns does so by itself when it has seen `trainAt` vectors; this is for a better sample, an earlier
   * moment, or vectors that have changed since. The sample is copied at the call. Errors: BAD_OPTION where the sample is too small or nothing is learned.
   */
  async train(sample?: Vectors, options: TrainOptions = {}): Promise<TrainReport> {
    known("train", options, ["signal", "onProgress"]);
    const { seat } = this;
    const rows = sample === undefined ? undefined : ownRows(sample, seat.profile.shape, "sample");
    const { train } = await part(import("./extras.js"));
    return train(seat, rows, options);
  }

  /**
   * The nearest vectors, nearest first, equal distances by id; fewer than k where fewer pass.
   * Errors: BAD_OPTION, BAD_DIMENSION, NOT_FINITE, TOO_LARGE, OUT_OF_MEMORY.
   */
  search(query: Vector, options?: SearchOptions): Hit[] {
    const { seat } = this;
    const { engine, profile, fetcher } = seat;
    checkNames(profile, options, ["radius", "exact"]);
    if (fetcher) return this.#answer(fetcher.search(profile, seat, query, options));
    if (options?.radius !== undefined) return this.#searchWithin(query, options, options.radius);
    const wanted = wantedOf(profile, engine, options, options?.k ?? DEFAULT_K);
    const hits = searchOne(profile, engine, query, wanted, settle(options?.filter, engine));
    this.seat.lastStats = engine.counters();
    return hits;
  }

  /** Searches, and tells how and why so, in place of the hits. Errors: as search. */
  explain(query: Vector, options?: SearchOptions): Explanation {
    const start = performance.now();
    this.search(query, options);
    const microseconds = 1000 * (performance.now() - start);
    return { ...this.lastStats, ...this.engine.reasons(), microseconds };
  }

  /**
   * Makes a filter ready for many searches, which then pass it as `filter`. A predicate is asked once per id: now of those in the
   * index, later of each that is added, before that changes anything. What is given is copied; close the filter when it is not
   * needed any more. Errors: BAD_OPTION, BAD_ID, OUT_OF_MEMORY.
   */
  prepareFilter(source: FilterSource): PreparedFilter {
    return new PreparedFilter(this.seat, source);
  }

  /**
   * The same, waiting for a `fetchVectors` that returns a promise; the index may be used and changed meanwhile. close()
   * ends it with CLOSED, `signal` with its reason.
   */
  async searchAsync(query: Vector, options?: AsyncSearchOptions): Promise<Hit[]> {
    const { seat } = this;
    const { profile, fetcher } = seat;
    checkNames(profile, options, ["radius", "exact", "signal"]);
    const { signal, ...rest } = options ?? {};
    checkSignal(signal);
    if (fetcher) return this.#answer(await fetcher.searchAsync(profile, seat, query, options));
    heed(signal);
    return this.search(query, rest);
  }

  #answer<T>({ hits, stats }: { hits: T; stats: SearchStats }): T {
    this.seat.lastStats = stats;
    return hits;
  }

  #searchWithin(query: Vector, options: SearchOptions, radius: number): Hit[] {
    const { engine, profile } = this.#seat;
    const near = checkRadius(radius);
    const wanted = wantedOf(profile, engine, options, options.k ?? Math.max(engine.live, 1));
    const settled = settle(options.filter, engine);
    const plan = within(profile, wanted, near);
    for (let step = plan.next([]); ; ) {
      if (step.done) return step.value;
      const hits = searchOne(profile, engine, query, step.value.wanted, settled, step.value.bound);
      this.seat.lastStats = engine.counters();
      step = plan.next(hits);
    }
  }

  /**
   * Many queries at once: the hits of each as `search` finds them. Scans read every row once for all queries.
   */
  searchBatch(queries: Vectors, options?: BatchOptions): BatchHits {
    const { seat } = this;
    const { engine, profile, fetcher } = seat;
    checkNames(profile, options, ["exact"]);
    const rows = rowsOf(queries, profile.shape, "queries");
    const k = batchK(rows.n, options?.k);
    if (fetcher) return this.#answer(fetcher.searchBatch(profile, seat, rows, options, k));
    const wanted = wantedOf(profile, engine, options, k);
    return this.#answer(searchBatch(profile, engine, rows, wanted, k, settle(options?.filter, engine, rows.n)));
  }

  has(id: number): boolean {
    return this.engine.has(checkId(id, "id"));
  }

  /** The vector of an id, or undefined: as it was given (cosine: to within rounding), or as the codec kept it. */
  get(id: number): Floats | undefined {
    return this.engine.vector(checkId(id, "id"));
  }

  /** All ids in the index, in no promised order. */
  ids(): Ids {
    return this.engine.ids();
  }

  /** Removes one id or several; ids that are not there are passed over. Returns how many were. */
  remove(ids: number | ArrayLike<number>): number {
    const { seat } = this;
    const { engine } = seat;
    const list = typeof ids === "number" ? Uint32Array.of(checkId(ids, "id")) : idsOf(ids, "ids");
    seat.touch(list);
    return removeAll(engine, list);
  }

  /**
   * Gives back the room of removed vectors: repairs what still links to them, renumbers what is left and moves to a
   * smaller memory. In slices, like addAll; other calls may come in between. close() ends it with CLOSED.
   */
  compact(): Promise<void> {
    const { seat } = this;
    seat.compacting ??= part(import("./extras.js"))
      .then(({ compact }) => compact(seat))
      .finally(() => {
        seat.compacting = undefined;
      });
    return seat.compacting;
  }

  /** The whole index as a .vic file. */
  toBytes(): Bytes {
    return writeFile(this.engine);
  }

  /** Gives the memory back; any later use throws CLOSED. Closing again does nothing. */
  close(): void {
    this.seat.close();
  }
}
