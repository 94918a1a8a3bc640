/** A collection in shards and replicas on a server of NATS: what asks it, and what makes and tends it. See README.md. */

export type { Beat } from "./nats/asked.js";
export {
  type ClusterStatus,
  clusterStatus,
  createShards,
  dropGeneration,
  type ReshardOptions,
  type ReshardProgress,
  reshard,
  type ShardsOptions,
  snapshotShards,
} from "./nats/cluster.js";
export type { AskOptions, ConnectOptions, NatsSearchOptions, NatsStats, PartialHits, WriteOptions } from "./nats/connecting.js";
export { connectCollection, NatsCollection } from "./nats/nats-collection.js";
export type { Generation, ShardMap } from "./nats/shard-map.js";
export type { SnapshotRecord } from "./nats/snapshots.js";
export type { ReplicaStatus } from "./nats/status.js";
export type { Written } from "./nats/writing.js";
