// What connectCollection and its calls take, checked, and what they tell.
import type { Embed } from "../collection/options.js";
import type { CollectionSearchOptions, DocumentHit } from "../collection/searching.js";
import { badOption, show } from "../words/errors.js";
import { flag, integer, known } from "../words/options.js";
import type { Beat } from "./asked.js";
import type { Waits, Written } from "./writing.js";

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
export const ASK_NAMES = ["within", "written", "signal"];
const WITHIN_MS = 2000;
const WRITE_WITHIN_MS = 10_000;
/** The server knows ids of messages for two minutes: one that was published for longer could be there twice. */
const MOST_WRITE_MS = 100_000;
const MOST_MS = 3_600_000;

export interface Connected {
  readonly embed: Embed | undefined;
  readonly within: number;
  readonly waits: Waits;
  readonly readYourWrites: boolean;
}

export function checkConnect(options: ConnectOptions): Connected {
  known("connectCollection", options, CONNECT_NAMES);
  const { embed } = options;
  if (embed !== undefined && typeof embed !== "function")
    throw badOption(`embed is ${show(embed)}; it must be a function of texts`);
  return {
    embed,
    within: checkWithin(options.within ?? WITHIN_MS),
    waits: checkWaits(options.replicas ?? 1, options.writeWithin ?? WRITE_WITHIN_MS),
    readYourWrites: flag("readYourWrites", options.readYourWrites),
  };
}

export function checkWithin(within: unknown): number {
  return integer("within", within, 1, MOST_MS);
}

export function checkWaits(replicas: unknown, within: unknown): Waits {
  return { replicas: integer("replicas", replicas, 0, 64), within: integer("writeWithin", within, 1, MOST_WRITE_MS) };
}
