// What a pool does with an index, however it is laid out among workers.
import type { FilterSource } from "../search/filter.js";
import type { Told } from "../storage/told.js";
import type { VicinalError } from "../words/errors.js";
import type { Feed } from "./feed.js";
import type { Found } from "./queue.js";
import type { Facts, Search, Verb } from "./words.js";

/** What a call hears and is heard by. */
export interface Hearing {
  readonly signal?: AbortSignal | undefined;
  readonly told?: Told | undefined;
}

/** Gives a feed what is to be added. */
export type Fill = (feed: Pick<Feed, "give" | "stopped">) => Promise<void>;

export interface Hands {
  /** As of the last change that was answered. */
  readonly facts: Facts;
  /** `counts`: not where it is a part of a batch, another part of which does. */
  find(search: Search, signal: AbortSignal | undefined, counts: boolean): Promise<Found>;
  do(verb: Verb, args: readonly unknown[], hearing?: Hearing): Promise<unknown>;
  addAll(hasIds: boolean, fill: Fill, hearing: Hearing): Promise<void>;
  /** Makes a filter ready by this number; how many vectors pass it. */
  prepare(filter: number, source: FilterSource): Promise<number>;
  forget(filter: number): Promise<void>;
  /** All workers end, and whatever waits for them. */
  end(why: VicinalError): void;
}

/** Told what nobody can mend: nothing is answered from then on. */
export type Over = (why: VicinalError) => void;

/** Calls that read, of which one worker's answer is enough. */
const READING: readonly Verb[] = ["stats", "get", "has", "ids", "toBytes"];

export const reads = (verb: Verb): boolean => READING.includes(verb);
