// How long the last answers took.
const KEPT = 512;

export class Latencies {
  readonly #last: number[] = [];
  #next = 0;

  add(milliseconds: number): void {
    this.#last[this.#next] = milliseconds;
    this.#next = (this.#next + 1) % KEPT;
  }

  get count(): number {
    return this.#last.length;
  }

  /** The share of answers, 0 to 1, that took no longer; 0 where there are none yet. */
  quantile(share: number): number {
    const sorted = this.#last.slice().sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  }
}
