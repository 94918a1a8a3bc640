// An index that was published to a folder of files, searched over a network that answers ranges of them. A search takes two rounds: the codes
// of the nearest lists nominate documents, and rows of those alone decide. Their data, where it is asked for, is a third.
import type { DocumentId } from "../collection/keys.js";
import { type Data, selectionOf } from "../collection/reading.js";
import type { Expression } from "../collection/where/expression.js";
import type { Where } from "../collection/where/parse.js";
import { xxh32 } from "../collection/xxh32.js";
import { rowsOf, type Vector, type Vectors } from "../input/vectors.js";
import { checkRadius, DEFAULT_K } from "../search/plan.js";
import type { Searchable } from "../search/searchable.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { METRIC_NAMES, type Metric } from "../words/kinds.js";
import { checkSignal, flag, heed, integer, known } from "../words/options.js";
import { part } from "../words/part.js";
import { type Asking, type Block, blockOf, Fetching, type Work } from "./fetching.js";
import type { PublishedFields } from "./fields.js";
import { type Head, idAt, listAt, Places, ROW_AT, readHead, readScaled, viewOf } from "./format.js";
import { type Fetch, Host, type Place } from "./host.js";
import { Recent, Stored } from "./kept.js";
import { Lists, type Scored } from "./lists.js";
import { nextLook } from "./looking.js";
import { chosenOf, REQUESTS } from "./spans.js";
import type { Zones } from "./zones.js";

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

export interface RangeHit {
  /** As it was in the index or collection. */
  id: DocumentId;
  /** Smaller is nearer; by rows as they were published. */
  distance: number;
  /** What `select` names of its data; missing where there is none, or select is []. */
  data?: Data;
}

/** What a search has cost. */
export interface RangeWork extends Readonly<Work> {
  /** Lists whose codes were looked at, and documents whose rows were. */
  readonly lists: number;
  readonly candidates: number;
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
/** Within a radius so many are looked for first, then four times as many, until the farthest is beyond it. */
const FIRST_WITHIN = 64;
const OPEN_NAMES = ["cacheBytes", "cacheStorage", "fetch", "signal"];
const SEARCH_NAMES = ["k", "where", "select", "radius", "nprobe", "candidates", "exact", "signal"];

/** A search's options, checked. */
interface Wish {
  readonly k: number;
  readonly nprobe: number;
  readonly candidates: number | undefined;
  readonly radius: number;
  readonly exact: boolean;
  readonly select: readonly string[] | undefined;
  readonly where: Where | undefined;
}

/** A condition on fields: what it means, and per list 0 where no document meets it. */
interface Condition {
  readonly fields: PublishedFields;
  readonly expression: Expression;
  readonly may: Uint8Array;
}

/** All that is open. */
interface Inside {
  readonly head: Head;
  readonly places: Places;
  readonly lists: Lists;
  readonly fetching: Fetching;
  readonly recent: Recent;
}

export class RangeIndex implements Searchable<DocumentId> {
  #inside: Inside | undefined;
  readonly #name: string;
  readonly #total: Work = { requests: 0, bytes: 0, rounds: 0 };
  /** From the first condition on. */
  #fields: PublishedFields | undefined;
  #zones: Zones | undefined;
  #last: RangeWork = { requests: 0, bytes: 0, rounds: 0, lists: 0, candidates: 0 };

  private constructor(name: string, inside: Inside) {
    this.#name = name;
    this.#inside = inside;
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
    const index = await RangeIndex.openAt(host, options);
    if (cacheStorage !== undefined) {
      const { fetching, head } = index.#open;
      fetching.stored = await Stored.open(cacheStorage, host.name, head.about.data);
    }
    return index;
  }

  /** @internal */
  static async openAt(place: Place, { cacheBytes, signal }: RangeOpenOptions): Promise<RangeIndex> {
    const recent = new Recent(integer("cacheBytes", cacheBytes ?? CACHE_BYTES, 0, Number.MAX_SAFE_INTEGER));
    const bytes = await place.head(signal);
    const head = readHead(bytes);
    const places = new Places(head);
    const lists = await Lists.open(head, places.first);
    const fetching = new Fetching(place, head.about, recent);
    const index = new RangeIndex(place.name, { head, places, lists, fetching, recent });
    index.#total.requests++;
    index.#total.bytes += bytes.length;
    return index;
  }

  get #open(): Inside {
    if (!this.#inside) throw new VicinalError("CLOSED", `the index of ${this.#name} is closed`);
    return this.#inside;
  }

  get size(): number {
    return this.#open.head.about.documents;
  }

  get dimensions(): number {
    return this.#open.head.state.dimensions;
  }

  /** What the search that ended last has cost. */
  get lastStats(): RangeWork {
    return this.#last;
  }

