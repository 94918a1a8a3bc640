// Strings and numbers by code, for as long as a document has them. Codes are used again, so that they stay as small as the values are few.
import { IdTable } from "../ids.js";
import { keyOf } from "../keys.js";
import { grown } from "./lanes.js";

/** The values by their codes: `limit` of them with those that are free, and bytes for `restore`. */
export type DictionaryCopy = IdTable;

export class Dictionary {
  /** A value's slot is its code: some 36 bytes for a string of 20 characters, with its count, where a Map takes a hundred. */
  #table = new IdTable();
  #counts: Uint32Array = new Uint32Array(0);
  #taken = 0;

  /** Codes that were ever given are below this. */
  get limit(): number {
    return this.#table.slots;
  }

  /** Values that a document has. */
  get size(): number {
    return this.#table.size;
  }

  /** Times that values have been taken. */
  get taken(): number {
    return this.#taken;
  }

  get bytes(): number {
    return this.#table.bytes + this.#counts.byteLength;
  }

  /** Undefined where no document has the value. */
  find(value: string | number): number | undefined {
    const code = this.#table.find(keyOf(plain(value)));
    return code < 0 ? undefined : code;
  }

  /** Undefined for a code that is free. */
  valueOf(code: number): string | number | undefined {
    return this.#table.has(code) ? this.#table.idAt(code) : undefined;
  }

  /** Documents, each as often as it has the value. */
  countOf(code: number): number {
    return this.#counts[code];
  }

  /** Once for each time that a document has the value. */
  take(value: string | number): number {
    const key = keyOf(plain(value));
    const known = this.#table.find(key);
    const code = known < 0 ? this.#table.add(key) : known;
    this.#counts = grown(this.#counts, code + 1);
    this.#counts[code]++;
    this.#taken++;
    return code;
  }

  /** Undoes a take. */
  drop(code: number): void {
    this.#taken--;
    if (--this.#counts[code] === 0) this.#table.remove(code);
  }

  /** As it is now. */
  copy(): DictionaryCopy {
    return this.#table.copy();
  }

  /** The empty dictionary has these from now on; each is still to be taken. Errors: BAD_FILE. */
  restore(bytes: Uint8Array, limit: number): void {
    this.#table = IdTable.fromBytes(bytes, limit);
    this.#counts = grown(this.#counts, limit);
  }

  /** Takes the value of a code; false where there is none. */
  retake(code: number): boolean {
    if (!this.#table.has(code)) return false;
    this.#counts[code]++;
    this.#taken++;
    return true;
  }

  /** Whether each value has been taken. */
  get isTaken(): boolean {
    for (let code = 0; code < this.limit; code++) if (this.#table.has(code) && this.#counts[code] === 0) return false;
    return true;
  }

  /** Each value, with its code. */
  *entries(): Generator<[value: string | number, code: number], void, void> {
    for (let code = 0; code < this.limit; code++) if (this.#table.has(code)) yield [this.#table.idAt(code), code];
  }
}

/** -0 is 0. */
function plain(value: string | number): string | number {
  return value === 0 ? 0 : value;
}
