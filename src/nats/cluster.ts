// What makes a collection of shards and tends it.
//
// Another number of shards, or other indices, are another generation. The log is one, whatever the shards are: each reads its part of
// it. So a generation is built beside the one that answers, from snapshots and the log, and no write is lost for being made meanwhile:
//
//   1. `next` in the shard map names it; replicas that are started for it fill themselves and follow the log
//   2. when each of its shards has enough replicas that have read the log, `now` becomes `before` and `next` becomes `now`, at once
//   3. coordinators hear it, look for its replicas and then ask those; what is under way ends where it began
//   4. after a grace `before` goes from the map, and its replicas end themselves
import { DiscardPolicy, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import { Objm } from "@nats-io/obj";
import { checkMain, type MainOptions } from "../collection/options.js";
import { checkFields, type Fields } from "../collection/where/fields.js";
import { failure, wordsOf } from "../storage/failures.js";
import { errorOf } from "../storage/told.js";
import { badOption, VicinalError } from "../words/errors.js";
import { METRIC_NAMES, type Metric } from "../words/kinds.js";
import { LIMITS } from "../words/limits.js";
import { checkSignal, heed, integer, known, oneOf } from "../words/options.js";
import type { Answer, Question } from "./asked.js";
import { bucketOf, checkName, checkShards, logSubjects, overlap, streamOf, tendSubject } from "./names.js";
import { pack, unpack } from "./parcel.js";
import { SERVICE } from "./service.js";
import { changeMap, createMap, type Generation, openBucket, readMap, removeMap, type ShardMap } from "./shard-map.js";
import { purge, removeOthers, type SnapshotRecord } from "./snapshots.js";
import type { ReplicaStatus } from "./status.js";

export interface ShardsOptions {
  /** Its name: 1 to 64 of A-Z a-z 0-9 _ -. */
  collection: string;
  /** Values of a vector, 1 to 65536. */
  dimensions: number;
  /** As of an index. Default "cosine". */
  metric?: Metric;
  /** A power of two from 1 to 64. */
  shards: number;
  /** As of Collection. */
  fields?: Fields;
  /** What the shards' main tiers are. Default a graph. */
  index?: MainOptions;
  /** Servers that keep the log, snapshots and map: 1, 3 or 5. Default 1. */
  servers?: number;
  /** Bytes of log, at which writes are refused until snapshotShards has taken from it. Default unlimited. */
  logBytes?: number;
}

export interface ClusterStatus {
  readonly map: ShardMap;
  readonly log: { readonly messages: number; readonly bytes: number; readonly first: number; readonly last: number };
  /** Those that answered in time, by generation and shard. */
  readonly replicas: readonly ReplicaStatus[];
}

export interface ReshardOptions {
  /** A power of two from 1 to 64. Default: as many as there are. */
  shards?: number;
  /** What the shards' main tiers are. Default: what they are. */
  index?: MainOptions;
  /** Replicas of each shard that must have read the log before they answer. Default 1. */
  replicas?: number;
  /** Milliseconds in which the generation before goes on answering. Default 10000. */
  graceMs?: number;
  signal?: AbortSignal;
  onProgress?: (progress: ReshardProgress) => void;
}

export interface ReshardProgress {
  readonly generation: number;
  readonly shards: number;
  readonly doing: "filling" | "switched" | "done";
  /** Shards that are ready. */
  readonly ready: number;
}

const SHARDS_NAMES = ["collection", "dimensions", "metric", "shards", "fields", "index", "servers", "logBytes"];
const RESHARD_NAMES = ["shards", "index", "replicas", "graceMs", "signal", "onProgress"];
const STATUS_MS = 500;
/** Replicas that have not answered by then keep the log from being purged. */
const PURGE_STATUS_MS = 2000;
const POLL_MS = 250;
const GRACE_MS = 10_000;
const MOST_GRACE_MS = 3_600_000;
/** Messages from the log's end, so near a replica may take over: it goes on reading. */
const NEAR = 64;
/** Of a snapshot of one shard. */
const SNAPSHOT_MS = 86_400_000;
/** How often it is looked whether who takes one is alive, and how long it has to say so. */
const ALIVE_MS = 2000;
const TELL_MS = 10_000;

/** Makes a collection on a server: its log, its shard map and a store for snapshots. Errors: BAD_OPTION, also where there is one. */
export async function createShards(nc: NatsConnection, options: ShardsOptions): Promise<ShardMap> {
  known("createShards", options, SHARDS_NAMES);
  const name = checkName(options.collection);
  const { fields, index } = options;
  const servers = integer("servers", options.servers ?? 1, 1, 5);
  const map: ShardMap = {
    dimensions: integer("dimensions", options.dimensions, ...LIMITS.dimensions),
    metric: oneOf("metric", options.metric ?? "cosine", METRIC_NAMES),
    ...(fields && { fields: checkFields(fields) }),
    now: { generation: 1, shards: checkShards(options.shards), ...(index && { index: checkMain(index) }) },
  };
  const most = options.logBytes === undefined ? {} : { max_bytes: integer("logBytes", options.logBytes, 1 << 20, 2 ** 53 - 1) };
  const kv = await new Kvm(nc).create(bucketOf(name), { replicas: servers });
  await createMap(kv, map).catch((error) => {
    throw Object.assign(badOption(`there is a collection ${name} on this server already`), { cause: error });
  });
  try {
    await new Objm(nc).create(bucketOf(name), { replicas: servers, storage: StorageType.File });
    await (await jetstreamManager(nc)).streams.add({
      ...{ name: streamOf(name), subjects: [logSubjects(name)], num_replicas: servers, allow_direct: true },
      ...{ discard: DiscardPolicy.New, ...most },
    });
  } catch (error) {
    await removeMap(kv); // the name is free again
    throw error;
  }
  return map;
}

/** How a collection is: its map, its log, and replicas that answer within so many milliseconds. */
export async function clusterStatus(
  nc: NatsConnection,
  collection: string,
  options: { within?: number } = {},
): Promise<ClusterStatus> {
  known("clusterStatus", options, ["within"]);
  const name = checkName(collection);
  const maxWait = integer("within", options.within ?? STATUS_MS, 1, 60_000);
  const { map } = await readMap(await openBucket(nc, name), name);
  const { state } = await (await jetstreamManager(nc)).streams.info(streamOf(name));
  const log = { messages: state.messages, bytes: state.bytes, first: state.first_seq, last: state.last_seq };
  const replicas: ReplicaStatus[] = [];
  try {
    for await (const message of await nc.requestMany(`$SRV.STATS.${SERVICE}`, "", { strategy: "timer", maxWait })) {
      const { endpoints } = message.json<{ endpoints: { data: ReplicaStatus }[] }>();
      if (endpoints[0].data.collection === name) replicas.push(endpoints[0].data);
    }
  } catch {
    // Nobody is there.
  }
  replicas.sort((a, b) => a.generation - b.generation || a.shard - b.shard || (a.replica < b.replica ? -1 : 1));
  return { map, log, replicas };
}

/**
 * Has another generation take over: of more or fewer shards, of other indices, or the same ones learned anew. Its replicas are to be
 * started by whoever runs them, before or after this is called. Returns the map when the one before has gone. Where it is ended, by its
 * signal or by a crash, calling it again goes on. Errors: BAD_OPTION where another one is under way; the signal's reason.
 */
export async function reshard(nc: NatsConnection, collection: string, options: ReshardOptions = {}): Promise<ShardMap> {
  known("reshard", options, RESHARD_NAMES);
  const name = checkName(collection);
  const { signal, onProgress = () => {} } = options;
  checkSignal(signal);
  const replicas = integer("replicas", options.replicas ?? 1, 1, 64);
  const grace = integer("graceMs", options.graceMs ?? GRACE_MS, 0, MOST_GRACE_MS);
  const kv = await openBucket(nc, name);
  const next = await announced(nc, name, options);
  const tell = (doing: ReshardProgress["doing"], ready: number): void =>
    onProgress({ generation: next.generation, shards: next.shards, doing, ready });
  for (;;) {
    heed(signal);
    const { replicas: all } = await clusterStatus(nc, name);
    const ready = all.filter(({ generation, state, lag }) => generation === next.generation && state === "ready" && lag <= NEAR);
    const shards = Array.from({ length: next.shards }, (_, shard) => ready.filter((one) => one.shard === shard).length);
    const enough = shards.filter((n) => n >= replicas).length;
    tell("filling", enough);
    if (enough === next.shards) break;
    await pause(POLL_MS);
  }
  await changeMap(kv, name, ({ next: _, ...map }) => ({ ...map, now: next, before: map.now }));
  tell("switched", next.shards);
  await pause(grace);
  const map = await changeMap(kv, name, ({ before: _, ...rest }) => rest);
  tell("done", next.shards);
  return map;
}

/** The generation that is to come, named in the map. */
async function announced(nc: NatsConnection, name: string, options: ReshardOptions): Promise<Generation> {
  const kv = await openBucket(nc, name);
  const changed = await changeMap(kv, name, (map) => {
    const shards = checkShards(options.shards ?? map.now.shards);
    const index = options.index ? checkMain(options.index) : map.now.index;
    if (map.next) {
      if (map.next.shards === shards) return map;
      throw badOption(
        `generation ${map.next.generation} of ${name} with ${map.next.shards} shards is under way; dropGeneration ends it`,
      );
    }
    if (map.before) throw badOption(`generation ${map.before.generation} of ${name} has not gone yet; dropGeneration ends it`);
    return { ...map, next: { generation: map.now.generation + 1, shards, ...(index && { index }) } };
  });
  return changed.next as Generation;
}

/** Ends a generation that does not answer: one under way, or the one before. Its replicas end themselves. Errors: BAD_OPTION. */
export async function dropGeneration(nc: NatsConnection, collection: string, generation: number): Promise<ShardMap> {
  const name = checkName(collection);
  return changeMap(await openBucket(nc, name), name, (map) => {
    const { next, before, ...rest } = map;
    if (map.now.generation === generation) throw badOption(`generation ${generation} of ${name} is the one that answers`);
    if (next?.generation !== generation && before?.generation !== generation)
      throw badOption(`${name} has no generation ${generation}`);
    return {
      ...rest,
      ...(next && next.generation !== generation && { next }),
      ...(before && before.generation !== generation && { before }),
    };
  });
}

/**
 * Has a replica of every shard put a snapshot into the object store, from which new replicas begin. With `purge` the log then loses what
 * the snapshots and all replicas that answer have; one that is away and has less begins from the snapshot. Where a replica was there
 * and answers no more, the log of its shard is left as it is (`purgedMessages` is 0). The store keeps the last two snapshots of a
 * shard. Errors: NO_ANSWER; BUSY where the log was purged by another call meanwhile.
 */
export async function snapshotShards(
  nc: NatsConnection,
  collection: string,
  options: { purge?: boolean } = {},
): Promise<readonly (SnapshotRecord & { readonly purgedMessages: number })[]> {
  known("snapshotShards", options, ["purge"]);
  const name = checkName(collection);
  const kv = await openBucket(nc, name);
  const { map, replicas: before } = await clusterStatus(nc, name);
  const { generation, shards } = map.now;
  const records: SnapshotRecord[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const ready = before.filter((one) => one.generation === generation && one.shard === shard && one.state === "ready");
    const furthest = ready.sort((a, b) => b.applied - a.applied || a.queue - b.queue)[0];
    if (!furthest)
      throw new VicinalError("NO_ANSWER", `shard ${shard} of ${name} has no replica that answers: no snapshot of it was taken`);
    records.push(await snapshotOf(nc, furthest));
  }
  await removeOthers(nc, kv, name, shards);
  const replicas = options.purge ? (await clusterStatus(nc, name, { within: PURGE_STATUS_MS })).replicas : [];
  const all: (SnapshotRecord & { purgedMessages: number })[] = [];
  for (const record of records) {
    const some = replicas.filter((one) => overlap(one, record));
    const purges =
      options.purge && before.every((one) => !overlap(one, record) || some.some((now) => now.replica === one.replica));
    all.push({ ...record, purgedMessages: purges ? await purge(nc, kv, name, record, some) : 0 });
  }
  return all;
}

export interface Repaired {
  readonly shard: number;
  /** The replica that had the most. */
  readonly replica: string;
  /** Its last message, and where in the log it went on. */
  readonly had: number;
  readonly resumedAt: number;
  /** Replicas that begin from its snapshot. */
  readonly anew: readonly string[];
}

/**
 * After the log lost messages that it had acknowledged, as a crash of the server's machine can do: of every shard whose replicas have
 * stopped, the one that has read the most goes on where the log is still the one it read, with what was lost in its documents; the
 * others begin from its snapshot. One that was away meanwhile stops when it is back: calling this again has it begin from a snapshot
 * of those that went on. All replicas that are to count must be there. Errors: NO_ANSWER; MISSING where none of a shard knows
 * where that is, after it was started anew: then export its documents, and upsert them into another collection.
 */
export async function repairShards(nc: NatsConnection, collection: string): Promise<readonly Repaired[]> {
  const name = checkName(collection);
  const kv = await openBucket(nc, name);
  const { map, log, replicas } = await clusterStatus(nc, name);
  const repaired: Repaired[] = [];
  for (let shard = 0; shard < map.now.shards; shard++) {
    const all = replicas.filter((one) => one.generation === map.now.generation && one.shard === shard);
    const stopped = all.filter(({ state }) => state === "stopped");
    if (stopped.length === 0) continue;
    const key = `repaired.${map.now.shards}.${shard}`;
    const repairedTo = Number((await kv.get(key))?.string() ?? -1);
    const lost = stopped.map(({ resumesAt }) => resumesAt ?? 0);
    const [whole] = all
      .filter(({ state, applied }) => state !== "stopped" && applied >= Math.min(...lost))
      .sort((a, b) => b.applied - a.applied);
    // They were away when the shard was repaired: what has been acknowledged since is with those that went on then.
    if (whole && Math.max(...lost) <= repairedTo) {
      repaired.push(await follow(nc, whole, stopped, whole.applied));
      continue;
    }
    const [first] = stopped.filter((one) => one.resumesAt !== undefined).sort((a, b) => b.applied - a.applied);
    if (!first)
      throw new VicinalError(
        "MISSING",
        `no replica of shard ${shard} of ${name} knows where it is in the log: ${stopped[0].problem}`,
      );
    await kv.put(key, String(log.last));
    await tell(nc, first, "resume");
    const others = all.filter((one) => one !== first);
    repaired.push(await follow(nc, first, others, first.resumesAt as number));
  }
  await removeOthers(nc, kv, name, map.now.shards);
  for (const one of replicas) if (one.generation !== map.now.generation && one.state === "stopped") await tell(nc, one, "anew");
  return repaired;
}

/** Has others begin from a snapshot of one. */
async function follow(
  nc: NatsConnection,
  { shard, replica, applied: had, ...one }: ReplicaStatus,
  others: readonly ReplicaStatus[],
  resumedAt: number,
): Promise<Repaired> {
  await snapshotOf(nc, { ...one, shard, replica, applied: had });
  for (const other of others) await tell(nc, other, "anew");
  return { shard, replica, had, resumedAt, anew: others.map((other) => other.replica) };
}

async function tell(nc: NatsConnection, one: ReplicaStatus, call: "resume" | "anew"): Promise<void> {
  const question: Question = { ask: { call }, within: TELL_MS };
  const subject = tendSubject(one.collection, one.generation, one.shard, one.replica);
  const message = await nc.request(subject, pack(question), { timeout: TELL_MS });
  const answer = unpack(message.data).value as Answer;
  if ("error" in answer) throw errorOf(answer.error);
}

/** Asks one replica for a snapshot, for as long as it is alive. */
async function snapshotOf(
  nc: NatsConnection,
  { collection, generation, shard, replica }: ReplicaStatus,
): Promise<SnapshotRecord> {
  const question: Question = { ask: { call: "snapshot" }, within: SNAPSHOT_MS };
  const gone = new VicinalError(
    "NO_ANSWER",
    `replica ${replica} of shard ${shard} of ${collection} has gone while it took a snapshot`,
  );
  const asked = nc.request(tendSubject(collection, generation, shard, replica), pack(question), { timeout: SNAPSHOT_MS });
  let waits = true;
  const watching = (async (): Promise<never> => {
    while (waits) {
      await pause(ALIVE_MS);
      const { replicas } = await clusterStatus(nc, collection, { within: ALIVE_MS });
      if (!replicas.some((one) => one.replica === replica)) break;
    }
    throw gone;
  })();
  watching.catch(() => {}); // also when nobody waits any more
  try {
    const answer = unpack((await Promise.race([asked, watching])).data).value as Answer;
    if ("error" in answer) throw errorOf(answer.error);
    return (answer as { value: SnapshotRecord }).value;
  } catch (error) {
    if (error instanceof VicinalError) throw error;
    throw failure("NO_ANSWER", `${gone.message}: ${wordsOf(error)}`, error);
  } finally {
    waits = false;
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
