// Questions to a shard and what it answers, each a parcel (parcel.ts).
import type { DocumentId } from "../collection/keys.js";
import type { DocumentHit } from "../collection/searching.js";
import type { Failure } from "../storage/told.js";

/** What a question is to find, and for how long anyone waits. */
export interface Question {
  readonly ask: Ask | Tended;
  /** Milliseconds; what has waited for longer is not answered. */
  readonly within: number;
  /** The answer is to have all writes up to this one. */
  readonly sequence?: number | undefined;
}

export type Ask =
  /** n vectors are the bytes; the value is n lists of hits. */
  | { readonly call: "search"; readonly n: number; readonly options: object }
  /** The value is { id, data } or null, the bytes its vector. */
  | { readonly call: "get"; readonly id: DocumentId; readonly vector: boolean }
  | { readonly call: "count"; readonly where?: object }
  /** The value is Ids. */
  | { readonly call: "ids"; readonly where: object; readonly most: number };

/** What is asked on a subject of its own (tendSubject). */
export type Tended =
  /** Puts a snapshot into the object store; the value is a SnapshotRecord. */
  | { readonly call: "snapshot" }
  /** Reads on where the log is still the one that was read. */
  | { readonly call: "resume" }
  /** Begins from a snapshot, without what is here. */
  | { readonly call: "anew" };

export type Answer =
  | { readonly value: unknown }
  | { readonly error: Failure }
  /** Another replica may have room, or be further on. */
  | { readonly elsewhere: "busy" | "behind" };

/** Ids of documents that meet conditions, at most as many as were asked for. */
export interface Ids {
  readonly ids: readonly DocumentId[];
  /** There may be more. */
  readonly more: boolean;
}

export type SearchValue = readonly DocumentHit[][];

/** What a replica tells of itself once a second. */
export interface Beat {
  readonly replica: string;
  readonly shard: number;
  /** It answers. */
  readonly ready: boolean;
  readonly size: number;
  /** Questions that wait or are being answered. */
  readonly queue: number;
  readonly applied: number;
  /** The last messages up to there that were refused. */
  readonly refused: readonly Refused[];
}

/** A message that every replica passes over, by its sequence, and why. */
export interface Refused {
  readonly sequence: number;
  readonly error: Failure;
}

/** What a replica says of a message that it has made durable, or refused as every replica does. */
export interface Ack {
  readonly id: string;
  readonly replica: string;
  readonly generation: number;
  /** Documents that were put, or were there to be patched or removed. */
  readonly count: number;
  readonly error?: Failure;
}

/** Headers of messages in the log: where to tell that it is durable. */
export const ACK_TO = "Vic-Ack";
