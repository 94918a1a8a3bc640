// The JSON of documents that were written or read lately, within a bound: the others' lies in files alone.

/** A character takes one byte or two, an entry of a Map and the string's own head some hundred. */
const ENTRY_BYTES = 100;

export class Texts {
  /** In order of use, the oldest first. */
  readonly #texts = new Map<number, string>();
  #bytes = 0;

  constructor(readonly most: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  get(slot: number): string | undefined {
    const text = this.#texts.get(slot);
    // The newest half is left where it is: moving each that is read would cost more than it finds.
    if (text !== undefined && this.#bytes > this.most / 2) {
      this.#texts.delete(slot);
      this.#texts.set(slot, text);
    }
    return text;
  }

  put(slot: number, text: string): void {
    this.drop(slot);
    const bytes = text.length + ENTRY_BYTES;
    if (bytes > this.most / 4) return;
    this.#texts.set(slot, text);
    this.#bytes += bytes;
    for (const oldest of this.#texts.keys()) {
      if (this.#bytes <= this.most) return;
      this.drop(oldest);
    }
  }

  drop(slot: number): void {
    const text = this.#texts.get(slot);
    if (text === undefined) return;
    this.#texts.delete(slot);
    this.#bytes -= text.length + ENTRY_BYTES;
  }
}
