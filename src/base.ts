// What every index does: add, search, read, remove, save. A family adds its options and its search.

import { copyColumns } from "./columns.js";
import { show, VicinalError } from "./errors.js";
import { writeFile } from "./file.js";
import { type Filter, type Passing, place, settle } from "./filter.js";
import { CODEC_NAMES, type Codec, KIND_NAMES, type Kind, METRIC_NAMES, METRICS, type Metric, type MetricRow } from "./kinds.js";
import { E_NOT_FINITE, Engine } from "./memory.js";
import { flag, integer, known, oneOf, real } from "./options.js";
import { newEngine, type Variant } from "./runtime.js";
import { batches, countOf } from "./source.js";
import { EMPTY, NONE, STATE_BYTES, type State, writeState } from "./state.js";
import { badRow, checkId, idsOf, oneRow, type Rows, rowsOf, type Shape, type Vector, type Vectors } from "./vectors.js";

export interface IndexOptions {
  /** Length of every vector, 1 to 65536. */
  dimensions: number;
  /** Default "cosine". */
  metric?: Metric;
  /** Default "f32"; "binary" under hamming. */
  codec?: Codec;
  /**
   * With a lossy codec: keep the f32 rows as well and re-score the best candidates exactly; a number is how many
   * candidates per wanted result (true = 4). Default false. With f32 there is nothing to re-score.
   */
  rerank?: boolean | number;
  /** Seed of everything random, an integer from 0 to 2^53 - 1. Default 42. Same seed, same calls, same index. */
  seed?: number;
  /** The index's memory never grows past this; adding more then throws OUT_OF_MEMORY. Default 4 GiB. */
  maxBytes?: number;
}
export const INDEX_OPTIONS = ["dimensions", "metric", "codec", "rerank", "seed", "maxBytes"];

export interface SearchOptions {
  /** How many neighbours, at least 1. Default 10; with `radius` all within it. */
  k?: number;
  /** Beam width of a graph search, at least 1: more finds more and costs more. Default the index's `ef`; exact families ignore it. */
  ef?: number;
  /** Only these ids may be answered, and k of them are where k pass. */
  filter?: Filter;
  /** Only hits at this distance or nearer. */
  radius?: number;
  /** True: scan everything for the exact answer. */
  exact?: boolean;
}
const SEARCH_OPTIONS = ["k", "ef", "filter", "radius", "exact"];

export type BatchOptions = Omit<SearchOptions, "radius">;
const BATCH_OPTIONS = ["k", "ef", "filter", "exact"];

export interface Hit {
  id: number;
  distance: number;
}

/** Row i of the answer is at i * k; short rows end with id 4294967295 at distance Infinity. */
export interface BatchHits {
  ids: Uint32Array;
  distances: Float32Array;
  k: number;
}

/** The work of the last search (of a whole batch for searchBatch). */
export interface SearchStats {
  /** Distances computed on the index's codec. */
  distances: number;
  /** Graph: nodes expanded. Scan: rows looked at. */
  visited: number;
  /** Exact distances computed to re-score candidates. */
  reranked: number;
}

export interface AddAllOptions {
  /** One id per vector, in the source's order. Default: 0, 1, 2 ... onwards from the largest id so far. */
  ids?: Iterable<number>;
  /** Stops between two slices. */
  signal?: AbortSignal;
  /** Called after each slice; `total` is known where the source has a length. */
  onProgress?: (progress: { done: number; total: number | undefined }) => void;
}

export interface IndexStats {
  kind: Kind;
  metric: Metric;
  codec: Codec;
  dimensions: number;
  size: number;
  /** Removed vectors whose place is not free yet. */
  deleted: number;
  /** Linear memory of this index. */
  bytes: number;
  bytesPerVector: number;
  variant: Variant;
  /** Graph: vectors by their highest layer, and mean links on layer 0. */
  levels?: number[];
  meanDegree?: number;
}

