// One replica of one shard: a collection in a folder, fed from the log, that answers.
//
//   <dir>/g<generation>/             position.json (position.ts), and the lock
//   <dir>/g<generation>/documents/   the collection
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import { Collection } from "../collection/collection.js";
import type { Health } from "../collection/keeping.js";
import type { WorkerCollection } from "../collection/worker.js";
import type { Vector } from "../input/vectors.js";
import { folder } from "../storage/node.js";
import type { Storage } from "../storage/storage.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { integer, known } from "../words/options.js";
import { Applying } from "./applying.js";
import type { Beat } from "./asked.js";
import {
  askSubject,
  beatSubject,
  checkName,
  replicaSubject,
  type Shard,
  shardNamed,
  streamOf,
  tendSubject,
  whoSubject,
} from "./names.js";
import { checkPosition, POSITION_FILE, type Position, readPosition, type Whole, writePosition } from "./position.js";
import { Questions } from "./questions.js";
import { announce } from "./service.js";
import { type Generation, generationIn, openBucket, readMap, type ShardMap, shapeOf } from "./shard-map.js";
import {
  covering,
  loadSnapshots,
  loadUrl,
  purgedOf,
  readRecords,
  recordsOf,
  type SnapshotRecord,
  writeSnapshot,
} from "./snapshots.js";
import type { ReplicaStatus } from "./status.js";

export interface ServeOptions {
  /** Of createShards. */
  collection: string;
  /** "3/8": shard 3 of 8, the first being 0. */
  shard: string;
  /** A folder that this replica alone has. */
  dir: string;
  /** Default: the newest in the shard map that has so many shards. */
  generation?: number;
  /** Questions that wait; more are told to go elsewhere. Default 64. */
  queue?: number;
  /** As of Collection. */
  maxBytes?: number;
  /** As of Collection. */
  cacheBytes?: number;
  /** Where to begin, for a folder that is empty: default the object store, or the log where that has none. */
  snapshot?: string;
}

const NAMES = ["collection", "shard", "dir", "generation", "queue", "maxBytes", "cacheBytes", "snapshot"];
const QUEUE = 64;
const GROUP = "replicas";
const BEAT_MS = 1000;
/** One whose disk is full, or the like, answers for so long from what it has before it ends, to be begun again. */
const FAILED_MS = 30_000;
/** Searches before the first that is asked for. */
const WARM = 64;
const NO_TIERS = { fresh: 0, main: 0, logBytes: 0, doing: "idle" } as const;

/**
 * Opens a replica and returns when it is on its way; it answers once it has read the log. The connection stays the caller's. Errors:
 * BAD_OPTION; MISSING where there is no such collection, or no generation of so many shards; LOCKED where the folder is in use; those
 * of Collection.open.
 */
export async function serveShard(nc: NatsConnection, options: ServeOptions): Promise<Replica> {
  known("serveShard", options, NAMES);
  const name = checkName(options.collection);
  const shard = shardNamed(options.shard);
  if (typeof options.dir !== "string" || options.dir === "") throw badOption(`dir is ${show(options.dir)}; it must be a folder`);
  const most = integer("queue", options.queue ?? QUEUE, 1, 65536);
  const kv = await openBucket(nc, name);
  const { map } = await readMap(kv, name);
  const generation = generationFor(map, shard, options.generation, name);
  const stream = await (await jetstreamManager(nc)).streams.info(streamOf(name));
  const place = join(options.dir, `g${generation.generation}`);
  const storage = folder(place);
  const release = await storage.lock();
  const whole = { collection: name, generation: generation.generation, ...shard, created: stream.created };
  const opened = { storage, release, place, map, generation, options, shard, most };
  const contents = await filled(nc, kv, opened, whole).catch(async (error) => {
    await storage.close();
    await release();
    throw error;
  });
  return Replica.start(nc, kv, opened, contents);
}

interface Opened {
  readonly storage: Storage;
  readonly release: () => Promise<void>;
  readonly place: string;
  readonly map: ShardMap;
  readonly generation: Generation;
  readonly options: ServeOptions;
  readonly shard: Shard;
  readonly most: number;
}

function generationFor(map: ShardMap, { shards }: Shard, asked: number | undefined, name: string): Generation {
  const { now, next } = map;
  const found = asked === undefined ? [next, now].find((one) => one?.shards === shards) : generationIn(map, asked);
  if (found?.shards === shards) return found;
  const there = [now, next].flatMap((one) => (one ? [`generation ${one.generation} has ${one.shards}`] : []));
  const wanted = asked === undefined ? `${shards} shards` : `generation ${asked} with ${shards} shards`;
  throw new VicinalError("MISSING", `${name} has no ${wanted}: ${there.join(", ")}`);
}

/** A collection, and from where on the log has what it lacks. */
interface Filled {
  readonly collection: WorkerCollection;
  readonly position: Position;
  /** Up to here it has all that the log has no more. */
  readonly safe: number;
}

