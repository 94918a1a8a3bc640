// What every index does: add, search, read, remove, train, save. A family adds its options and its facts.

import type { Hit, SearchStats } from "../border/answers.js";
import type { Engine } from "../border/engine.js";
import { newEngine } from "../border/runtime.js";
import type { Variant } from "../border/variants.js";
import { writeFile } from "../file/vic.js";
import { breath, checkWatched, Pace, SLICE_MS, type Watched } from "../input/slices.js";
import { batches, countOf } from "../input/source.js";
import { checkId, idsOf, type Rows, rowsOf, type Vector, type Vectors } from "../input/vectors.js";
import { type BatchHits, type BatchOptions, batchK, searchBatch } from "../search/batch.js";
import type { Fetcher } from "../search/fetching.js";
import { settle } from "../search/filter.js";
import {
  checkNames,
  checkRadius,
  DEFAULT_K,
  NO_WORK,
  type Profile,
  profileOf,
  type SearchOptions,
  searchOne,
  wantedOf,
  within,
} from "../search/plan.js";
import { type CodecOption, codecOptions } from "../words/codec-option.js";
import { IDS_CHUNK } from "../words/codes.js";
import { optionsOf, wordsOf } from "../words/describe.js";
import { badOption, VicinalError } from "../words/errors.js";
import { CODEC_NAMES, type Codec, KIND_NAMES, type Kind, METRIC_NAMES, type Metric } from "../words/kinds.js";
import type { Knobs } from "../words/knobs.js";
import { known } from "../words/options.js";
import { readState } from "../words/state.js";
import { addRows, iteratorOf, newIds, nextId } from "./adding.js";
import { Opened } from "./create.js";
import type { Learner, TrainReport } from "./learner.js";

export interface AddAllOptions extends Watched<{ done: number; total: number | undefined }> {
  /** One id per vector, in the source's order. Default: 0, 1, 2 ... onwards from the largest id so far. */
  ids?: Iterable<number>;
}

/** `done` of `total` vectors learned from and then coded anew. */
export type TrainOptions = Watched<{ done: number; total: number }>;

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
  /** Trees: all their leaves, and the longest way to one. */
  leaves?: number;
  depth?: number;
}

/** Slots that compact() repairs between two looks at the clock. */
const SWEEP_SLOTS = 16;

export abstract class VectorIndex {
  readonly kind: Kind;
  readonly metric: Metric;
  readonly codec: Codec;
  readonly dimensions: number;
  /** Whether candidates are re-scored exactly: by rows kept beside the codes, or by those that fetchVectors brings. */
  readonly rerank: boolean;
  /** Of createIndex: what it chose, and why. */
  readonly why: string | undefined;
  readonly #profile: Profile;
  readonly #fetcher: Fetcher | undefined;
  #engine: Engine | undefined;
  #learner: Learner | undefined;
  /** What replaces the engine, while it runs: one at a time. */
  #moving: Promise<unknown> | undefined;
  #compacting: Promise<void> | undefined;
  /** While vectors move to another engine: ids added or removed since. */
  #touched: Set<number> | undefined;
  #lastStats = NO_WORK;

  /** Indices are made by `create` and `load`. */
  protected constructor(handle: unknown) {
    if (!(handle instanceof Opened)) throw badOption("an index is made by `await` on create() or load()");
    const { engine, fetcher, learner, why } = handle;
    this.#engine = engine;
    this.#fetcher = fetcher;
    this.#learner = learner;
    this.why = why;
    this.kind = KIND_NAMES[engine.state("kind")];
    this.metric = METRIC_NAMES[engine.state("metric")];
    this.codec = CODEC_NAMES[engine.state("codec")];
    this.dimensions = engine.state("dimensions");
    this.rerank = engine.state("rerank") !== 0;
    this.#profile = profileOf(this.kind, this.metric, this.dimensions, engine.state("rerankFactor"), fetcher !== undefined);
  }

  /** @internal The family's own options. */
  protected abstract readonly knobs: Knobs;