const DEFAULT_K = 10;
const DEFAULT_RERANK = 4;
/** An f32 graph walks on upper halves and re-scores this many candidates per result in full, more where noise asks for it (assembly/algo/blur.ts). */
const SPLIT_RERANK = 1;
const MAX_DIMENSIONS = 65536;
const WHOLE_MEMORY = 65536 * 65536;
/** Of one searchBatch: 1 GiB of ids and distances. */
const MAX_RESULTS = 2 ** 27;
/** Slots of an index (assembly/key.ts). */
const MAX_SLOTS = 2 ** 26 - 1;
/** Input written to scratch at a time. */
const CHUNK_BYTES = 1 << 17;
/** addAll gives way to the event loop after this long; vectors added at a time follow what that takes. */
const SLICE_MS = 8;
const FIRST_SLICE = 8;
const MOST_SLICE = 4096;
/** Slots that compact() repairs between two looks at the clock. */
const SWEEP_SLOTS = 16;
/** Ids removed at a time, so that a full index can be thinned out. */
const REMOVE_CHUNK = 8192;
/** Scratch for the queries of a batch and their results. */
const BATCH_BYTES = 16 << 20;

function nextId(ids: Iterator<number>, i: number): number {
  const { value, done } = ids.next();
  if (done) throw new VicinalError("BAD_ID", `ids ends after ${i} values, before the vectors do`);
  return checkId(value, `ids[${i}]`);
}

/** The persistent state of a new index, from checked options. */
export function newState(kind: Kind, options: IndexOptions, own: Partial<State>): State {
  const dimensions = integer("dimensions", options.dimensions, 1, MAX_DIMENSIONS);
  const metric = oneOf("metric", options.metric ?? "cosine", METRIC_NAMES);
  const codecs = METRICS[metric].codecs;
  const codec = oneOf("codec", options.codec ?? codecs[0], CODEC_NAMES);
  if (!codecs.includes(codec)) {
    throw new VicinalError(
      "BAD_OPTION",
      `codec ${show(codec)} does not go with metric ${show(metric)}; ${codecs.join(" or ")} does`,
    );
  }
  const rerank = options.rerank ?? false;
  const factor = typeof rerank === "boolean" ? DEFAULT_RERANK : real("rerank", rerank, 1, 1000);
  const split = kind === "hnsw" && codec === "f32";
  return {
    ...EMPTY,
    seed: integer("seed", options.seed ?? 42, 0, Number.MAX_SAFE_INTEGER),
    kind: KIND_NAMES.indexOf(kind),
    metric: METRIC_NAMES.indexOf(metric),
    codec: CODEC_NAMES.indexOf(codec),
    dimensions,
    rerank: rerank !== false && codec === "sq8" ? 1 : 0,
    rerankFactor: split ? SPLIT_RERANK : factor,
    m: 2,
    efConstruction: 1,
    mips: 0,
    ef: 1,
    ...own,
  };
}

export function stateBytes(state: State): Uint8Array {
  const bytes = new Uint8Array(STATE_BYTES);
  writeState(new DataView(bytes.buffer), state);
  return bytes;
}

export function maxBytesOf(options: IndexOptions): number {
  return integer("maxBytes", options.maxBytes ?? WHOLE_MEMORY, 65536, WHOLE_MEMORY);
}

/** Counters of the last search. */
function statsAt(engine: Engine): SearchStats {
  const u32 = engine.u32();
  const at = engine.work;
  return { distances: u32[at], visited: u32[at + 1], reranked: u32[at + 2] };
}

/** Results of the last search, as indices into u32() and f32(); valid until the next call. */
function resultsAt(engine: Engine): { found: number; ids: number; distances: number } {
  const u32 = engine.u32();
  const at = engine.work;
  return { found: u32[at + 3], ids: u32[at + 4] >>> 2, distances: u32[at + 5] >>> 2 };
}

/** A search's options, checked. */
export interface Wanted {
  readonly k: number;
  readonly ef: number;
  readonly candidates: number;
  readonly exact: boolean;
}

export abstract class VectorIndex {
  readonly kind: Kind;
  readonly metric: Metric;
  readonly codec: Codec;
  readonly dimensions: number;
  /** Whether exact rows are kept beside the codes. */
  readonly rerank: boolean;
  readonly #shape: Shape;
  readonly #metric: MetricRow;
  readonly #rerankFactor: number;
  #engine: Engine | undefined;
  #compacting: Promise<void> | undefined;
  #lastStats: SearchStats = { distances: 0, visited: 0, reranked: 0 };

