// The map of a collection, in a KV bucket of its name: what its vectors are, how many shards it has, and which generation of them
// answers. Key "map"; replicas and coordinators watch it.
import { JetStreamApiCodes, jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import type { MainOptions } from "../collection/options.js";
import type { Fields } from "../collection/where/fields.js";
import type { Shape } from "../input/vectors.js";
import { VicinalError } from "../words/errors.js";
import { METRICS, type Metric } from "../words/kinds.js";
import { bucketOf } from "./names.js";

/** Shards that are built and searched together. */
export interface Generation {
  readonly generation: number;
  /** A power of two from 1 to 64. */
  readonly shards: number;
  /** What their main tiers are. Default a graph. */
  readonly index?: MainOptions;
}

export interface ShardMap {
  readonly dimensions: number;
  readonly metric: Metric;
  readonly fields?: Fields;
  /** The one that answers. */
  readonly now: Generation;
  /** One that is being built. */
  readonly next?: Generation;
  /** One that has answered until lately, and goes on for those who have not heard. */
  readonly before?: Generation;
}

const KEY = "map";

export function shapeOf({ dimensions, metric }: ShardMap): Shape {
  return { dimensions, packed: METRICS[metric].packed };
}

/** Errors: MISSING. */
export async function openBucket(nc: NatsConnection, name: string): Promise<KV> {
  const bucket = bucketOf(name);
  const manager = await jetstreamManager(nc, { checkAPI: false });
  await manager.streams.info(`KV_${bucket}`).catch((error) => {
    throw error.code === JetStreamApiCodes.StreamNotFound ? noCollection(name) : error;
  });
  return new Kvm(nc).open(bucket, { allow_direct: true });
}

function noCollection(name: string): VicinalError {
  return new VicinalError(
    "MISSING",
    `there is no collection ${name} on this server; createShards, or vicinal cluster create, makes one`,
  );
}

/** The map as it is, with its revision. Errors: MISSING. */
export async function readMap(kv: KV, name: string): Promise<{ map: ShardMap; revision: number }> {
  const entry = await kv.get(KEY);
  if (entry?.operation !== "PUT") throw noCollection(name);
  return { map: entry.json<ShardMap>(), revision: entry.revision };
}

/** Changes it, unless another has since it was read. */
export async function changeMap(kv: KV, name: string, change: (map: ShardMap) => ShardMap): Promise<ShardMap> {
  const { map, revision } = await readMap(kv, name);
  const changed = change(map);
  await kv.update(KEY, JSON.stringify(changed), revision);
  return changed;
}

export async function createMap(kv: KV, map: ShardMap): Promise<void> {
  await kv.create(KEY, JSON.stringify(map));
}

/** Of a collection that could not be made. */
export async function removeMap(kv: KV): Promise<void> {
  await kv.purge(KEY);
}

/** Calls `heard` with the map now and whenever it changes. What it returns ends that. */
export async function watchMap(kv: KV, heard: (map: ShardMap) => void): Promise<() => void> {
  const entries = await kv.watch({ key: KEY });
  void (async () => {
    for await (const entry of entries) if (entry.operation === "PUT") heard(entry.json<ShardMap>());
  })().catch(() => {}); // the connection has ended
  return () => entries.stop();
}

/** The generation of that number, if it is one that replicas may be of. */
export function generationIn({ now, next, before }: ShardMap, generation: number): Generation | undefined {
  return [now, next, before].find((one) => one?.generation === generation);
}
