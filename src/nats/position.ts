// How far in the log a replica's documents are, in a file of its own beside them. It is written once a second, after the documents are
// durable, and never before: what is behind it is read again, which leaves the documents as they are (changes.ts).
import type { Storage } from "../storage/storage.js";
import { VicinalError } from "../words/errors.js";
import type { Refused } from "./asked.js";
import type { Shard } from "./names.js";

export interface Position extends Shard {
  readonly collection: string;
  readonly generation: number;
  /** When the log was made: another log of that name is not this one. */
  readonly created: string;
  /** Of the last message that is in the documents; 0 where there is none. */
  readonly sequence: number;
  /** Of that message, so that a log that was cut and written on is told from the one that was read; "" where it is not known. */
  readonly id: string;
  /** The last messages up to here that were refused. */
  readonly refused?: readonly Refused[];
}

/** A replica's, without how far that is. */
export type Whole = Omit<Position, "sequence" | "id" | "refused">;

export const POSITION_FILE = "position.json";

export async function readPosition(storage: Storage): Promise<Position | undefined> {
  const files = await storage.list();
  if (!files.some(({ name }) => name === POSITION_FILE)) return undefined;
  return JSON.parse(new TextDecoder().decode(await storage.read(POSITION_FILE))) as Position;
}

export function writePosition(storage: Storage, position: Position): Promise<void> {
  return storage.swap(POSITION_FILE, new TextEncoder().encode(JSON.stringify(position)));
}

/** Throws where a folder has something else than what is asked for. */
export function checkPosition(at: Position, asked: Whole, place: string): void {
  const words = ({ collection, generation, shard, shards }: Whole): string =>
    `shard ${shard}/${shards} of generation ${generation} of ${collection}`;
  if (words(at) !== words(asked)) throw new VicinalError("BAD_OPTION", `${place} has ${words(at)}, not ${words(asked)}`);
  if (at.created !== asked.created) {
    throw new VicinalError(
      "STORAGE_LOST",
      `${place} is of a log of ${at.collection} that was made ${at.created}; the server's was made ${asked.created}. Remove the folder to begin anew from that one`,
    );
  }
}
