/** A collection in shards and replicas on a server of NATS: what writes to it and asks it, in Node and in a page. See README.md. */

export type { Beat } from "./nats/asked.js";
export type { AskOptions, ConnectOptions, NatsSearchOptions, NatsStats, PartialHits, WriteOptions } from "./nats/connecting.js";
export { connectCollection, NatsCollection } from "./nats/nats-collection.js";
export type { Written } from "./nats/writing.js";