  /** @internal */
  protected get engine(): Engine {
    if (!this.#engine) throw new VicinalError("CLOSED", `this ${this.kind} index is closed`);
    return this.#engine;
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
    return this.#lastStats;
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
   * Errors: BAD_DIMENSION, NOT_FINITE, TOO_LARGE, BAD_ID, DUPLICATE_ID, OUT_OF_MEMORY.
   */
  add(vectors: Vectors, ids?: ArrayLike<number>): void {
    const rows = rowsOf(vectors, this.#profile.shape, "vectors");
    this.#add(rows, newIds(this.engine, rows.n, ids === undefined ? undefined : idsOf(ids, "ids")));
  }

  #add(rows: Rows, ids: Uint32Array): void {
    const engine = this.engine;
    const due = !this.#moving && this.#learner?.isDue(engine, rows.n) ? this.#learner : undefined;
    if (due && !due.inBackground) this.#replace(due.grow(engine, rows, ids, this.#profile.shape));
    else addRows(engine, rows, ids);
    this.#touch(ids);
    if (due?.inBackground) this.#alone(() => this.#retrain(undefined, undefined, {})).catch(() => {});
  }

  #replace(engine: Engine): void {
    this.#engine = engine;
    if (engine.state("trained")) this.#learner = undefined;
  }

  #touch(ids: ArrayLike<number>): void {
    if (this.#touched) for (let i = 0; i < ids.length; i++) this.#touched.add(ids[i]);
  }

  /**
   * Adds vectors from an array, an iterable or an async iterable, a slice of some 8 ms at a time, so that a page stays
   * alive and searches run in between. Items are vectors, or Float32Arrays of several. Where it stops early (abort or
   * error) the slices before stay: `size` tells.
   */
  async addAll(source: Vectors | Iterable<Vector> | AsyncIterable<Vector>, options: AddAllOptions = {}): Promise<void> {
    known("addAll", options, ["ids", "signal", "onProgress"]);
    checkWatched(options);
    const { signal, onProgress } = options;
    const { shape } = this.#profile;
    const ids = iteratorOf(options.ids);
    const total = countOf(source, shape);
    let done = 0;
    const pace = new Pace();
    let paused = performance.now();
    signal?.throwIfAborted();
    if (total !== undefined) await this.#learnFrom(rowsOf(source, shape, "source"), signal);
    for await (const rows of batches(source, shape, () => pace.size)) {
      await this.#learnFrom(rows, signal);
      const started = performance.now();
      const taken = ids && Uint32Array.from({ length: rows.n }, (_, i) => nextId(ids, done + i));
      this.#add(rows, newIds(this.engine, rows.n, taken, done));
      done += rows.n;
      const now = performance.now();
      pace.note(now - started);
      if (now - paused < SLICE_MS) continue;
      onProgress?.({ done, total });
      await breath();
      signal?.throwIfAborted();
      paused = performance.now();
    }
    if (ids && !ids.next().done) throw new VicinalError("BAD_ID", `ids has more values than the ${done} vectors`);
    onProgress?.({ done, total });
  }

  /** Trains in slices, where rows about to be added are enough to do so. */
  async #learnFrom(rows: Rows, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#learner?.isDue(this.engine, rows.n)) return;
    await this.#alone(() => this.#retrain(undefined, rows, { signal }));
  }

