// What a collection is when it has been made or read.
import type { Metric } from "../words/kinds.js";
import type { Documents } from "./documents.js";
import type { Files } from "./files.js";

export interface Opened {
  readonly files: Files;
  readonly documents: Documents;
  readonly metric: Metric;
  /** Of the next record. */
  readonly sequence: number;
  /** Bytes of the logs. */
  readonly logged: number;
  /** The main tier is as its file has it. */
  readonly written: boolean;
}