  stats(): RangeStats {
    const { head, lists, recent } = this.#open;
    const { rows, nprobe, candidates, recall, dataBytes } = head.about;
    return {
      metric: METRIC_NAMES[head.state.metric],
      dimensions: this.dimensions,
      size: this.size,
      lists: head.lists.length,
      ...{ rows, fields: Object.keys(head.about.fields), nprobe, candidates, recall, dataBytes },
      bytes: lists.bytes + (this.#fields?.bytes ?? 0) + recent.bytes,
      requests: this.#total.requests,
      fetchedBytes: this.#total.bytes,
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
    return this.#search(lists.query(query), wish, signal);
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
    for (const query of own) all.push(await this.#search(query, wish, signal));
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

  async #search(query: Float32Array, wish: Wish, signal: AbortSignal | undefined): Promise<RangeHit[]> {
    const asking: Asking = { work: { requests: 0, bytes: 0, rounds: 0 }, signal };
    const { work } = asking;
    let last = { lists: 0, candidates: 0 };
    try {
      for (let k = wish.radius === Infinity ? wish.k : Math.min(FIRST_WITHIN, wish.k); ; k = Math.min(4 * k, wish.k)) {
        const { lists, places } = await this.#nominate(query, { ...wish, candidates: this.#candidatesFor(wish, k) }, asking);
        last = { lists, candidates: places.length };
        const scored = await this.#rescore(query, places, k, asking);
        const within = scored.filter(({ distance }) => distance <= wish.radius);
        if (within.length < scored.length || scored.length < k || k === wish.k)
          return await this.#told(within, wish.select, asking);
      }
    } finally {
      this.#last = { ...work, ...last };
      this.#total.requests += work.requests;
      this.#total.bytes += work.bytes;
    }
  }

  /** Documents whose rows are read, for k hits. */
  #candidatesFor({ candidates }: Wish, k: number): number {
    const { about } = this.#open.head;
    const usual = Math.max(Math.ceil((about.candidates * k) / DEFAULT_K), about.candidates);
    return Math.min(Math.max(candidates ?? usual, k), about.documents);
  }

  /** The documents whose rows are to be read, by the codes of the nearest lists, or of all. */
  async #nominate(
    query: Float32Array,
    wish: Wish & { readonly candidates: number },
    asking: Asking,
  ): Promise<{ lists: number; places: number[] }> {
    const { lists, head, places } = this.#open;
    const condition = wish.where === undefined ? undefined : await this.#conditionOf(wish.where, asking);
    const order = lists.nearest(query).filter((list) => head.lists[list].documents > 0 && condition?.may[list] !== 0);
    const wanted = wish.exact ? head.about.documents : wish.candidates;
    for (let look = 1, n = wish.exact ? order.length : wish.nprobe; ; look++) {
      const chosen = chosenOf(places, head.lists, order, n, wanted).lists;
      await this.#arrive(chosen, condition?.fields, asking);
      const passing = condition && (await this.#passing(condition, chosen));
      const documents = chosen.reduce((sum, list) => sum + head.lists[list].documents, 0);
      const seen = { look, lists: chosen.length, documents, passing: passing?.length ?? documents };
      const next = chosen.length < order.length ? nextLook(seen, wish.nprobe, wanted, wish.k) : undefined;
      if (!passing || next === undefined) {
        return { lists: chosen.length, places: this.#open.lists.nominate(query, chosen, wanted, passing) };
      }
      n = next;
    }
  }

  /** Fetches what is not here of the codes of lists, and of their fields where these are asked for. */
  async #arrive(chosen: readonly number[], fields: PublishedFields | undefined, asking: Asking): Promise<void> {
    const { head, places, lists, fetching } = this.#open;
    const inOrder = [...chosen].sort((a, b) => a - b);
    const codes = inOrder
      .filter((list) => !lists.has(list))
      .map((list) => ({ list, ...blockOf(`codes ${list}`, places.codes(list), head.lists[list].codesChecksum) }));
    const texts = (fields ? inOrder : [])
      .filter((list) => !fields?.has(list))
      .map((list) => ({ list, ...blockOf(`fields ${list}`, places.fields(list), head.lists[list].fieldsChecksum) }));
    const arrived: { list: number; bytes: Uint8Array }[] = [];
    const fetched = await Promise.all([
      fetching.blocks(codes, REQUESTS, asking, ({ list }, bytes) => void arrived.push({ list, bytes }), true),
      fetching.blocks(
        texts,
        REQUESTS,
        asking,
        ({ list }, bytes) => fields?.arrive(list, places.first[list], textOf(bytes)),
        true,
      ),
    ]);
    if (fetched.includes(true)) asking.work.rounds++;
    this.#open.lists.arrive(arrived);
  }

  /** What a condition means, and which lists may have what meets it: the first one fetches what is known of them. */
  async #conditionOf(where: Where, asking: Asking): Promise<Condition> {
    const { PublishedFields, Zones } = await part(import("./where.js"));
    const { head, places, fetching } = this.#open;
    this.#fields ??= new PublishedFields(head.about);
    const fields = this.#fields;
    const expression = fields.parse(where);
    if (!this.#zones) {
      const block = blockOf("zones", places.zones, head.about.zones.checksum);
      const take = (_: Block, bytes: Uint8Array): void => {
        this.#zones = new Zones(textOf(bytes), head.lists.length);
      };
      if (await fetching.blocks([block], 1, asking, take, true)) asking.work.rounds++;
    }
    return { fields, expression, may: await (this.#zones as Zones).may(expression) };
  }

  /** The places of documents in these lists that pass. */
  async #passing({ fields, expression }: Condition, chosen: readonly number[]): Promise<Uint32Array> {
    const { places, head } = this.#open;
    const asked = new Uint8Array(head.lists.length);
    for (const list of chosen) asked[list] = 1;
    const all = await fields.passing(expression);
    return all.filter((place) => asked[listAt(places.first, place)] === 1);
  }

  /** The k nearest of some documents, by their rows, with what else their records hold. */
  async #rescore(
    query: Float32Array,
    nominated: readonly number[],
    k: number,
    asking: Asking,
  ): Promise<(Scored & { record: Uint8Array })[]> {
    const { head, places, fetching } = this.#open;
    if (nominated.length === 0) return [];
    const { about, state } = head;
    const inOrder = [...nominated].sort((a, b) => a - b);
    const blocks = inOrder.map((place) => ({ place, ...recordOf(place, places) }));
    const records = new Map<number, Uint8Array>();
    const fetched = await fetching.blocks(blocks, REQUESTS, asking, ({ place }, bytes) => void records.set(place, bytes));
    if (fetched) asking.work.rounds++;
    const { dimensions } = state;
    const rows = new Float32Array(inOrder.length * dimensions);
    for (const [i, place] of inOrder.entries()) {
      const record = records.get(place) as Uint8Array;
      if (about.rows === "sq8") readScaled(record, ROW_AT, dimensions, rows, i * dimensions);
      else {
        const view = viewOf(record);
        for (let j = 0; j < dimensions; j++) rows[i * dimensions + j] = view.getFloat32(ROW_AT + 4 * j, true);
      }
    }
    const scored = this.#open.lists.rescore(query, inOrder, rows, k);
    return scored.map((one) => ({ ...one, record: records.get(one.place) as Uint8Array }));
  }

  /** Hits with their ids, and their data where it is wanted. */
  async #told(
    scored: readonly (Scored & { record: Uint8Array })[],
    select: readonly string[] | undefined,
    asking: Asking,
  ): Promise<RangeHit[]> {
    const { head, places, fetching } = this.#open;
    const { about, state } = head;
    const at = idAt(about, state.dimensions);
    const hits = scored.map(({ record, distance }): RangeHit => ({ id: idIn(record, at), distance }));
    if (!about.payloads || hits.length === 0 || select?.length === 0) return hits;
    const selected = selectionOf(select);
    const blocks = scored.map(({ place, record }, i) => ({ hit: hits[i], ...payloadOf(place, record, at, places.payloads) }));
    blocks.sort((a, b) => a.span.from - b.span.from);
    const fetched = await fetching.blocks(blocks, REQUESTS, asking, ({ hit }, bytes) => {
      const data = JSON.parse(textOf(bytes)) as Data;
      hit.data = selected ? selected(data) : data;
    });
    if (fetched) asking.work.rounds++;
    return hits;
  }

  /** Gives the memory back; any later use is CLOSED, also for searches that are under way. Closing again does nothing. */
  close(): void {
    this.#inside?.lists.close();
    this.#inside = undefined;
  }
}

function recordOf(place: number, places: Places): Block {
  const holds = (bytes: Uint8Array): boolean => xxh32(bytes.subarray(ROW_AT), place) === viewOf(bytes).getUint32(0, true);
  return { name: `record ${place}`, span: places.record(place), holds };
}

function payloadOf(place: number, record: Uint8Array, end: number, payloads: number): Block {
  const view = viewOf(record);
  const [high, low, bytes, checksum] = [16, 12, 8, 4].map((before) => view.getUint32(end - before, true));
  const from = payloads + high * 2 ** 32 + low;
  return blockOf(`data of ${place}`, { from, to: from + bytes }, checksum);
}

function idIn(record: Uint8Array, at: number): DocumentId {
  let end = record.length;
  while (record[end - 1] === 0) end--;
  return JSON.parse(textOf(record.subarray(at, end))) as DocumentId;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
