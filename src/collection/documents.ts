// A collection in memory: which documents there are, where their bodies lie, what their fields and vectors are. All changes are made here,
// at once and as the log has them, be it now or when the log is read again.
import { rowElements, type Shape } from "../input/vectors.js";
import { PATCH, PUT, REMOVE } from "./batch.js";
import type { Columns } from "./columns/columns.js";
import type { IdTable } from "./ids.js";
import type { Places, Spot } from "./places.js";
import { bytesOfRow, newRows, rowsOfBytes } from "./rows.js";
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
    const slots: number[] = [];
    const vectors: Uint8Array[] = [];
    const put = (): void => {
      if (slots.length === 0) return;
      const rows = newRows(this.shape, slots.length);
      vectors.forEach((vector, i) => void bytesOfRow(rows, i, this.shape).set(vector));
      this.tiers.put(slots, rows);
      slots.length = 0;
      vectors.length = 0;
    };
    for (const { what, key, text, vector, spot } of changes) {
      let slot = this.ids.find(key);
      if (what === REMOVE) {
        put();
        if (slot >= 0) this.#remove(slot);
        continue;
      }
      // A patch of what is gone: a log is read again from before a removal that the snapshot has.
      if (what === PATCH && slot < 0) continue;
      if (slot < 0) slot = this.ids.add(key);
      this.places.set(slot, spot);
      this.columns.set(slot, JSON.parse(text));
      this.texts.put(slot, text);
      if (what === PATCH) continue;
      if (slots.includes(slot)) put();
      slots.push(slot);
      vectors.push(vector as Uint8Array);
    }
    put();
  }

  #remove(slot: number): void {
    this.tiers.drop([slot]);
    this.columns.remove(slot);
    this.places.clear(slot);
    this.texts.drop(slot);
    this.ids.remove(slot);
  }

  /** The vector in a slot as its tier has it; undefined where that is not as it was given. */
  vector(slot: number): ReturnType<typeof rowsOfBytes> | undefined {
    const vector = this.tiers.vector(slot);
    return vector && vector.length === rowElements(this.shape) ? Float32Array.from(vector) : undefined;
  }

  /** Beside the indices. */
  get bytes(): number {
    return this.ids.bytes + this.places.bytes + this.columns.bytes;
  }
}