  /**
   * Learns from a sample (default: the vectors the index holds) and codes what it holds anew, in slices like addAll. An
   * index that learns does so by itself when it has seen `trainAt` vectors; this is for a better sample, an earlier
   * moment, or vectors that have changed since. Errors: BAD_OPTION where the sample is too small or nothing is learned.
   */
  async train(sample?: Vectors, options: TrainOptions = {}): Promise<TrainReport> {
    known("train", options, ["signal", "onProgress"]);
    checkWatched(options);
    const rows = sample === undefined ? undefined : rowsOf(sample, this.#profile.shape, "sample");
    if (!this.engine.state("trainAt")) {
      throw badOption(`this ${this.kind} index with codec ${this.codec} learns nothing`);
    }
    options.signal?.throwIfAborted();
    return this.#alone(() => this.#retrain(rows, undefined, options));
  }

  async #retrain(sample: Rows | undefined, coming: Rows | undefined, options: TrainOptions): Promise<TrainReport> {
    const { retrain } = await import("./extras.js");
    try {
      return await retrain(
        {
          shape: this.#profile.shape,
          fetchVectors: this.#fetcher?.fetchVectors,
          engine: () => this.engine,
          watch: () => (this.#touched = new Set()),
          replace: (engine) => this.#replace(engine),
        },
        sample,
        coming,
        (done, total) => {
          options.signal?.throwIfAborted();
          options.onProgress?.({ done, total });
        },
      );
    } finally {
      this.#touched = undefined;
    }
  }

  /** Runs what replaces the engine once nothing else does. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#moving) await this.#moving.catch(() => {});
    const moving = work();
    this.#moving = moving;
    try {
      return await moving;
    } finally {
      this.#moving = undefined;
    }
  }

  /**
   * The nearest vectors, nearest first, equal distances by id; fewer than k where fewer pass.
   * Errors: BAD_OPTION, BAD_DIMENSION, NOT_FINITE, TOO_LARGE, OUT_OF_MEMORY.
   */
  search(query: Vector, options?: SearchOptions): Hit[] {
    const engine = this.engine;
    const profile = this.#profile;
    checkNames(profile, options, ["radius", "exact"]);
    if (this.#fetcher) return this.#answer(this.#fetcher.search(profile, () => this.engine, query, options));
    if (options?.radius !== undefined) return this.#searchWithin(query, options, options.radius);
    const wanted = wantedOf(profile, engine, options, options?.k ?? DEFAULT_K);
    const hits = searchOne(profile, engine, query, wanted, settle(options?.filter, engine));
    this.#lastStats = engine.counters();
    return hits;
  }

  /** The same, waiting for a `fetchVectors` that returns a promise; the index may be used and changed meanwhile. */
  async searchAsync(query: Vector, options?: SearchOptions): Promise<Hit[]> {
    if (!this.#fetcher) return this.search(query, options);
    checkNames(this.#profile, options, ["radius", "exact"]);
    return this.#answer(await this.#fetcher.searchAsync(this.#profile, () => this.engine, query, options));
  }

  #answer<T>({ hits, stats }: { hits: T; stats: SearchStats }): T {
    this.#lastStats = stats;
    return hits;
  }

  #searchWithin(query: Vector, options: SearchOptions, radius: number): Hit[] {
    const engine = this.engine;
    const profile = this.#profile;
    const near = checkRadius(radius);
    const wanted = wantedOf(profile, engine, options, options.k ?? Math.max(engine.live, 1));
    const settled = settle(options.filter, engine);
    const plan = within(profile, wanted, near);
    for (let step = plan.next([]); ; ) {
      if (step.done) return step.value;
      const hits = searchOne(profile, engine, query, step.value.wanted, settled, step.value.bound);
      this.#lastStats = engine.counters();
      step = plan.next(hits);
    }
  }

  /**
   * Many queries at once: the hits of each as `search` finds them. Scans read every row once for all queries.
   */
  searchBatch(queries: Vectors, options?: BatchOptions): BatchHits {
    const engine = this.engine;
    const profile = this.#profile;
    checkNames(profile, options, ["exact"]);
    const rows = rowsOf(queries, profile.shape, "queries");
    const k = batchK(rows.n, options?.k);
    if (this.#fetcher) return this.#answer(this.#fetcher.searchBatch(profile, () => this.engine, rows, options, k));
    const wanted = wantedOf(profile, engine, options, k);
    return this.#answer(searchBatch(profile, engine, rows, wanted, k, settle(options?.filter, engine)));
  }

  has(id: number): boolean {
    return this.engine.has(checkId(id, "id"));
  }

  /** The vector of an id, or undefined: as it was given (cosine: to within rounding), or as the codec kept it. */
  get(id: number): Float32Array | undefined {
    return this.engine.vector(checkId(id, "id"));
  }

  /** All ids in the index, in no promised order. */
  ids(): Uint32Array {
    return this.engine.ids();
  }

  /** Removes one id or several; ids that are not there are passed over. Returns how many were. */
  remove(ids: number | ArrayLike<number>): number {
    const engine = this.engine;
    const list = typeof ids === "number" ? Uint32Array.of(checkId(ids, "id")) : idsOf(ids, "ids");
    this.#touch(list);
    let removed = 0;
    for (let from = 0; from < list.length; from += IDS_CHUNK) {
      const chunk = list.subarray(from, from + IDS_CHUNK);
      removed += engine.scope(() => engine.exports.removeIds(engine.writeU32(chunk), chunk.length));
    }
    return removed;
  }

  /**
   * Gives back the room of removed vectors: repairs what still links to them, renumbers what is left and moves to a
   * smaller memory. In slices, like addAll; other calls may come in between.
   */
  compact(): Promise<void> {
    this.#compacting ??= this.#alone(() => this.#compact()).finally(() => {
      this.#compacting = undefined;
    });
    return this.#compacting;
  }

  async #compact(): Promise<void> {
    const engine = this.engine;
    const target = await newEngine(engine.copyState(), engine.maxBytes);
    while (engine.state("dead") + engine.state("doomed") > 0) {
      if (engine.state("doomed") === 0) engine.exports.startSweep();
      const started = performance.now();
      while (engine.done(engine.exports.sweep(SWEEP_SLOTS)) === 0 && performance.now() - started < SLICE_MS);
      await breath();
    }
    this.engine; // throws where it was closed in between
    engine.done(engine.exports.compactSlots());
    target.copyFrom(engine);
    target.lists = engine.lists;
    this.#engine = target;
  }

  /** The whole index as a .vic file. */
  toBytes(): Uint8Array {
    return writeFile(this.engine);
  }

  /** Gives the memory back; any later use throws CLOSED. Closing again does nothing. */
  close(): void {
    this.#engine?.endThreads?.();
    this.#engine = undefined;
    this.#learner = undefined;
  }
}
