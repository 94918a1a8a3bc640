// Documents that are asked for by id, or all of them one after the other.

import { breath } from "../input/slices.js";
import { checkSignal, flag, heed, known } from "../words/options.js";
import { eachSlot, has } from "./columns/bits.js";
import type { Conditions } from "./conditions.js";
import type { Documents } from "./documents.js";
import { type DocumentId, keyOf } from "./keys.js";
import { type Data, type Reading, selectionOf } from "./reading.js";
import type { OwnVector, Vectors } from "./vectors.js";
import type { Where } from "./where/parse.js";

export interface Document {
  id: DocumentId;
  data: Data;
  vector?: OwnVector;
}

export interface ScanOptions {
  /** Only documents whose fields meet these conditions. */
  where?: Where;
  /** Paths of data that documents bring. Default: all of it. */
  select?: readonly string[];
  /** True: their vectors too. Default false. */
  vectors?: boolean;
  signal?: AbortSignal;
}

/** Documents read at a time. */
const BATCH = 64;
/** A scan gives way to others after so long. */
const SLICE_MS = 4;

export class Scanning {
  constructor(
    readonly documents: Documents,
    readonly reading: Reading,
    readonly vectors: Vectors,
    readonly conditions: Conditions,
  ) {}

  async get(id: DocumentId, withVector: boolean): Promise<Document | undefined> {
    const slot = this.documents.ids.find(keyOf(id));
    if (slot < 0) return undefined;
    const vector = withVector ? this.vectors.original(slot) : undefined;
    const [text] = await this.reading.texts([slot]);
    return { id, data: JSON.parse(text) as Data, ...(vector && { vector: await vector }) };
  }

  /** Those that are there when their turn comes, as they are then. */
  async *scan(options: ScanOptions, check: () => void): AsyncGenerator<Document, void, void> {
    const { where, select, signal } = options;
    const selected = selectionOf(select);
    const withVectors = flag("vectors", options.vectors);
    const { ids } = this.documents;
    const { conditions } = this;
    const condition = where === undefined ? undefined : conditions.parse(where);
    const wanted = condition ? [condition] : [];
    while (conditions.lack(wanted)) await conditions.make(wanted);
    const slots: number[] = [];
    if (condition) eachSlot(conditions.match(condition).words, (slot) => void slots.push(slot));
    else for (let slot = 0; slot < ids.slots; slot++) slots.push(slot);
    let paused = performance.now();
    for (let from = 0; from < slots.length; from += BATCH) {
      // What is in memory is read without a pause: others want their turn too.
      if (performance.now() - paused > SLICE_MS) {
        await breath();
        paused = performance.now();
      }
      check();
      heed(signal);
      while (conditions.lack(wanted)) await conditions.make(wanted);
      const match = condition && conditions.match(condition);
      const some = slots.slice(from, from + BATCH).filter((slot) => ids.has(slot) && (!match || has(match.words, slot)));
      const names = some.map((slot) => ids.idAt(slot));
      const vectors = withVectors ? some.map((slot) => this.vectors.original(slot)) : undefined;
      const texts = await this.reading.texts(some);
      for (const [i, text] of texts.entries()) {
        const data = JSON.parse(text) as Data;
        yield { id: names[i], data: selected ? selected(data) : data, ...(vectors && { vector: await vectors[i] }) };
      }
    }
  }
}

export function checkScan(options: ScanOptions): void {
  known("scan", options, ["where", "select", "vectors", "signal"]);
  checkSignal(options.signal);
  heed(options.signal);
}