async function filled(nc: NatsConnection, kv: KV, opened: Opened, whole: Whole): Promise<Filled> {
  const { storage, place, map, generation, options, shard } = opened;
  const { collection: name, snapshot, maxBytes, cacheBytes } = options;
  const documents = join(place, "documents");
  const records = await readRecords(kv);
  const { purged } = purgedOf(records, shard);
  const at = await readPosition(storage);
  if (at) checkPosition(at, whole, storage.place);
  const behind = (at?.sequence ?? 0) < purged;
  // What was begun and has no position was not filled to its end.
  if (!at || behind) await rm(documents, { recursive: true, force: true });
  const { dimensions, metric, fields } = map;
  const collection = await Collection.open({
    ...{ storage: folder(documents), worker: true, dimensions, metric },
    ...(fields && { fields }),
    ...(generation.index && { index: generation.index }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(cacheBytes !== undefined && { cacheBytes }),
  });
  try {
    if (at && !behind) return { collection, position: at, safe: at.sequence };
    const from = covering(records, shard);
    if (behind && !from && !snapshot)
      throw new VicinalError(
        "MISSING",
        `the log of ${name} begins after what shard ${options.shard} lacks, and there is no snapshot of it`,
      );
    const shape = shapeOf(map);
    const sequence = snapshot
      ? await loadUrl(snapshot, name, shard, collection, shape, purged)
      : from
        ? await loadSnapshots(nc, name, from, shard, collection, shape)
        : 0;
    const position = { ...whole, sequence, id: "" };
    await writePosition(storage, position);
    return { collection, position, safe: Math.max(sequence, purged) };
  } catch (error) {
    await collection.close();
    const objects = (some: readonly SnapshotRecord[]): string => String(some.map(({ object }) => object));
    if (snapshot || objects(await readRecords(kv)) === objects(records)) throw error;
    return filled(nc, kv, opened, whole); // from those that have come in their place meanwhile
  }
}

export class Replica {
  /** Of this process: another each time. */
  readonly id = crypto.randomUUID().slice(0, 8);
  /** Resolves when it is closed, by `close` or because its generation is no more; rejects where it cannot go on. */
  readonly closed: Promise<void>;
  /** Resolves when it has read the log, or has stopped, and answers. Rejects where it is closed before: CLOSED, or as `closed`. */
  readonly ready: Promise<void>;
  readonly #nc: NatsConnection;
  readonly #kv: KV;
  readonly #opened: Opened;
  readonly #collection: WorkerCollection;
  readonly #applying: Applying;
  readonly #questions: Questions;
  readonly #ends: (() => void)[] = [];
  readonly #subscriptions: Subscription[] = [];
  #map: ShardMap;
  #written: number;
  /** Up to here nothing of the log that is missing is missing here. */
  #safe: number;
  #lost = false;
  #looking: Promise<void> | undefined;
  #ready = false;
  #health: Health | undefined;
  #closing: Promise<void> | undefined;
  #settle!: (error?: unknown) => void;

  private constructor(nc: NatsConnection, kv: KV, opened: Opened, { collection, position, safe }: Filled) {
    const { map, most, options, shard } = opened;
    this.#nc = nc;
    this.#opened = opened;
    this.#map = map;
    this.#collection = collection;
    this.#kv = kv;
    this.#written = position.sequence;
    this.#safe = safe;
    const shape = shapeOf(map);
    this.#applying = new Applying(nc, collection, shape, this.id, position);
    this.#questions = new Questions(nc, collection, this.#applying, shape, most, {
      snapshot: () => writeSnapshot(nc, kv, options.collection, this.#map, shard, collection, this.#applying.sequence),
      resume: () => this.#applying.resume(),
      anew: () => void this.#anew("it was told to"),
    });
    this.closed = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.closed.catch(() => {}); // whoever looks is told
    const before = this.closed.then(() => {
      throw new VicinalError("CLOSED", `the replica ${this.id} of ${options.collection} was closed before it had read the log`);
    });
    this.ready = Promise.race([this.#applying.ready.then(() => this.#warm()).then(() => this.#answer()), before]);
    this.ready.catch(() => {}); // whoever looks is told
    void this.#applying.run();
  }

  /** @internal */
  static async start(nc: NatsConnection, kv: KV, opened: Opened, filled: Filled): Promise<Replica> {
    const replica = new Replica(nc, kv, opened, filled);
    try {
      replica.#announce();
      const beats = setInterval(() => void replica.#tick(), BEAT_MS);
      replica.#ends.push(() => clearInterval(beats));
      await replica.#tick();
    } catch (error) {
      await replica.close().catch(() => {}); // the first error is the one to tell
      throw error;
    }
    return replica;
  }

  get status(): ReplicaStatus {
    const { generation, options, shard } = this.#opened;
    const { problem, sequence: applied, resumesAt, lag, poisoned, poison } = this.#applying;
    const { queue, busy, latencies } = this.#questions;
    const { fresh, main, logBytes, doing } = this.#health ?? NO_TIERS;
    return {
      ...{ replica: this.id, collection: options.collection, generation: generation.generation, ...shard },
      ...{
        state: problem === undefined ? (this.#ready ? "ready" : "behind") : "stopped",
        problem,
        resumesAt: resumesAt?.sequence,
      },
      ...{ size: fresh + main, applied, lag, tiers: { fresh, main, logBytes, doing }, queue, busy },
      ...{ p50Ms: latencies.quantile(0.5), p99Ms: latencies.quantile(0.99), poisoned, poison },
    };
  }

  /** Ends it: what is on its way is made durable. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const end of this.#ends) end();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    try {
      await this.#applying.end();
      if (!this.#lost) await writePosition(this.#opened.storage, this.#applying.position).catch(() => {}); // it begins further back
      await this.#collection.close();
      this.#settle();
    } catch (error) {
      this.#settle(error);
    } finally {
      await this.#opened.storage.close();
      await this.#opened.release();
    }
  }

  #announce(): void {
    const { generation, options, shard } = this.#opened;
    const { collection } = options;
    const metadata = { collection, generation: String(generation.generation), shard: `${shard.shard}/${shard.shards}` };
    const end = announce(this.#nc, this.id, {
      subject: askSubject(collection, generation.generation, shard.shard),
      queue: GROUP,
      metadata,
      stats: () => {
        const { asked, failed, spent } = this.#questions;
        return { asked, failed, spentMs: spent, data: this.status };
      },
    });
    this.#ends.push(end);
    const who = whoSubject(collection, generation.generation);
    const tend = tendSubject(collection, generation.generation, shard.shard, this.id);
    const tended = (error: Error | null, message: Msg): void => {
      if (!error) this.#questions.hear(message, true);
    };
    this.#subscriptions.push(
      this.#nc.subscribe(who, { callback: () => this.#beat() }),
      this.#nc.subscribe(tend, { callback: tended }),
    );
  }

  /** The first searches of a process are slow: nobody waits for these. */
  async #warm(): Promise<void> {
    const vectors: Vector[] = [];
    try {
      for await (const { vector } of this.#collection.scan({ vectors: true })) {
        vectors.push(vector as Vector);
        if (vectors.length === WARM) break;
      }
      for (const vector of vectors) await this.#collection.search(vector, { select: [] });
    } catch {
      // It is closing, or the worker has died, which is told elsewhere.
    }
  }

  #answer(): void {
    if (this.#closing) return;
    const { generation, options, shard } = this.#opened;
    const { collection } = options;
    const callback = (error: Error | null, message: Msg): void => {
      if (!error) this.#questions.hear(message, false);
    };
    const own = replicaSubject(collection, generation.generation, shard.shard, this.id);
    const group = askSubject(collection, generation.generation, shard.shard);
    this.#subscriptions.push(this.#nc.subscribe(own, { callback }), this.#nc.subscribe(group, { callback, queue: GROUP }));
    this.#ready = true;
    this.#beat();
  }

  /** Once a second, but not before the last has ended. */
  async #tick(): Promise<void> {
    this.#beat();
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { storage, options, generation } = this.#opened;
    try {
      const read = await readMap(this.#kv, options.collection).catch(() => undefined); // the server is away
      if (read) this.#map = read.map;
      if (!generationIn(this.#map, generation.generation)) {
        void this.close();
        return;
      }
      await this.#checkPurged();
      await this.#applying.look().catch(() => {}); // the server is away
      const { failed } = this.#applying;
      if (failed && performance.now() - failed.at > FAILED_MS) throw failed.error;
      this.#health = await this.#collection.health;
      const { position } = this.#applying;
      if (this.#lost || position.sequence === this.#written) return;
      await writePosition(storage, position);
      this.#written = position.sequence;
    } catch (error) {
      if (this.#closing) return;
      // Whoever runs this begins it again: the worker has died, the folder is gone, the log lacks what this has not read.
      this.#settle(error);
      await this.close().catch(() => {});
    }
  }

  /**
   * Begins anew where the log lost what this replica may not have read: it did not answer when that was decided (a process that was stopped),
   * and has gone on behind the gap since.
   */
  async #checkPurged(): Promise<void> {
    const { shard } = this.#opened;
    const records = await recordsOf(this.#kv, this.#map.now.shards, shard).catch(() => []); // the server is away
    for (const { purged, counted } of records) {
      if (purged <= this.#safe) continue;
      if (!counted.includes(this.id)) return this.#anew(`it did not say that it has what the log lost, up to ${purged}`);
      this.#safe = purged;
    }
  }

  /** Ends so that whoever runs this begins from a snapshot. */
  async #anew(why: string): Promise<void> {
    const { options, storage } = this.#opened;
    this.#lost = true;
    await storage.remove(POSITION_FILE);
    const what = `this replica of shard ${options.shard} of ${options.collection} begins anew from a snapshot: ${why}`;
    this.#settle(new VicinalError("STORAGE_LOST", what));
    await this.close().catch(() => {});
  }

  #beat(): void {
    if (this.#nc.isClosed() || this.#closing) return;
    const { shard, replica, size, queue, applied, state, collection, generation } = this.status;
    const { refused } = this.#applying;
    const beat: Beat = { replica, shard, ready: state === "ready", size, queue, applied, refused };
    this.#nc.publish(beatSubject(collection, generation), JSON.stringify(beat));
  }
}
