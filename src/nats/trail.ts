// The last messages that a replica has read, by their ids: where a log was cut and written on, up to here it is the one that was read.

/** A message of the log, of whatever shard; "" for an id that is not known. */
export interface Step {
  readonly sequence: number;
  readonly id: string;
}

const KEPT = 16_384;

export class Trail {
  #steps: Step[] = [];

  add(step: Step): void {
    this.#steps.push(step);
    if (this.#steps.length >= 2 * KEPT) this.#steps = this.#steps.slice(-KEPT);
  }

  /**
   * The last step that the log still has; undefined where none of those that are known. `idAt`: the id of a message; "" of one that
   * was taken out; undefined beyond the log's end.
   */
  async lastIn(idAt: (sequence: number) => Promise<string | undefined>): Promise<Step | undefined> {
    // Those before it are there or were taken out, those behind it are others or none.
    let [from, to] = [0, this.#steps.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const { sequence, id } = this.#steps[middle];
      const found = await idAt(sequence);
      if (found === id || found === "") from = middle + 1;
      else to = middle;
    }
    return this.#steps[from - 1];
  }
}
