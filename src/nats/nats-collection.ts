// A collection whose shards are elsewhere: documents go to the log of their shard, questions to all shards at once, and what these
// answer is merged. Any number of processes and pages may have one; none of them knows more than the shard map and who is alive.
import type { KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import type { DocumentInput, DocumentPatch } from "../collection/changing.js";
import { embedded } from "../collection/embedding.js";
import { checkDocumentId, type DocumentId } from "../collection/keys.js";
import type { Embed } from "../collection/options.js";
import { rescored } from "../collection/rescored.js";
import { rowsOfBytes } from "../collection/rows.js";
import type { Document } from "../collection/scanning.js";
import { type CollectionSearchOptions, type DocumentHit, wishOf } from "../collection/searching.js";
import type { Where } from "../collection/where/parse.js";
import { rowsOf, type Shape, type Vector, type Vectors } from "../input/vectors.js";
import { mergeHits } from "../search/merging.js";
import type { Searchable } from "../search/searchable.js";
import type { Bytes } from "../words/arrays.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { flag, heed, integer, known } from "../words/options.js";
import { Alive } from "./alive.js";
import type { Ask, Beat, Question } from "./asked.js";
import { type AskedShard, Asking, type Found } from "./asking.js";
import { bytesOfRows, type Changes, messagesOf } from "./changes.js";
import { checkName, partitionOf, shardOf } from "./names.js";
import { openBucket, readMap, type ShardMap, shapeOf, watchMap } from "./shard-map.js";
import { type Waits, Writing, type Written } from "./writing.js";

export interface ConnectOptions {
  /** Makes the vectors of documents and queries that are given as text. */
  embed?: Embed;
  /** Milliseconds that a shard has for an answer. Default 2000. */
  within?: number;
  /** Milliseconds that a write has. Default 10000. */
  writeWithin?: number;
  /** Replicas that have made a write durable when it resolves; 0: the log has taken it, and may lose it where its machine crashes. Default 1. */
  replicas?: number;
  /** Whether questions wait for the writes that were made here before. Default false. */
  readYourWrites?: boolean;
}

export interface AskOptions {
  /** Milliseconds that a shard has for an answer. Default that of connectCollection. */
  within?: number;
  /** The answer is to have these writes. */
  written?: Written;
  signal?: AbortSignal;
}

export interface WriteOptions {
  /** As of connectCollection. */
  replicas?: number;
  /** As of connectCollection, `writeWithin`. */
  within?: number;
}

/** As of Collection, but for `after`. */
export type NatsSearchOptions = Omit<CollectionSearchOptions, "after"> & AskOptions;

/** What the shards that answered have found. */
export interface PartialHits {
  readonly hits: DocumentHit[];
  /** Whether a shard is missing. */
  readonly partial: boolean;
  /** Shards that have not answered. */
  readonly missing: readonly number[];
}

export interface NatsStats {
  readonly generation: number;
  readonly shards: number;
  /** Replicas as they last told of themselves. */
  readonly replicas: readonly Beat[];
  /** Second requests, and requests that went elsewhere. */
  readonly hedged: number;
  readonly again: number;
  /** Of answers of single shards; a second request goes out after hedgeMs. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly hedgeMs: number;
}

const CONNECT_NAMES = ["embed", "within", "writeWithin", "replicas", "readYourWrites"];
const WITHIN_MS = 2000;
const WRITE_WITHIN_MS = 10_000;
/** The server knows ids of messages for two minutes: one that was published for longer could be there twice. */
const MOST_WRITE_MS = 100_000;
const MOST_MS = 3_600_000;
/** Queries that a shard is asked at once. */
const TOGETHER = 64;
/** Of a message, what is left for its head. */
const SPARE_BYTES = 4096;
/** Ids that a removal by conditions asks a shard for at a time. */
const REMOVED = 4096;
const GREET_MS = 1000;

/** The generation that is asked. */
interface Asked {
  readonly map: ShardMap;
  readonly alive: Alive;
}

/**
 * A collection on a server of NATS, which createShards has made and replicas serve. `nc`: a connection of "@nats-io/transport-node",
 * or wsconnect of "@nats-io/nats-core"; it stays the caller's. Errors: BAD_OPTION; MISSING where there is no such collection.
 */
export async function connectCollection(
  nc: NatsConnection,
  collection: string,
  options: ConnectOptions = {},
): Promise<NatsCollection> {
  return NatsCollection.open(nc, checkName(collection), options);
}

export class NatsCollection implements Searchable<DocumentId> {
  readonly #nc: NatsConnection;
  readonly #kv: KV;
  readonly #name: string;
  readonly #options: { embed: Embed | undefined; within: number; waits: Waits; readYourWrites: boolean };
  readonly #asking: Asking;
  readonly #writing: Writing;
  readonly #seen: Record<number, number> = {};
  #asked: Asked;
  #unwatch: () => void = () => {};
  #closed = false;

  private constructor(nc: NatsConnection, kv: KV, name: string, map: ShardMap, options: ConnectOptions) {
    known("connectCollection", options, CONNECT_NAMES);
    const { embed } = options;
    if (embed !== undefined && typeof embed !== "function")
      throw badOption(`embed is ${show(embed)}; it must be a function of texts`);
    this.#options = {
      embed,
      within: integer("within", options.within ?? WITHIN_MS, 1, MOST_MS),
      waits: waitsOf(options.replicas ?? 1, options.writeWithin ?? WRITE_WITHIN_MS),
      readYourWrites: flag("readYourWrites", options.readYourWrites),
    };
    this.#nc = nc;
    this.#kv = kv;
    this.#name = name;
    this.#asking = new Asking(nc);
    this.#asked = { map, alive: new Alive(nc, name, map.now.generation) };
    this.#writing = new Writing(
      nc,
      name,
      (generation) => generation === this.#asked.map.now.generation,
      (partition) => this.#howFar(partition),
    );
  }

  /** @internal */
  static async open(nc: NatsConnection, name: string, options: ConnectOptions): Promise<NatsCollection> {
    const kv = await openBucket(nc, name);
    const { map } = await readMap(kv, name);
    const collection = new NatsCollection(nc, kv, name, map, options);
    collection.#unwatch = await watchMap(kv, (map) => void collection.#heard(map));
    void collection.#lookAgain();
    await collection.#asked.alive.greet(map.now.shards, GREET_MS);
    return collection;
  }

  get dimensions(): number {
    return this.#open.map.dimensions;
  }

  /** Documents, as replicas told last; `count()` asks. */
  get size(): number {
    return this.#open.alive.size;
  }

  /**
   * Puts documents in, in place of those with their ids; none where one of them is no document. Resolves when `replicas` of every shard
   * concerned have made them durable and searches find them there. Documents of one call may be found one earlier than the other.
   * Errors: BAD_OPTION, BAD_ID, DUPLICATE_ID, BAD_DIMENSION, NOT_FINITE, TOO_LARGE before anything is written; NO_ANSWER, and then
   * some may be in; BAD_FIELD where a field is declared otherwise, and then the other shards' may be in.
   */
  async upsert(documents: DocumentInput | readonly DocumentInput[], options: WriteOptions = {}): Promise<Written> {
    const list = Array.isArray(documents) ? (documents as readonly DocumentInput[]) : [documents as DocumentInput];
    checkAll(list, ["id", "vector", "text", "data"]);
    const vectors = await this.#vectorsOf(list);
    return this.#write(
      "put",
      list.map(({ id, data = {} }, i) => ({ id, data: plain(data, i), vector: vectors[i] })),
      options,
    );
  }

  /** As of Collection: fields that change, merged. `count` of what is returned: how many of the documents were there. */
  async update(patches: DocumentPatch | readonly DocumentPatch[], options: WriteOptions = {}): Promise<Written> {
    const list = Array.isArray(patches) ? (patches as readonly DocumentPatch[]) : [patches as DocumentPatch];
    checkAll(list, ["id", "data"]);
    return this.#write(
      "patch",
      list.map(({ id, data }, i) => ({ id, data: plain(data, i) })),
      options,
    );
  }

  /**
   * Removes documents by id, or those that meet conditions when a shard is asked: one that is changed meanwhile goes as well. `count` of
   * what is returned: how many were there.
   */
  async delete(
    what: DocumentId | readonly DocumentId[] | { readonly where: Where },
    options: WriteOptions = {},
  ): Promise<Written> {
    if (what !== null && typeof what === "object" && !Array.isArray(what)) {
      known("delete", what, ["where"]);
      const { where } = what as { where: Where };
      if (where === undefined)
        throw badOption("delete takes ids, or { where } with conditions; to remove all documents give { where: {} }");
      return this.#deleteWhere(where, options);
    }
    const ids = Array.isArray(what) ? (what as readonly DocumentId[]) : [what as DocumentId];
    const unique = [...new Set(ids.map((id, i) => checkDocumentId(id, `ids[${i}]`)))];
    return this.#write(
      "remove",
      unique.map((id) => ({ id })),
      options,
    );
  }

  async #deleteWhere(where: Where, options: WriteOptions): Promise<Written> {
    let all: Written = { count: 0, sequences: {} };
    for (;;) {
      const asked = this.#open;
      const lists = await Promise.all(
        shardsOf(asked).map((shard) => this.#ask(asked, shard, { call: "ids", where, most: REMOVED }, { written: all })),
      );
      const ids = lists.flatMap(({ value }) => value as DocumentId[]);
      if (ids.length === 0) return all;
      const { count, sequences } = await this.#write(
        "remove",
        ids.map((id) => ({ id })),
        options,
      );
      all = { count: all.count + count, sequences: { ...all.sequences, ...sequences } };
      if (lists.every(({ value }) => (value as DocumentId[]).length < REMOVED)) return all;
    }
  }

  /** A document, or undefined. `vector: false` leaves its vector out. Errors: BAD_ID, NO_ANSWER. */
  async get(id: DocumentId, options: AskOptions & { vector?: boolean } = {}): Promise<Document | undefined> {
    const { vector: wanted, ...rest } = options;
    const asked = this.#open;
    const shard = shardOf(partitionOf(checkDocumentId(id, "id")), asked.map.now.shards);
    const vector = wanted === undefined || flag("vector", wanted);
    const { value, bytes } = await this.#ask(asked, shard, { call: "get", id, vector }, rest);
    if (value === null) return undefined;
    return { ...(value as Document), ...(vector && { vector: rowsOfBytes(bytes, shapeOf(asked.map)) }) };
  }

  async has(id: DocumentId, options: AskOptions = {}): Promise<boolean> {
    return (await this.get(id, { ...options, vector: false })) !== undefined;
  }

  /** How many documents there are, or meet conditions. Errors: BAD_WHERE, NO_ANSWER. */
  async count(options: AskOptions & { where?: Where } = {}): Promise<number> {
    const { where, ...rest } = options;
    const asked = this.#open;
    const counts = await Promise.all(
      shardsOf(asked).map((shard) => this.#ask(asked, shard, { call: "count", ...(where && { where }) }, rest)),
    );
    return counts.reduce((sum, { value }) => sum + (value as number), 0);
  }

  /**
   * The documents nearest to a vector, or to a text by `embed`, nearest first; equal distances are in order of ids. Errors: those of
   * Collection.search; NO_ANSWER where a shard has not answered in time: searchPartial does without.
   */
  async search(query: Vector | string, options: NatsSearchOptions = {}): Promise<DocumentHit[]> {
    return (await this.#search([query], options, undefined))[0];
  }

  /** The same of the shards that answer in time. Errors: as search; NO_ANSWER where none does. */
  async searchPartial(query: Vector | string, options: NatsSearchOptions = {}): Promise<PartialHits> {
    const missing = new Set<number>();
    const [hits] = await this.#search([query], options, missing);
    return { hits, partial: missing.size > 0, missing: [...missing].sort((a, b) => a - b) };
  }

  /** Many queries, in their order: vectors and texts in an array, or n * dimensions numbers. */
  async searchBatch(queries: Vectors | readonly (Vector | string)[], options: NatsSearchOptions = {}): Promise<DocumentHit[][]> {
    const mixed = Array.isArray(queries) && queries.some((one) => typeof one === "string");
    return this.#search(mixed ? (queries as (Vector | string)[]) : queries, options, undefined);
  }

  stats(): NatsStats {
    const { map, alive } = this.#open;
    const { hedged, again, latencies, hedgeMs } = this.#asking;
    const { generation, shards } = map.now;
    const replicas = shardsOf(this.#asked).flatMap((shard) => alive.of(shard));
    return {
      generation,
      shards,
      replicas,
      hedged,
      again,
      p50Ms: latencies.quantile(0.5),
      p99Ms: latencies.quantile(0.99),
      hedgeMs,
    };
  }

  /** Any later use is CLOSED. The connection stays open. */
  close(): void {
    this.#closed = true;
    this.#unwatch();
    this.#asked.alive.close();
    this.#writing.close();
  }

  get #open(): Asked {
    if (this.#closed) throw new VicinalError("CLOSED", `the collection ${this.#name} is closed`);
    return this.#asked;
  }

  get #shape(): Shape {
    return shapeOf(this.#open.map);
  }

  /** Another generation is asked when its replicas are known; what is under way goes on with the one that it began with. */
  async #heard(map: ShardMap): Promise<void> {
    if (this.#closed) return;
    const before = this.#asked;
    if (map.now.generation === before.map.now.generation) {
      this.#asked = { map, alive: before.alive };
      return;
    }
    if (map.now.generation < before.map.now.generation) return;
    const alive = new Alive(this.#nc, this.#name, map.now.generation);
    await alive.greet(map.now.shards, GREET_MS);
    if (this.#closed || this.#asked !== before) return alive.close();
    this.#asked = { map, alive };
    before.alive.close();
  }

  /** Whatever was told while the server was away. */
  async #lookAgain(): Promise<void> {
    for await (const { type } of this.#nc.status()) {
      if (this.#closed) return;
      if (type !== "reconnect") continue;
      const { map } = await readMap(this.#kv, this.#name).catch(() => ({ map: undefined }));
      if (map) await this.#heard(map);
    }
  }

  async #write(
    what: Changes["what"],
    items: readonly { id: DocumentId; data?: object; vector?: Uint8Array }[],
    options: WriteOptions,
  ) {
    known("a write", options, ["replicas", "within"]);
    const { waits, readYourWrites } = this.#options;
    const own = waitsOf(options.replicas ?? waits.replicas, options.within ?? waits.within);
    const messages = messagesOf(what, items, this.#mostBytes);
    const written = await this.#writing.write(messages, own);
    if (readYourWrites) {
      for (const [partition, sequence] of Object.entries(written.sequences))
        this.#seen[Number(partition)] = Math.max(this.#seen[Number(partition)] ?? 0, sequence);
    }
    return written;
  }

  get #mostBytes(): number {
    return (this.#nc.info?.max_payload ?? 1 << 20) - SPARE_BYTES;
  }

  async #vectorsOf(documents: readonly DocumentInput[]): Promise<Uint8Array[]> {
    const texts: string[] = [];
    documents.forEach(({ vector, text }, i) => {
      if ((vector === undefined) === (text === undefined))
        throw badOption(`documents[${i}] must have a vector or a text to make one of, and not both`);
      if (text !== undefined) texts.push(text);
    });
    const made = texts.length > 0 ? await embedded(this.#options.embed, texts, this.#shape, {}) : [];
    let next = 0;
    return bytesOfRows(
      rowsOf(
        documents.map(({ vector }) => vector ?? made[next++]),
        this.#shape,
        "vectors",
      ),
      this.#shape,
    );
  }

  /** `missing`: where shards are told that have not answered; where it is not given, one fails the search. */
  async #search(
    given: Vectors | readonly (Vector | string)[],
    { within, written, ...options }: NatsSearchOptions,
    missing: Set<number> | undefined,
  ): Promise<DocumentHit[][]> {
    if ("after" in options) throw badOption("after is of one collection: not of several shards");
    const wish = wishOf(options);
    const { rescore, candidates: _, signal, k: __, ...rest } = options;
    const asked = this.#open;
    const queries = await this.#queries(given, signal);
    const lists: DocumentHit[][] = [];
    const k = wish.candidates || wish.k;
    const most = Math.max(
      1,
      Math.min(TOGETHER, Math.floor((this.#mostBytes - SPARE_BYTES) / Math.max(queries.rows[0]?.length ?? 1, 1))),
    );
    const asking = { ...(within !== undefined && { within }), ...(written && { written }) };
    for (let i = 0; i < queries.rows.length; i += most) {
      heed(signal);
      const rows = queries.rows.slice(i, i + most);
      const found = this.#scatter(asked, rows, { ...rest, ...(k !== undefined && { k }) }, asking, missing);
      for (const perShard of await unless(signal, found)) lists.push(mergeHits(perShard, k));
    }
    if (!rescore) return lists;
    const all: DocumentHit[][] = [];
    for (const [i, hits] of lists.entries()) all.push(await rescored(hits, queries.asked[i], rescore, wish.k, signal));
    return all;
  }

  async #queries(given: Vectors | readonly (Vector | string)[], signal: AbortSignal | undefined) {
    const shape = this.#shape;
    const list = given as readonly (Vector | string)[];
    const texts = Array.isArray(given) ? list.filter((one): one is string => typeof one === "string") : [];
    const made = texts.length > 0 ? await embedded(this.#options.embed, texts, shape, { ...(signal && { signal }) }) : [];
    let next = 0;
    const vectors = texts.length > 0 ? list.map((one) => (typeof one === "string" ? made[next++] : one)) : given;
    const rows = bytesOfRows(rowsOf(vectors, shape, "queries"), shape);
    return { rows, asked: rows.map((bytes, i) => (typeof list[i] === "string" ? list[i] : rowsOfBytes(bytes, shape))) };
  }

  /** Per query, what each shard has found. */
  async #scatter(
    asked: Asked,
    rows: readonly Uint8Array[],
    options: object,
    asking: AskOptions,
    missing: Set<number> | undefined,
  ): Promise<DocumentHit[][][]> {
    const shards = shardsOf(asked);
    const answers = await Promise.allSettled(shards.map((shard) => this.#askSearch(asked, shard, rows, options, asking)));
    const found: DocumentHit[][][] = [];
    let lacking: unknown;
    for (const [shard, answer] of answers.entries()) {
      if (answer.status === "fulfilled") {
        found.push(answer.value);
        continue;
      }
      const { code } = answer.reason as VicinalError;
      if (!missing || code !== "NO_ANSWER") throw answer.reason;
      lacking = answer.reason;
      missing.add(shard);
    }
    if (found.length === 0) throw lacking;
    return rows.map((_, i) => found.map((lists) => lists[i]));
  }

  async #askSearch(
    asked: Asked,
    shard: number,
    rows: readonly Uint8Array[],
    options: object,
    asking: AskOptions,
  ): Promise<DocumentHit[][]> {
    try {
      const { value } = await this.#ask(asked, shard, { call: "search", n: rows.length, options }, asking, joined(rows));
      return value as DocumentHit[][];
    } catch (error) {
      // Fewer queries have a smaller answer.
      if (rows.length === 1 || (error as VicinalError).code !== "TOO_LARGE") throw error;
      const half = rows.length >> 1;
      const parts = [rows.slice(0, half), rows.slice(half)];
      return (await Promise.all(parts.map((part) => this.#askSearch(asked, shard, part, options, asking)))).flat();
    }
  }

  #ask({ map, alive }: Asked, shard: number, ask: Ask, options: AskOptions, bytes?: Bytes): Promise<Found> {
    const { generation, shards } = map.now;
    const of: AskedShard = { name: this.#name, generation, shard };
    const within = options.within === undefined ? this.#options.within : integer("within", options.within, 1, MOST_MS);
    const sequence = Math.max(lastOf(this.#seen, shard, shards), lastOf(options.written?.sequences ?? {}, shard, shards));
    const question: Question = { ask, within, ...(sequence > 0 && { sequence }) };
    return unless(options.signal, this.#asking.ask(of, alive, question, bytes));
  }

  /** Asks every replica of a partition's shard that is known. */
  async #howFar(partition: number): Promise<Map<string, number>> {
    const { map, alive } = this.#asked;
    const shard = shardOf(partition, map.now.shards);
    const found = new Map<string, number>();
    alive.refresh();
    await new Promise((resolve) => setTimeout(resolve, HOW_FAR_MS));
    for (const { replica, applied } of alive.of(shard)) found.set(replica, applied);
    return found;
  }
}

/** Until replicas that were asked have told how they are. */
const HOW_FAR_MS = 100;

const shardsOf = ({ map }: Asked): number[] => Array.from({ length: map.now.shards }, (_, shard) => shard);

function waitsOf(replicas: unknown, within: unknown): Waits {
  return { replicas: integer("replicas", replicas, 0, 64), within: integer("writeWithin", within, 1, MOST_WRITE_MS) };
}

/** The last sequence of a shard's partitions; 0 where there is none. */
function lastOf(sequences: Readonly<Record<number, number>>, shard: number, shards: number): number {
  let last = 0;
  for (const [partition, sequence] of Object.entries(sequences))
    if (shardOf(Number(partition), shards) === shard) last = Math.max(last, sequence);
  return last;
}

function checkAll(list: readonly { id: DocumentId }[], names: readonly string[]): void {
  const seen = new Set<DocumentId>();
  list.forEach((one, i) => {
    known(`documents[${i}]`, one, names);
    const id = checkDocumentId(one.id, `documents[${i}].id`);
    if (seen.has(id)) throw new VicinalError("DUPLICATE_ID", `documents[${i}].id is ${show(id)}, which is in this call before`);
    seen.add(id);
  });
}

function plain(data: unknown, i: number): object {
  if (data !== null && typeof data === "object" && !Array.isArray(data)) return data;
  throw badOption(`documents[${i}].data is ${show(data)}; it must be an object`);
}

function joined(rows: readonly Uint8Array[]): Bytes {
  const width = rows[0].length;
  const bytes = new Uint8Array(width * rows.length);
  rows.forEach((row, i) => void bytes.set(row, i * width));
  return bytes;
}

/** What a promise comes to, unless the signal is aborted before. */
function unless<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise;
  heed(signal);
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
