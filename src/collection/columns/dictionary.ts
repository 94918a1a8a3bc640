// Values by number, for as long as a document has them. Numbers are used again, so that they stay as small as the values are few.

/** What a field may have many of. */
export type Value = string | number | boolean;

/** Bytes of an entry beside its text, as measured in V8: the map's cell, the list's, and the string's head. */
const ENTRY_BYTES = 56;

export class Dictionary {
  readonly #codes = new Map<Value, number>();
  readonly #values: (Value | undefined)[] = [];
  readonly #counts: number[] = [];
  readonly #free: number[] = [];
  #characters = 0;
  #taken = 0;

  /** Codes that were ever given are below this. */
  get limit(): number {
    return this.#values.length;
  }

  /** Values that a document has. */
  get size(): number {
    return this.#codes.size;
  }

  /** Times that values have been taken. */
  get taken(): number {
    return this.#taken;
  }

  /** About as much as it takes. */
  get bytes(): number {
    return this.size * ENTRY_BYTES + this.#characters;
  }

  /** Undefined where no document has the value. */
  find(value: Value): number | undefined {
    return this.#codes.get(value);
  }

  /** Undefined for a code that is free. */
  valueOf(code: number): Value | undefined {
    return this.#values[code];
  }

  /** Documents, each as often as it has the value. */
  countOf(code: number): number {
    return this.#counts[code];
  }

  /** Once for each time that a document has the value. */
  take(value: Value): number {
    this.#taken++;
    const known = this.#codes.get(value);
    if (known !== undefined) {
      this.#counts[known]++;
      return known;
    }
    const code = this.#free.pop() ?? this.#values.length;
    this.#codes.set(value, code);
    this.#values[code] = value;
    this.#counts[code] = 1;
    if (typeof value === "string") this.#characters += value.length;
    return code;
  }

  /** Undoes a take. */
  drop(code: number): void {
    this.#taken--;
    if (--this.#counts[code] > 0) return;
    const value = this.#values[code]!;
    this.#codes.delete(value);
    this.#values[code] = undefined;
    this.#free.push(code);
    if (typeof value === "string") this.#characters -= value.length;
  }

  /** Values by code, null for a code that is free: what `restore` takes. */
  toJSON(): (Value | null)[] {
    return this.#values.map((value) => value ?? null);
  }

  /** The empty dictionary has these from now on; each is still to be taken. False where they are none. */
  restore(values: readonly unknown[]): boolean {
    for (const [code, value] of values.entries()) {
      this.#counts[code] = 0;
      if (value === null) {
        this.#values[code] = undefined;
        this.#free.push(code);
      } else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
        this.#values[code] = value;
        this.#codes.set(value, code);
        if (typeof value === "string") this.#characters += value.length;
      } else return false;
    }
    return this.#codes.size + this.#free.length === values.length;
  }

  /** Takes the value of a code; false where there is none. */
  retake(code: number): boolean {
    if (this.#values[code] === undefined) return false;
    this.#counts[code]++;
    this.#taken++;
    return true;
  }

  /** Whether each value has been taken. */
  get isTaken(): boolean {
    return this.#values.every((value, code) => value === undefined || this.#counts[code] > 0);
  }

  /** Each value, with its code. */
  entries(): IterableIterator<[Value, number]> {
    return this.#codes.entries();
  }
}
