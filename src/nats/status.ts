import type { Health } from "../collection/keeping.js";
import type { Shard } from "./names.js";

/** How a replica is, as `$SRV.STATS` tells it too. */
export interface ReplicaStatus extends Shard {
  /** Of its process: another each time. */
  readonly replica: string;
  readonly collection: string;
  readonly generation: number;
  /** "behind" until it has read the log; "stopped": it answers and takes nothing more, see `problem`. */
  readonly state: "behind" | "ready" | "stopped";
  readonly problem: string | undefined;
  /** Of one that has stopped since the log lost messages: up to here it is still the log that was read. */
  readonly resumesAt: number | undefined;
  /** Documents. */
  readonly size: number;
  /** Of the last message that is durable here, and messages that are still to come. */
  readonly applied: number;
  readonly lag: number;
  /** Documents that are scanned, and those in the main tier; bytes of its own log. */
  readonly tiers: Pick<Health, "fresh" | "main" | "logBytes" | "doing">;
  /** Questions that wait or are being answered, and those that were sent elsewhere. */
  readonly queue: number;
  readonly busy: number;
  /** Milliseconds from question to answer, of the last 512. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Messages that were passed over, and what was wrong with the last. */
  readonly poisoned: number;
  readonly poison: string | undefined;
}
