// What a pool and its workers say to each other.

import type { Explanation, Hit } from "../border/answers.js";
import type { Variant } from "../border/variants.js";
import type { BatchHits } from "../search/batch.js";
import type { FilterSource } from "../search/filter.js";
import type { Failure } from "../storage/told.js";
import type { Build } from "../words/kinds.js";
import type { LockWords } from "./lock.js";

/** Where an index comes from: a .vic file, or the options of createIndex or, with `factory`, of that. */
export type Origin = { readonly bytes: Uint8Array; readonly maxBytes?: number | undefined } | { readonly options: object };

/** Of a memory that threads share, what each searches with. */
export interface Region {
  readonly at: number;
  readonly bytes: number;
}

/** An index that others search where it lies. */
export interface Shared {
  /** WebAssembly.Module and Memory, which the types of a user's project may not know. */
  readonly module: object;
  readonly memory: object;
  /** Another for every memory. */
  readonly mark: number;
  /** Of each reader; undefined where there was no memory for it: it cannot search. */
  readonly regions: readonly (Region | undefined)[];
  /** Where each filter is. */
  readonly filters: readonly (readonly [id: number, address: number])[];
}

/** A search, or several whose rows follow each other, by options that are plain data; `filter` a number: one that was prepared. */
export interface Search {
  readonly rows: Float32Array | Uint8Array;
  readonly many: boolean;
  readonly explained?: boolean;
  readonly options: object;
  readonly filter: number | Exclude<FilterSource, (id: number) => boolean> | undefined;
}
export type Answer = { readonly value: Hit[] | BatchHits | Explanation } | { readonly error: Failure };

/** What an index is asked to do as it is: calls of VectorIndex. */
export type Verb = "add" | "upsert" | "remove" | "train" | "compact" | "stats" | "get" | "has" | "ids" | "toBytes";

export type Asked =
  /** Be the one that has the index. `readers`: so many others are to search its memory, by this lock. */
  | { readonly call: "own"; readonly origin: Origin; readonly readers: number; readonly lock?: LockWords | undefined }
  /** Be one that searches the memory of another, as reader number `reader`. */
  | { readonly call: "join"; readonly shared: Shared; readonly reader: number; readonly lock: LockWords }
  | { readonly call: "find"; readonly searches: readonly Search[] }
  | { readonly call: "do"; readonly verb: Verb; readonly args: readonly unknown[] }
  /** Of a reader: the whole index as a file. */
  | { readonly call: "bytes" }
  /** Vectors are asked for piece by piece, by the number of what they come from. */
  | { readonly call: "addAll"; readonly feed: number; readonly ids: boolean }
  /** Makes a filter ready, by a number that nobody else has; or forgets it. */
  | { readonly call: "prepare"; readonly filter: number; readonly source: FilterSource }
  | { readonly call: "forget"; readonly filter: number }
  /** A larger region for a reader. */
  | { readonly call: "widen"; readonly reader: number; readonly bytes: number };

/** What a worker asks for: wasm as text, or the next piece of what is added. */
export type Wanted =
  | { readonly call: "wasm"; readonly build: Build; readonly variant: Variant }
  | { readonly call: "piece"; readonly feed: number; readonly number: number };

/** Vectors, as rows, and their ids where they were given. */
export interface Piece {
  readonly rows: Float32Array | Uint8Array;
  readonly ids: Uint32Array | undefined;
}

export interface Facts {
  readonly dimensions: number;
  readonly packed: boolean;
  readonly size: number;
  readonly nextId: number;
}

/** What is told unasked: how the index is now, and where, if it has moved. */
export interface News {
  readonly facts: Facts;
  readonly shared?: Shared;
}
