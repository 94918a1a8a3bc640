/** One replica of a shard of a collection on a server of NATS, for Node, Deno and Bun. See README.md. */
export { type Replica, type ServeOptions, serveShard } from "./nats/replica.js";
export type { ReplicaStatus } from "./nats/status.js";
