// The errors of every place, as sentences that name the file and the place.
import { type ErrorCode, VicinalError } from "../words/errors.js";

/** An error that keeps what caused it. */
export function failure(code: ErrorCode, sentence: string, cause?: unknown): VicinalError {
  const error = new VicinalError(code, sentence);
  return cause === undefined ? error : Object.assign(error, { cause });
}

export function missing(place: string, name: string): VicinalError {
  return failure("MISSING", `${name} is not in ${place}`);
}

/** A range that a file of `bytes` bytes has not. */
export function beyond(place: string, name: string, from: number, to: number, bytes: number): VicinalError {
  return failure("MISSING", `bytes ${from} to ${to} of ${name} in ${place} are not there: it has ${bytes}`);
}

export function notSynced(place: string, name: string, cause: unknown): VicinalError {
  return failure(
    "STORAGE_LOST",
    `${name} in ${place} takes nothing more since it could not be synced (${wordsOf(cause)}): nobody knows what of it is on the medium. Close and open it again`,
    cause,
  );
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
