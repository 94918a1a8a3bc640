// Where what is: subjects, streams and buckets of a collection.
//
//   vic.<collection>.log.<b0>.<b1>. ... .<b5>       the log: a message is of one of 64 partitions, whose bits, lowest first, are tokens
//   vic.<collection>.<generation>.s03.ask           questions to a shard, in a queue group
//   vic.<collection>.<generation>.s03.r.<replica>   questions to one of its replicas
//   vic.<collection>.<generation>.s03.t.<replica>   what is done with one as a whole, which is not for everybody
//   vic.<collection>.<generation>.beat              what replicas tell once a second
//   vic.<collection>.<generation>.who               asks them to tell it now
//
// Shard 3 of 8 has the partitions whose low three bits are 3: one wildcard, `log.1.1.0.>`, is all that its replicas read, and of twice
// as many shards each reads half of it. A server before 2.10 filters by no more than one.

import type { DocumentId } from "../collection/keys.js";
import { hashOf, keyOf } from "../collection/keys.js";
import { badOption, show } from "../words/errors.js";
import { integer } from "../words/options.js";

const BITS = 6;
export const PARTITIONS = 1 << BITS;

/** One shard of so many, from 0. */
export interface Shard {
  readonly shard: number;
  readonly shards: number;
}

export function checkName(name: unknown): string {
  if (typeof name === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
  throw badOption(`collection is ${show(name)}; it must have 1 to 64 of A-Z a-z 0-9 _ -`);
}

export function checkShards(shards: unknown): number {
  const n = integer("shards", shards, 1, PARTITIONS);
  if (n & (n - 1)) throw badOption(`shards is ${n}; it must be a power of two: 1, 2, 4, ... ${PARTITIONS}`);
  return n;
}

/** "3/8": shard 3 of 8, from 0. */
export function shardNamed(text: unknown): Shard {
  const [, shard, shards] = /^(\d+)\/(\d+)$/.exec(String(text)) ?? [];
  if (shards === undefined)
    throw badOption(`shard is ${show(text)}; it must be one such as "3/8", shard 3 of 8, the first being 0`);
  const of = checkShards(Number(shards));
  return { shard: integer("shard", Number(shard), 0, of - 1), shards: of };
}

export function partitionOf(id: DocumentId): number {
  const key = keyOf(id);
  return hashOf(key, 0, key.length) % PARTITIONS;
}

/** Of a partition, or of a document by its id's. */
export const shardOf = (partition: number, shards: number): number => partition % shards;

/** Whether both have partitions in common. */
export function overlap(a: Shard, b: Shard): boolean {
  const shards = Math.min(a.shards, b.shards);
  return a.shard % shards === b.shard % shards;
}

export const streamOf = (name: string): string => `VIC_${name}`;
export const bucketOf = (name: string): string => `vic-${name}`;
export const logSubjects = (name: string): string => `vic.${name}.log.>`;

const bitsOf = (value: number, n: number): string[] => Array.from({ length: n }, (_, i) => String((value >> i) & 1));

export function logSubject(name: string, partition: number): string {
  return ["vic", name, "log", ...bitsOf(partition, BITS)].join(".");
}

/** What of the log a shard reads: undefined for all, which a server before 2.10 does not take as a filter. */
export function logFilter(name: string, { shard, shards }: Shard): string | undefined {
  const bits = Math.log2(shards);
  if (bits === 0) return undefined;
  return ["vic", name, "log", ...bitsOf(shard, bits), ...(bits < BITS ? [">"] : [])].join(".");
}

const generationOf = (name: string, generation: number): string => `vic.${name}.${generation}`;
const labelOf = (shard: number): string => `s${String(shard).padStart(2, "0")}`;

export const askSubject = (name: string, generation: number, shard: number): string =>
  `${generationOf(name, generation)}.${labelOf(shard)}.ask`;
export const replicaSubject = (name: string, generation: number, shard: number, replica: string): string =>
  `${generationOf(name, generation)}.${labelOf(shard)}.r.${replica}`;
export const tendSubject = (name: string, generation: number, shard: number, replica: string): string =>
  `${generationOf(name, generation)}.${labelOf(shard)}.t.${replica}`;
export const beatSubject = (name: string, generation: number): string => `${generationOf(name, generation)}.beat`;
export const whoSubject = (name: string, generation: number): string => `${generationOf(name, generation)}.who`;
