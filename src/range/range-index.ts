// An index that was published to a folder of files, searched over a network that answers ranges of them: the calls.
import type { DocumentId } from "../collection/keys.js";
import { selectionOf } from "../collection/reading.js";
import type { Where } from "../collection/where/parse.js";
import { rowsOf, type Vector, type Vectors } from "../input/vectors.js";
import { checkRadius, DEFAULT_K } from "../search/plan.js";
import type { Searchable } from "../search/searchable.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { METRIC_NAMES, type Metric } from "../words/kinds.js";
import { checkSignal, flag, heed, integer, known } from "../words/options.js";
import { Fetching } from "./fetching.js";
import { Places, readHead } from "./format.js";
import { type Fetch, Host } from "./host.js";
import { Recent, Stored } from "./kept.js";
import { Lists } from "./lists.js";
import { type RangeHit, type RangeWork, Searching, type Wish } from "./searching.js";

export interface RangeOpenOptions {
  /** Records and data that are kept in memory, in bytes. Codes of lists that were fetched stay beside them. Default 32 MiB. */
  cacheBytes?: number;
  /** Name of a cache of the browser's Cache Storage, for codes and fields of lists to be there at the next visit. Default: none. */
  cacheStorage?: string;
  /** In place of the global fetch: to send credentials or headers of one's own. */
  fetch?: Fetch;
  signal?: AbortSignal;
}

export interface RangeSearchOptions {
  /** How many, at least 1. Default 10; with `radius` all within it. */
  k?: number;
  /** Only documents whose fields meet these conditions: of fields that were published. */
  where?: Where;
  /** Paths of data that hits bring; [] for none, which spares a round. Default: all of it. */
  select?: readonly string[];
  /** Only hits at this distance or nearer, as far as the lists that are looked into have them. */
  radius?: number;
  /** Lists whose codes are read, at least 1. Default: what was measured when it was published. */
  nprobe?: number;
  /** Documents whose rows are read, k at least. Default: likewise, for ten hits. */
  candidates?: number;
  /** True: all lists and all rows, which is the whole download. */
  exact?: boolean;
  signal?: AbortSignal;
}

export interface RangeStats {
  metric: Metric;
  dimensions: number;
  size: number;
  lists: number;
  rows: string;
  /** Fields that conditions can be put on. */
  fields: string[];
  /** What searches do that say nothing, and the recall that had when it was published. */
  nprobe: number;
  candidates: number;
  recall: number;
  /** Of what was published, in all. */
  dataBytes: number;
  /** Memory: the engine's and what is kept. */
  bytes: number;
  /** Since it was opened, the head included. */
  requests: number;
  fetchedBytes: number;
}

const CACHE_BYTES = 32 << 20;
const MOST = 2 ** 26;
const OPEN_NAMES = ["cacheBytes", "cacheStorage", "fetch", "signal"];
const SEARCH_NAMES = ["k", "where", "select", "radius", "nprobe", "candidates", "exact", "signal"];

export class RangeIndex implements Searchable<DocumentId> {
  #searching: Searching | undefined;
  readonly #name: string;
  readonly #headBytes: number;

  private constructor(name: string, headBytes: number, searching: Searching) {
    this.#name = name;
    this.#headBytes = headBytes;
    this.#searching = searching;
  }

  /**
   * Opens what `publish` has made: `url` is that of the folder, in a page also a relative one. One request. Errors: BAD_OPTION; MISSING where
   * there is nothing; BAD_FILE; BAD_HOST where the host does not answer as it should; IO_ERROR where it cannot be reached; the signal's
   * reason.
   */
  static async open(url: string | URL, options: RangeOpenOptions = {}): Promise<RangeIndex> {
    known("RangeIndex.open", options, OPEN_NAMES);
    const { cacheStorage, signal, fetch: own } = options;
    checkSignal(signal);
    if (own !== undefined && typeof own !== "function")
      throw badOption(`fetch is ${show(own)}; it must be a function as the global one`);
    if (cacheStorage !== undefined && typeof cacheStorage !== "string")
      throw badOption(`cacheStorage is ${show(cacheStorage)}; it must be a name`);
    const host = new Host(url, own ?? ((...asked) => fetch(...asked)));
    const recent = new Recent(integer("cacheBytes", options.cacheBytes ?? CACHE_BYTES, 0, Number.MAX_SAFE_INTEGER));
    const bytes = await host.head(signal);
    const head = readHead(bytes);
    const places = new Places(head);
    const { data } = head.about;
    const stored = cacheStorage === undefined ? undefined : await Stored.open(cacheStorage, host.folder, data);
    const lists = await Lists.open(head, places.first);
    return new RangeIndex(
      host.folder,
      bytes.length,
      new Searching(head, places, lists, new Fetching(host, head.about, recent, stored)),
    );
  }

