/** What can go wrong, as stable codes. */
export type ErrorCode =
  | "BAD_OPTION" // an option is unknown, of the wrong type or out of range
  | "BAD_DIMENSION" // a vector has another length than the index
  | "NOT_FINITE" // a value is NaN, Infinity or too large for 32-bit floats
  | "TOO_LARGE" // a vector is longer than 2^62, so that distances would overflow
  | "BAD_ID" // an id is not an integer from 0 to 4294967294
  | "DUPLICATE_ID" // an id is in the index already, or twice in one call
  | "CLOSED" // the index has been closed
  | "OUT_OF_MEMORY" // the index's memory cannot grow, or there is none for another index
  | "BAD_FILE" // the bytes are not a whole, undamaged .vic file
  | "BAD_WHERE" // a condition on documents' fields has an unknown operator, a wrong value or a bad path
  | "BAD_FIELD" // a document's field does not hold what it is declared to hold
  | "BAD_VARIANT" // the wasm variant asked for cannot run here
  | "LOCKED" // another process, tab or object writes where this would, or the lock was not asked for
  | "MISSING" // a file of a storage, or bytes of it, are not there
  | "NO_SPACE" // the disk or the browser's quota is full
  | "READ_ONLY" // nothing may be written there
  | "NO_STORAGE" // there is no such storage here: a feature or permission is lacking
  | "STORAGE_LOST" // what was stored is gone, or must be opened anew
  | "IO_ERROR" // the medium failed
  | "BUSY" // too many calls wait already: ask again later
  | "BAD_HOST" // a web server does not answer for a published index as it must; the sentence says what to set there
  | "NO_ANSWER" // a shard, its log or its replicas have not answered in time
  | "BAD_RUNTIME"; // a part of vicinal cannot be imported here: "vicinal/static" has all of it

/** Every error vicinal throws on purpose. After one, the index is what it was before the call. */
export class VicinalError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = "VicinalError";
    this.code = code;
  }
}

/** `5`, `"5"`, `[object]`: a value as it appears in a sentence. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (value !== null && (typeof value === "object" || typeof value === "function")) {
    return `[${value.constructor?.name ?? "object"}]`;
  }
  return String(value);
}

export function badOption(message: string): VicinalError {
  return new VicinalError("BAD_OPTION", message);
}

/** A file that cannot be believed. */
export function bad(why: string): VicinalError {
  return new VicinalError("BAD_FILE", `not a whole .vic file: ${why}`);
}