  /** Indices are made by `create` and `load`. */
  protected constructor(handle: unknown) {
    if (!(handle instanceof Engine)) throw new VicinalError("BAD_OPTION", "an index is made by `await` on create() or load()");
    const engine = handle;
    this.#engine = engine;
    this.kind = KIND_NAMES[engine.state("kind")];
    this.metric = METRIC_NAMES[engine.state("metric")];
    this.codec = CODEC_NAMES[engine.state("codec")];
    this.dimensions = engine.state("dimensions");
    this.rerank = engine.state("rerank") === 1;
    this.#shape = { dimensions: this.dimensions, packed: this.metric === "hamming" };
    this.#metric = METRICS[this.metric];
    this.#rerankFactor = engine.state("rerankFactor");
  }

  /** @internal The approximate search of a family, the query being prepared. */
  protected abstract walk(engine: Engine, wanted: Wanted, filter: Passing): number;
  /** Default beam width. */
  protected abstract readonly defaultEf: number;

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
    const { kind, metric, codec, dimensions, size, deleted, bytes, variant } = this;
    return { kind, metric, codec, dimensions, size, deleted, bytes, bytesPerVector: size ? bytes / size : 0, variant };
  }

  /**
   * Adds vectors: all of them, or none where it throws. Ids default to the integers after the largest id so far.
   * Errors: BAD_DIMENSION, NOT_FINITE, TOO_LARGE, BAD_ID, DUPLICATE_ID, OUT_OF_MEMORY.
   */
  add(vectors: Vectors, ids?: ArrayLike<number>): void {
    const engine = this.engine;
    const rows = rowsOf(vectors, this.#shape, "vectors");
    this.#addRows(engine, rows, this.#newIds(engine, rows.n, ids === undefined ? undefined : idsOf(ids, "ids")));
  }

  /**
   * Adds vectors from an array, an iterable or an async iterable, a slice of some 8 ms at a time, so that a page stays
   * alive and searches run in between. Items are vectors, or Float32Arrays of several. Where it stops early (abort or
   * error) the slices before stay: `size` tells.
   */
  async addAll(source: Vectors | Iterable<Vector> | AsyncIterable<Vector>, options: AddAllOptions = {}): Promise<void> {
    known("addAll", options, ["ids", "signal", "onProgress"]);
    const { signal, onProgress } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new VicinalError("BAD_OPTION", `signal is ${show(signal)}; it must be an AbortSignal`);
    }
    if (onProgress !== undefined && typeof onProgress !== "function") {
      throw new VicinalError("BAD_OPTION", `onProgress is ${show(onProgress)}; it must be a function`);
    }
    if (options.ids !== undefined && typeof options.ids?.[Symbol.iterator] !== "function") {
      throw new VicinalError("BAD_OPTION", `ids is ${show(options.ids)}; it must be an iterable of ids`);
    }
    const ids = options.ids?.[Symbol.iterator]();
    const total = countOf(source, this.#shape);
    let done = 0;
    let size = FIRST_SLICE;
    let paused = performance.now();
    signal?.throwIfAborted();
    for await (const rows of batches(source, this.#shape, () => size)) {
      const started = performance.now();
      const engine = this.engine;
      const taken = ids && Uint32Array.from({ length: rows.n }, (_, i) => nextId(ids, done + i));
      this.#addRows(engine, rows, this.#newIds(engine, rows.n, taken));
      done += rows.n;
      const now = performance.now();
      if (now - started < SLICE_MS / 4) size = Math.min(size * 2, MOST_SLICE);
      else if (now - started > SLICE_MS) size = Math.max(size >> 1, 1);
      if (now - paused < SLICE_MS) continue;
      onProgress?.({ done, total });
      await new Promise((resolve) => setTimeout(resolve, 0));
      signal?.throwIfAborted();
      paused = performance.now();
    }
    if (ids && !ids.next().done) throw new VicinalError("BAD_ID", `ids has more values than the ${done} vectors`);
    onProgress?.({ done, total });
  }

  /** The ids that n vectors get, none of them taken. */
  #newIds(engine: Engine, n: number, ids: Uint32Array | undefined): Uint32Array {
    const next = engine.state("nextId");
    if (n > MAX_SLOTS) throw engine.outOfMemory();
    if (ids === undefined) {
      if (next + n - 1 > 0xfffffffe) throw new VicinalError("BAD_ID", `no ids are left after ${next - 1}: give ids of your own`);
      return Uint32Array.from({ length: n }, (_, i) => next + i);
    }
    if (ids.length !== n) throw new VicinalError("BAD_ID", `there are ${n} vectors and ${ids.length} ids`);
    let ascending = true;
    for (let i = 0; i < n; i++) {
      if (engine.exports.slotOfId(ids[i]) >>> 0 !== NONE) {
        throw new VicinalError("DUPLICATE_ID", `ids[${i}] is ${ids[i]}, which is in the index already: remove it first`);
      }
      ascending &&= i === 0 || ids[i - 1] < ids[i];
    }
    if (!ascending) {
      const seen = new Set<number>();
      for (const id of ids) {
        if (seen.has(id)) throw new VicinalError("DUPLICATE_ID", `ids has ${id} twice`);
        seen.add(id);
      }
    }
    return ids;
  }

  /** Writes rows from..to to scratch at `at` and makes sure that all of them can be used. */
  #write(engine: Engine, rows: Rows, at: number, from: number, to: number): void {
    const rowBytes = engine.exports.inputBytes();
    const view = this.#shape.packed ? engine.u8() : engine.f32();
    const stride = rowBytes / view.BYTES_PER_ELEMENT;
    for (let i = from; i < to; i++) rows.write(i, view, at / view.BYTES_PER_ELEMENT + (i - from) * stride);
    const bad = engine.exports.firstBad(at, to - from);
    if (bad >= 0) throw badRow(rows, from + bad, this.#shape, engine.exports.whyBad(at + bad * rowBytes) === E_NOT_FINITE);
  }

  #addRows(engine: Engine, rows: Rows, ids: Uint32Array): void {
    const n = rows.n;
    if (n === 0) return;
    if (engine.busy) throw new VicinalError("BAD_OPTION", "the index cannot grow while it reads a caller's vectors");
    const rowBytes = engine.exports.inputBytes();
    const chunk = Math.min(n, Math.max(Math.floor(CHUNK_BYTES / rowBytes), 1));
    // All are checked before anything changes, and as they are copied once more: a caller's getter may answer anew.
    engine.scope(() => {
      const at = engine.alloc(chunk * rowBytes);
      for (let from = 0; from < n; from += chunk) this.#write(engine, rows, at, from, Math.min(from + chunk, n));
    });
    const next = engine.state("nextId");
    const inOrder = ids.every((id, i) => id === next + i);
    engine.done(engine.exports.reserve(n, !inOrder, chunk * (rowBytes + 4) + 256));
    engine.scope(() => {
      const at = engine.alloc(chunk * rowBytes);
      const idsAt = engine.alloc(chunk * 4);
      for (let from = 0; from < n; from += chunk) {
        const to = Math.min(from + chunk, n);
        this.#write(engine, rows, at, from, to);
        engine.u32().set(ids.subarray(from, to), idsAt >>> 2);
        engine.done(engine.exports.addVectors(at, idsAt, to - from));
      }
    });
  }

  /**
   * The nearest vectors, nearest first, equal distances by id; fewer than k where fewer pass.
   * Errors: BAD_OPTION, BAD_DIMENSION, NOT_FINITE, TOO_LARGE, OUT_OF_MEMORY.
   */
  search(query: Vector, options?: SearchOptions): Hit[] {
    const engine = this.engine;
    if (options !== undefined) known("search", options, SEARCH_OPTIONS);
    const radius = options?.radius;
    if (radius !== undefined) return this.#searchRadius(engine, query, options as SearchOptions, radius);
    const wanted = this.#wanted(engine, options, options?.k ?? DEFAULT_K);
    const settled = settle(options?.filter, () => this.ids());
    return this.#searchOne(engine, query, wanted, settled, Infinity);
  }

  #wanted(engine: Engine, options: SearchOptions | undefined, k: number): Wanted {
    const most = integer("k", k, 1, NONE);
    const live = engine.live;
    return {
      k: Math.min(most, Math.max(live, 1)),
      ef: integer("ef", options?.ef ?? this.defaultEf, 1, NONE),
      candidates: Math.min(Math.ceil(most * this.#rerankFactor), Math.max(live, 1)),
      exact: flag("exact", options?.exact),
    };
  }

  #searchOne(engine: Engine, query: Vector, wanted: Wanted, settled: ReturnType<typeof settle>, bound: number): Hit[] {
    this.#writeQuery(engine, query);
    if (settled === undefined) return this.#answer(engine, wanted, { address: 0, count: engine.live }, bound);
    return engine.scope(() => this.#answer(engine, wanted, place(engine, settled), bound));
  }

  #writeQuery(engine: Engine, query: Vector): void {
    if (query instanceof Float32Array && query.length === this.dimensions && !this.#shape.packed) {
      engine.f32().set(query, engine.queryAddress >>> 2);
    } else {
      const view = this.#shape.packed ? engine.u8() : engine.f32();
      oneRow(query, this.#shape, "query").write(0, view, engine.queryAddress / view.BYTES_PER_ELEMENT);
    }
    const code = engine.exports.prepareQuery();
    if (code < 0) throw badRow(oneRow(query, this.#shape, "query"), 0, this.#shape, code === E_NOT_FINITE);
  }

  #answer(engine: Engine, wanted: Wanted, filter: Passing, bound: number): Hit[] {
    engine.done(
      wanted.exact
        ? engine.exports.exactSearch(wanted.k, wanted.candidates, filter.address, bound)
        : this.walk(engine, wanted, filter),
    );
    this.#lastStats = statsAt(engine);
    const { distance } = this.#metric;
    const u32 = engine.u32();
    const f32 = engine.f32();
    const { found, ids, distances } = resultsAt(engine);
    const hits: Hit[] = [];
    for (let i = 0; i < found; i++) hits.push({ id: u32[ids + i], distance: distance(f32[distances + i]) });
    return hits;
  }

  /** Exact families scan once with the radius as bound; a walk widens until it has left the radius. */
  #searchRadius(engine: Engine, query: Vector, options: SearchOptions, radius: number): Hit[] {
    if (typeof radius !== "number" || Number.isNaN(radius)) {
      throw new VicinalError("BAD_OPTION", `radius is ${show(radius)}; it must be a number`);
    }
    const live = engine.live;
    const wanted = this.#wanted(engine, options, options.k ?? Math.max(live, 1));
    const settled = settle(options.filter, () => this.ids());
    const within = (hits: Hit[]): Hit[] => hits.filter((hit) => hit.distance <= radius);
    // f32 rounds: the bound is a little loose, and the filter above exact.
    const raw = radius < 0 && this.metric !== "dot" ? -1 : Math.fround(this.#metric.raw(radius));
    const bound = raw + Math.abs(raw) * 2 ** -20;
    if (wanted.exact || this.kind === "flat")
      return within(this.#searchOne(engine, query, { ...wanted, exact: true }, settled, bound));
    for (let k = Math.min(Math.max(wanted.ef, DEFAULT_K), wanted.k); ; k = Math.min(2 * k, wanted.k)) {
      const hits = this.#searchOne(engine, query, { ...wanted, k, candidates: k }, settled, Infinity);
      const near = within(hits);
      if (near.length < hits.length || k >= wanted.k || hits.length < k) return near;
    }
  }

  /**
   * Many queries at once: the hits of each as `search` finds them. Exact scans read every row once for all queries.
   */
  searchBatch(queries: Vectors, options?: BatchOptions): BatchHits {
    const engine = this.engine;
    if (options !== undefined) known("searchBatch", options, BATCH_OPTIONS);
    const rows = rowsOf(queries, this.#shape, "queries");
    const k = integer("k", options?.k ?? DEFAULT_K, 1, NONE);
    if (rows.n * k > MAX_RESULTS) {
      throw new VicinalError("BAD_OPTION", `${rows.n} queries with k = ${k} are more than ${MAX_RESULTS} results`);
    }
    const wanted = this.#wanted(engine, options, k);
    const settled = settle(options?.filter, () => this.ids());
    const ids = new Uint32Array(rows.n * k).fill(NONE);
    const distances = new Float32Array(rows.n * k).fill(Infinity);
    const stats: SearchStats = { distances: 0, visited: 0, reranked: 0 };
    engine.scope(() => {
      const filter = place(engine, settled);
      const rowBytes = engine.exports.inputBytes();
      const perQuery = 4 * rowBytes + 24 * Math.max(wanted.k, this.rerank ? wanted.candidates : 0) + 256;
      const chunk = Math.min(rows.n, Math.max(Math.floor(BATCH_BYTES / perQuery), 1));
      for (let from = 0; from < rows.n; from += chunk) {
        const to = Math.min(from + chunk, rows.n);
        engine.scope(() => {
          const at = engine.alloc((to - from) * rowBytes);
          this.#write(engine, rows, at, from, to);
          const collect = (i: number, count: number, offset: number): void => {
            const u32 = engine.u32();
            const f32 = engine.f32();
            const results = resultsAt(engine);
            for (let j = 0; j < count && u32[results.ids + offset + j] !== NONE; j++) {
              ids[i * k + j] = u32[results.ids + offset + j];
              distances[i * k + j] = this.#metric.distance(f32[results.distances + offset + j]);
            }
          };
          const add = (): void => {
            const { distances, visited, reranked } = statsAt(engine);
            stats.distances += distances;
            stats.visited += visited;
            stats.reranked += reranked;
          };
          if (wanted.exact || this.kind === "flat") {
            engine.exports.clearWork();
            engine.done(engine.exports.exactSearchBatch(at, to - from, wanted.k, wanted.candidates, filter.address));
            for (let i = from; i < to; i++) collect(i, wanted.k, (i - from) * wanted.k);
            add();
            return;
          }
          for (let i = from; i < to; i++) {
            const query = at + (i - from) * rowBytes;
            engine.u8().copyWithin(engine.queryAddress, query, query + rowBytes);
            engine.exports.prepareQuery();
            engine.done(this.walk(engine, wanted, filter));
            collect(i, resultsAt(engine).found, 0);
            add();
          }
        });
      }
    });
    this.#lastStats = stats;
    return { ids, distances, k };
  }

  has(id: number): boolean {
    const engine = this.engine;
    return engine.exports.slotOfId(checkId(id, "id")) >>> 0 !== NONE;
  }

  /** The vector of an id, or undefined: as it was given (cosine: to within rounding), or as the codec kept it. */
  get(id: number): Float32Array | undefined {
    const engine = this.engine;
    checkId(id, "id");
    return engine.scope(() => {
      const out = engine.alloc(this.dimensions * 4);
      if (!engine.exports.getVector(id, out)) return undefined;
      return engine.f32().slice(out >>> 2, (out >>> 2) + this.dimensions);
    });
  }

  /** All ids in the index, in no promised order. */
  ids(): Uint32Array {
    const engine = this.engine;
    return engine.scope(() => {
      const n = engine.live;
      const out = engine.alloc(n * 4);
      engine.exports.liveIds(out);
      return engine.u32().slice(out >>> 2, (out >>> 2) + n);
    });
  }

  /** Removes one id or several; ids that are not there are passed over. Returns how many were. */
  remove(ids: number | ArrayLike<number>): number {
    const engine = this.engine;
    const list = typeof ids === "number" ? Uint32Array.of(checkId(ids, "id")) : idsOf(ids, "ids");
    let removed = 0;
    for (let from = 0; from < list.length; from += REMOVE_CHUNK) {
      const chunk = list.subarray(from, from + REMOVE_CHUNK);
      removed += engine.scope(() => engine.exports.removeIds(engine.writeU32(chunk), chunk.length));
    }
    return removed;
  }

  /**
   * Gives back the room of removed vectors: repairs what still links to them, renumbers what is left and moves to a
   * smaller memory. In slices, like addAll; other calls may come in between.
   */
  compact(): Promise<void> {
    this.#compacting ??= this.#compact().finally(() => {
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
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.engine; // throws where it was closed in between
    engine.done(engine.exports.compactSlots());
    copyColumns(engine, target);
    this.#engine = target;
  }

  /** The whole index as a .vic file. */
  toBytes(): Uint8Array {
    return writeFile(this.engine);
  }

  /** Gives the memory back; any later use throws CLOSED. Closing again does nothing. */
  close(): void {
    this.#engine = undefined;
  }
}
