// A collection in memory: which documents there are, where their bodies lie, what their fields and vectors are. All changes are
// made here, at once and as the log has them, be it now or when the log is read again.
import type { Shape } from "../input/vectors.js";
import { type PATCH, PUT, REMOVE } from "./batch.js";
import type { Columns } from "./columns/columns.js";
import type { IdTable } from "./ids.js";
import type { Places, Spot } from "./places.js";
import { bytesOfRow, newRows } from "./rows.js";
import type { Texts } from "./texts.js";
import type { Tiers } from "./tiers.js";

/** A change, its document's body being where `spot` says. */
export interface Made {
  readonly what: typeof REMOVE | typeof PUT | typeof PATCH;
  readonly key: Uint8Array;
  readonly text: string;
  readonly vector: Uint8Array | undefined;
  readonly spot: Spot;
}

export class Documents {
  constructor(
    readonly shape: Shape,
    readonly ids: IdTable,
    readonly places: Places,
    readonly columns: Columns,
    readonly tiers: Tiers,
    readonly texts: Texts,
  ) {}

  /** Makes changes one after the other; vectors go in together. */
  apply(changes: Iterable<Made>): void {
    const gone = new Set<number>();
    const come = new Map<number, Uint8Array>();
    const settle = (): void => {
      this.tiers.drop([...gone]);
      const rows = newRows(this.shape, come.size);
      let i = 0;
      for (const vector of come.values()) bytesOfRow(rows, i++, this.shape).set(vector);
      if (come.size > 0) this.tiers.put([...come.keys()], rows);
      gone.clear();
      come.clear();
    };
    for (const { what, key, text, vector, spot } of changes) {
      let slot = this.ids.find(key);
      // Only of what is there is something removed or patched, unless a log contradicts itself.
      if (slot < 0 && what !== PUT) continue;
      if (come.has(slot)) settle();
      if (what === REMOVE) {
        this.#forget(slot);
        gone.add(slot);
        continue;
      }
      if (slot < 0) slot = this.ids.add(key);
      this.places.set(slot, spot);
      this.columns.set(slot, JSON.parse(text));
      this.texts.put(slot, text);
      if (what === PUT) come.set(slot, vector as Uint8Array);
    }
    settle();
  }

  /** All but its vector. */
  #forget(slot: number): void {
    this.columns.remove(slot);
    this.places.clear(slot);
    this.texts.drop(slot);
    this.ids.remove(slot);
  }

  /** Beside the indices. */
  get bytes(): number {
    return this.ids.bytes + this.places.bytes + this.columns.bytes;
  }
}
