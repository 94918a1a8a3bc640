// A file front to back from a place on, some bytes at a time, for what does not say beforehand where it ends.
import type { ByteSource } from "./bytes-of.js";
import { badFile } from "./imported.js";

const AHEAD_BYTES = 1 << 18;

export class Stream {
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  #next: number;

  constructor(
    /** As errors name it. */
    readonly format: string,
    readonly source: ByteSource,
    from: number,
  ) {
    this.#next = from;
  }

  /** The next bytes, good until the next call; refused where the file has not so many. */
  async take(count: number): Promise<Uint8Array> {
    if (this.#bytes.length - this.#at < count) await this.#read(count);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  get isAtEnd(): boolean {
    return this.#next === this.source.size && this.#at === this.#bytes.length;
  }

  async #read(count: number): Promise<void> {
    const { size } = this.source;
    const from = this.#next - (this.#bytes.length - this.#at);
    if (count > size - from) throw badFile(this.format, `it ends at byte ${size}, where ${count} more are to come at ${from}`);
    this.#next = Math.min(from + Math.max(count, AHEAD_BYTES), size);
    this.#bytes = await this.source.read(from, this.#next);
    this.#at = 0;
  }
}
