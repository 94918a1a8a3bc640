// Where the body of each document lies: a file by its number, where it begins and how long it is. 12 bytes a slot.
import type { Ids } from "../words/arrays.js";
import { bad } from "../words/errors.js";
import { grown } from "./grown.js";
import type { Reader, Writer } from "./writer.js";

export interface Spot {
  /** The file's number. */
  readonly file: number;
  readonly offset: number;
  readonly bytes: number;
}

/** Files grow no larger, so that an offset fits. */
export const MOST_FILE_BYTES = 2 ** 30;

export class Places {
  #file = new Uint32Array(0);
  #offset = new Uint32Array(0);
  /** 0: no document. */
  #bytes = new Uint32Array(0);
  /** Bytes of bodies in use, by file. */
  readonly live = new Map<number, number>();

  get bytes(): number {
    return 3 * this.#file.byteLength;
  }

  get slots(): number {
    return this.#file.length;
  }

  at(slot: number): Spot | undefined {
    const bytes = this.#bytes[slot];
    return bytes ? { file: this.#file[slot], offset: this.#offset[slot], bytes } : undefined;
  }

  has(slot: number): boolean {
    return slot < this.#bytes.length && this.#bytes[slot] !== 0;
  }

  fileOf(slot: number): number {
    return this.#bytes[slot] ? this.#file[slot] : 0;
  }

  set(slot: number, { file, offset, bytes }: Spot): void {
    this.clear(slot);
    this.#file = grown(this.#file, slot + 1);
    this.#offset = grown(this.#offset, slot + 1);
    this.#bytes = grown(this.#bytes, slot + 1);
    this.#file[slot] = file;
    this.#offset[slot] = offset;
    this.#bytes[slot] = bytes;
    this.live.set(file, (this.live.get(file) ?? 0) + bytes);
  }

  clear(slot: number): void {
    const bytes = this.#bytes[slot];
    if (!bytes) return;
    const file = this.#file[slot];
    const left = (this.live.get(file) as number) - bytes;
    if (left > 0) this.live.set(file, left);
    else this.live.delete(file);
    this.#bytes[slot] = 0;
  }

  isAt(slot: number, { file, offset }: Spot): boolean {
    return this.#bytes[slot] !== 0 && this.#file[slot] === file && this.#offset[slot] === offset;
  }

  /** Of the first `slots`, as they are now. */
  copy(slots: number): Places {
    const copy = new Places();
    copy.#file = this.#file.slice(0, slots);
    copy.#offset = this.#offset.slice(0, slots);
    copy.#bytes = this.#bytes.slice(0, slots);
    for (const [file, bytes] of this.live) copy.live.set(file, bytes);
    return copy;
  }

  write(to: Writer, slots: number): void {
    for (const column of [this.#file, this.#offset, this.#bytes]) {
      const whole = new Uint32Array(slots);
      whole.set(column.subarray(0, slots));
      to.raw(new Uint8Array(whole.buffer));
    }
  }

  /** Those of `slots` slots; `bytesOf` a file's length where there is such a file. */
  static read(from: Reader, slots: number, bytesOf: (file: number) => number | undefined): Places {
    const column = (): Ids => new Uint32Array(from.raw(4 * slots).slice().buffer);
    const places = new Places();
    places.#file = column();
    places.#offset = column();
    places.#bytes = column();
    const [files, offsets, lengths] = [places.#file, places.#offset, places.#bytes];
    let file = 0;
    let most = 0;
    let live = 0;
    // Those of a file mostly follow each other.
    const turnTo = (next: number): void => {
      if (live > 0) places.live.set(file, (places.live.get(file) ?? 0) + live);
      live = 0;
      file = next;
      most = bytesOf(next) ?? 0;
    };
    for (let slot = 0; slot < slots; slot++) {
      const bytes = lengths[slot];
      if (bytes === 0) continue;
      if (files[slot] !== file) turnTo(files[slot]);
      if (offsets[slot] + bytes > most) throw bad(`a document beyond the end of file ${file}`);
      live += bytes;
    }
    turnTo(0);
    return places;
  }
}