  get #open(): Searching {
    if (!this.#searching) throw new VicinalError("CLOSED", `the index of ${this.#name} is closed`);
    return this.#searching;
  }

  get size(): number {
    return this.#open.head.about.documents;
  }

  get dimensions(): number {
    return this.#open.head.state.dimensions;
  }

  /** What the search that ended last has cost. */
  get lastStats(): RangeWork {
    return this.#open.last;
  }

  stats(): RangeStats {
    const { head, total, bytes } = this.#open;
    const { rows, nprobe, candidates, recall, dataBytes } = head.about;
    return {
      metric: METRIC_NAMES[head.state.metric],
      dimensions: this.dimensions,
      size: this.size,
      lists: head.lists.length,
      ...{ rows, fields: Object.keys(head.about.fields), nprobe, candidates, recall, dataBytes },
      bytes,
      requests: 1 + total.requests,
      fetchedBytes: this.#headBytes + total.bytes,
    };
  }

  /**
   * The nearest to a vector, nearest first. What has been fetched is not fetched again, and the answer is the same whatever has been. Errors:
   * BAD_OPTION, BAD_WHERE, BAD_DIMENSION, NOT_FINITE, TOO_LARGE, CLOSED; BAD_HOST, BAD_FILE, MISSING and IO_ERROR as the host has it; the
   * signal's reason.
   */
  async search(query: Vector, options: RangeSearchOptions = {}): Promise<RangeHit[]> {
    const { lists } = this.#open;
    const { wish, signal } = this.#wishOf(options);
    return this.#open.search(lists.query(query), wish, signal);
  }

  /** The same for many queries, one after the other. */
  async searchBatch(queries: Vectors, options: RangeSearchOptions = {}): Promise<RangeHit[][]> {
    const { lists, head } = this.#open;
    const { dimensions } = head.state;
    const { wish, signal } = this.#wishOf(options);
    const rows = rowsOf(queries, { dimensions, packed: undefined }, "queries");
    const own = Array.from({ length: rows.n }, (_, i) =>
      lists.query(Float32Array.from({ length: dimensions }, (_, j) => rows.value(i, j))),
    );
    const all: RangeHit[][] = [];
    for (const query of own) all.push(await this.#open.search(query, wish, signal));
    return all;
  }

  #wishOf(options: RangeSearchOptions): { wish: Wish; signal: AbortSignal | undefined } {
    known("search", options, SEARCH_NAMES);
    const { about, lists } = this.#open.head;
    const { radius, signal, select, where } = options;
    checkSignal(signal);
    heed(signal);
    selectionOf(select);
    const usual = radius === undefined ? DEFAULT_K : Math.max(about.documents, 1);
    const k = Math.min(integer("k", options.k ?? usual, 1, MOST), about.documents);
    const wish = {
      k,
      candidates: options.candidates === undefined ? undefined : integer("candidates", options.candidates, 1, MOST),
      nprobe: Math.min(integer("nprobe", options.nprobe ?? about.nprobe, 1, MOST), lists.length),
      radius: radius === undefined ? Infinity : checkRadius(radius),
      exact: flag("exact", options.exact),
      ...{ select, where },
    };
    return { wish, signal };
  }

  /** Gives the memory back; any later use is CLOSED, also for searches that are under way. Closing again does nothing. */
  close(): void {
    this.#searching?.close();
    this.#searching = undefined;
  }
}
