// What replicas of shards tell of themselves.
import type { ShardSetStats } from "../subject.js";
import type { Finding } from "./finding.js";

export function replicas({ shards, replicas }: ShardSetStats): Finding | undefined {
  const ready = replicas.filter((one) => one.ready);
  const silent = Array.from({ length: shards }, (_, shard) => shard).filter((shard) => !ready.some((one) => one.shard === shard));
  if (silent.length === 0) return undefined;
  return {
    name: "replicas",
    severity: "problem",
    evidence: { shards, silent: silent.length, replicas: replicas.length, ready: ready.length },
    cause: `no replica of shard ${silent.join(", ")} of ${shards} is ready: searches of all end with NO_ANSWER, or are partial`,
    advice: `npx vicinal serve, with --shard ${silent[0]}/${shards}; npx vicinal cluster status tells what the others wait for`,
    brings: `documents of ${silent.length} of ${shards} shards can be found again`,
  };
}

/** Messages of the log that every replica passes over: what was to be written is not there. */
export function refused({ replicas }: ShardSetStats): Finding | undefined {
  const most = replicas.reduce((n, one) => Math.max(n, one.refused.length), 0);
  if (most === 0) return undefined;
  return {
    name: "refused",
    severity: "warning",
    evidence: { refused: most },
    cause: `${most} messages of the log at least were no changes that a replica can make, and are passed over: their documents are not there`,
    advice:
      "(await clusterStatus(nc, name)).replicas, whose `poison` says what was wrong with the last; write those documents again",
    brings: "the documents that were lost to it",
  };
}
