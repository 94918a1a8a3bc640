// Matches that may be asked for again, the longest unused of which go first.
import type { Match } from "./match.js";

/** A match takes a bit a slot: this keeps 64 of them, and many where documents are few. */
const mostBytes = (slots: number): number => Math.max(1 << 20, slots << 3);

export class Matches {
  /** By key, in order of their use. */
  readonly #matches = new Map<string, Match>();
  get bytes(): number {
    let sum = 0;
    for (const { bytes } of this.#matches.values()) sum += bytes;
    return sum;
  }

  get(key: string): Match | undefined {
    const match = this.#matches.get(key);
    if (match) {
      this.#matches.delete(key);
      this.#matches.set(key, match);
    }
    return match;
  }

  /** In place of one with its key. */
  put(match: Match, slots: number): void {
    this.#matches.delete(match.expression.key);
    this.#matches.set(match.expression.key, match);
    let { bytes } = this;
    for (const [key, oldest] of this.#matches) {
      if (bytes <= mostBytes(slots)) return;
      bytes -= oldest.bytes;
      this.#matches.delete(key);
    }
  }
}
