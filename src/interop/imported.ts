// What a reader of another library's file hands back, and how it refuses.
import type { VectorIndex } from "../base/vector-index.js";
import { VicinalError } from "../words/errors.js";

export interface Imported<I extends VectorIndex = VectorIndex> {
  readonly index: I;
  /** Whose file it was: "hnswlib", "usearch". */
  readonly format: string;
  /** Only where the file's labels are not the ids, as they are no different integers from 0 to 4294967294: `labels[id]` is the label. */
  readonly labels?: BigUint64Array;
  /** What is not as in the file, in sentences. */
  readonly notes: readonly string[];
}

/** A file of another library that cannot be believed. */
export function badFile(format: string, why: string): VicinalError {
  return new VicinalError("BAD_FILE", `not a whole ${format} file: ${why}`);
}

/** A file that is whole, and holds what vicinal has not. */
export function unsupported(format: string, what: string): VicinalError {
  return new VicinalError("BAD_FILE", `this ${format} file holds ${what}, which vicinal does not read`);
}

/** A file of vectors that cannot be read: `message` names it. */
export function unreadable(message: string): VicinalError {
  return new VicinalError("BAD_FILE", message);
}
