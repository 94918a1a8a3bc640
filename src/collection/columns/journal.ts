/** Which slots changed, in order, as far back as is worth going one by one. */
export class Journal {
  #slots: number[] = [];
  /** Changes before the first that is remembered. */
  #before = 0;

  /** Changes so far. */
  get length(): number {
    return this.#before + this.#slots.length;
  }

  /** Remembers `most` changes at least, and no more than twice as many. */
  push(slot: number, most: number): void {
    this.#slots.push(slot);
    if (this.#slots.length < 2 * most) return;
    this.#before += most;
    this.#slots = this.#slots.slice(most);
  }

  /** Slots that changed after so many changes, maybe more than once; undefined where that is forgotten. */
  since(seen: number): readonly number[] | undefined {
    return seen < this.#before ? undefined : this.#slots.slice(seen - this.#before);
  }
}
