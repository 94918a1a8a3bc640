// A collection whose shards are elsewhere: documents go to the log of their shard, questions to all shards at once, and what these
// answer is merged. Any number of processes and pages may have one; none of them knows more than the shard map and who is alive.
import type { KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import type { DocumentInput, DocumentPatch } from "../collection/changing.js";
import { checkDocumentId, type DocumentId } from "../collection/keys.js";
import { rescored } from "../collection/rescored.js";
import { rowsOfBytes } from "../collection/rows.js";
import type { Document } from "../collection/scanning.js";
import { type DocumentHit, wishOf } from "../collection/searching.js";
import { parse, type Where } from "../collection/where/parse.js";
import type { Shape, Vector, Vectors } from "../input/vectors.js";
import { mergeHits } from "../search/merging.js";
import type { Searchable } from "../search/searchable.js";
import { badOption, VicinalError } from "../words/errors.js";
import { flag, known } from "../words/options.js";
import { Alive } from "./alive.js";
import type { Beat, Ids } from "./asked.js";
import { Asking } from "./asking.js";
import { type Changes, type Item, messagesOf } from "./changes.js";
import {
  ASK_NAMES,
  type AskOptions,
  type Connected,
  type ConnectOptions,
  checkConnect,
  checkWaits,
  type NatsSearchOptions,
  type NatsStats,
  type PartialHits,
  type WriteOptions,
} from "./connecting.js";
import { checkData, checkDocuments, queriesOf, vectorsOf } from "./given.js";
import { checkName, partitionOf, shardOf } from "./names.js";
import { onReconnect } from "./reconnecting.js";
import { type Asked, Scattering, shardsOf, unless } from "./scattering.js";
import { type Generation, openBucket, readMap, type ShardMap, shapeOf, watchMap } from "./shard-map.js";
import { Writing, type Written } from "./writing.js";

/** Queries that a shard is asked at once. */
const TOGETHER = 64;
/** Of a message, what is left for its head. */
const SPARE_BYTES = 4096;
/** Ids that a removal by conditions asks a shard for at a time. */
const REMOVED = 4096;
const GREET_MS = 1000;
/** Until replicas that were asked have told how they are. */
const TOLD_MS = 100;

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
  readonly #options: Connected;
  readonly #asking: Asking;
  readonly #writing: Writing;
  readonly #scattering: Scattering;
  #asked: Asked;
  #unwatch: () => void = () => {};
  readonly #unhear: () => void;
  #closed = false;

  private constructor(nc: NatsConnection, kv: KV, name: string, map: ShardMap, options: ConnectOptions) {
    this.#options = checkConnect(options);
    this.#nc = nc;
    this.#kv = kv;
    this.#name = name;
    this.#asking = new Asking(nc);
    this.#scattering = new Scattering(this.#asking, name, this.#options.within);
    this.#unhear = onReconnect(nc, () => void this.#lookAgain());
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
    checkDocuments(list, ["id", "vector", "text", "data"]);
    const vectors = await vectorsOf(list, this.#shape, this.#options.embed);
    return this.#write(
      "put",
      list.map(({ id, data = {} }, i) => ({ id, data: checkData(data, i), vector: vectors[i] })),
      options,
    );
  }

  /** As of Collection: fields that change, merged. `count` of what is returned: how many of the documents were there. */
  async update(patches: DocumentPatch | readonly DocumentPatch[], options: WriteOptions = {}): Promise<Written> {
    const list = Array.isArray(patches) ? (patches as readonly DocumentPatch[]) : [patches as DocumentPatch];
    checkDocuments(list, ["id", "data"]);
    return this.#write(
      "patch",
      list.map(({ id, data }, i) => ({ id, data: checkData(data, i) })),
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
      this.#checkWhere(where);
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
      const ask = { call: "ids", where, most: REMOVED } as const;
      const lists = (await this.#scattering.each(this.#open, ask, { written: all })) as Ids[];
      const ids = lists.flatMap((list) => list.ids);
      if (ids.length === 0) return all;
      const { count, sequences } = await this.#write(
        "remove",
        ids.map((id) => ({ id })),
        options,
      );
      all = { count: all.count + count, sequences: { ...all.sequences, ...sequences } };
      if (!lists.some(({ more }) => more)) return all;
    }
  }

  /** A document, or undefined. `vector: false` leaves its vector out. Errors: BAD_ID, NO_ANSWER. */
  async get(id: DocumentId, options: AskOptions & { vector?: boolean } = {}): Promise<Document | undefined> {
    known("get", options, [...ASK_NAMES, "vector"]);
    const { vector: wanted, ...rest } = options;
    const asked = this.#open;
    const shard = shardOf(partitionOf(checkDocumentId(id, "id")), asked.map.now.shards);
    const vector = wanted === undefined || flag("vector", wanted);
    const { value, bytes } = await this.#scattering.ask(asked, shard, { call: "get", id, vector }, rest);
    if (value === null) return undefined;
    return { ...(value as Document), ...(vector && { vector: rowsOfBytes(bytes, shapeOf(asked.map)) }) };
  }

  async has(id: DocumentId, options: AskOptions = {}): Promise<boolean> {
    return (await this.get(id, { ...options, vector: false })) !== undefined;
  }

  /** How many documents there are, or meet conditions. Errors: BAD_WHERE, NO_ANSWER. */
  async count(options: AskOptions & { where?: Where } = {}): Promise<number> {
    known("count", options, [...ASK_NAMES, "where"]);
    const { where, ...rest } = options;
    this.#checkWhere(where);
    const counts = await this.#scattering.each(this.#open, { call: "count", ...(where !== undefined && { where }) }, rest);
    return counts.reduce((sum: number, count) => sum + (count as number), 0);
  }

  /**
   * The documents nearest to a vector, or to a text by `embed`, nearest first; equal distances are in order of ids, where there are more
   * of them than k maybe other ids than one collection would have. Errors: those of Collection.search; NO_ANSWER where a shard has not
   * answered in time: searchPartial does without.
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
    const [p50Ms, p99Ms] = [latencies.quantile(0.5), latencies.quantile(0.99)];
    return { generation, shards, replicas, hedged, again, p50Ms, p99Ms, hedgeMs };
  }

  /** @internal For the doctor: what the map says, and so many ids of each shard. */
  protected async examined(most: number): Promise<Pick<ShardMap, "metric"> & Pick<Generation, "index"> & Pick<Ids, "ids">> {
    const asked = this.#open;
    const lists = (await this.#scattering.each(asked, { call: "ids", where: {}, most }, {})) as Ids[];
    const { metric, now } = asked.map;
    return { metric, ...(now.index && { index: now.index }), ids: lists.flatMap(({ ids }) => ids) };
  }

  /** Any later use is CLOSED. The connection stays open. */
  close(): void {
    this.#closed = true;
    this.#unwatch();
    this.#unhear();
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
    const { map } = await readMap(this.#kv, this.#name).catch(() => ({ map: undefined }));
    if (map) await this.#heard(map);
  }

  async #write(what: Changes["what"], items: readonly Item[], options: WriteOptions): Promise<Written> {
    known("a write", options, ["replicas", "within"]);
    const { waits, readYourWrites } = this.#options;
    const own = checkWaits(options.replicas ?? waits.replicas, options.within ?? waits.within);
    const messages = messagesOf(what, items, this.#mostBytes);
    const written = await this.#writing.write(messages, own);
    const { seen } = this.#scattering;
    if (readYourWrites) {
      for (const [partition, sequence] of Object.entries(written.sequences))
        seen[Number(partition)] = Math.max(seen[Number(partition)] ?? 0, sequence);
    }
    return written;
  }

  /** Before it is sent: JSON would leave out what is undefined, and a condition with it. */
  #checkWhere(where: unknown): void {
    if (where !== undefined) parse(where, this.#open.map.fields);
  }

  get #mostBytes(): number {
    return (this.#nc.info?.max_payload ?? 1 << 20) - SPARE_BYTES;
  }

  /** `missing`: where shards are told that have not answered; where it is not given, one fails the search. */
  async #search(
    given: Vectors | readonly (Vector | string)[],
    { within, written, ...options }: NatsSearchOptions,
    missing: Set<number> | undefined,
  ): Promise<DocumentHit[][]> {
    if ((options as { after?: unknown }).after !== undefined)
      throw badOption("after is of one collection: not of several shards");
    const wish = wishOf(options);
    this.#checkWhere(options.where);
    const { rescore, candidates: _, signal, k: __, ...rest } = options;
    const asked = this.#open;
    const queries = await queriesOf(given, shapeOf(asked.map), this.#options.embed, signal);
    const lists: DocumentHit[][] = [];
    const k = wish.candidates || wish.k;
    const most = Math.max(
      1,
      Math.min(TOGETHER, Math.floor((this.#mostBytes - SPARE_BYTES) / Math.max(queries.rows[0]?.length ?? 1, 1))),
    );
    const asking = { ...(within !== undefined && { within }), ...(written && { written }) };
    for (let i = 0; i < queries.rows.length; i += most) {
      const rows = queries.rows.slice(i, i + most);
      const wanted = { ...rest, ...(k !== undefined && { k }) };
      const found = await unless(signal, () => this.#scattering.scatter(asked, rows, wanted, asking, missing));
      for (const perShard of found) lists.push(mergeHits(perShard, k));
    }
    if (!rescore) return lists;
    const all: DocumentHit[][] = [];
    for (const [i, hits] of lists.entries()) all.push(await rescored(hits, queries.asked[i], rescore, wish.k, signal));
    return all;
  }

  /** Asks every replica of a partition's shard that is known. */
  async #howFar(partition: number): Promise<Beat[]> {
    const { map, alive } = this.#asked;
    const shard = shardOf(partition, map.now.shards);
    alive.refresh();
    await new Promise((resolve) => setTimeout(resolve, TOLD_MS));
    return alive.of(shard).filter(({ ready }) => ready);
  }
}
