/** What makes collections in shards on a server of NATS, and tends them. See README.md. */
export {
  type ClusterStatus,
  clusterStatus,
  createShards,
  dropGeneration,
  type Repaired,
  type ReshardOptions,
  type ReshardProgress,
  repairShards,
  reshard,
  type ShardsOptions,
  snapshotShards,
} from "./nats/cluster.js";
export type { Generation, ShardMap } from "./nats/shard-map.js";
export type { SnapshotRecord } from "./nats/snapshots.js";
export type { ReplicaStatus } from "./nats/status.js";
