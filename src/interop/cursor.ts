// Little-endian numbers one after the other, each looked for before it is read: a count in a file is believed only where as many bytes follow.
import { badFile } from "./imported.js";

export class Cursor {
  at = 0;
  readonly #view: DataView;

  constructor(
    /** As errors name it. */
    readonly format: string,
    readonly bytes: Uint8Array,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.#view.getUint8(this.#next(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#next(2), true);
  }
  i16(): number {
    return this.#view.getInt16(this.#next(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#next(4), true);
  }
  i32(): number {
    return this.#view.getInt32(this.#next(4), true);
  }
  f32(): number {
    return this.#view.getFloat32(this.#next(4), true);
  }
  f64(): number {
    return this.#view.getFloat64(this.#next(8), true);
  }
  big(): bigint {
    return this.#view.getBigUint64(this.#next(8), true);
  }

  /** A u64 that counts or measures something: one that no memory has is damage. */
  u64(what: string): number {
    const value = this.big();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw badFile(this.format, `its ${what} is ${value}`);
    return Number(value);
  }

  /** A count of things of `each` bytes that are still to come. */
  count(what: string, each: number): number {
    return this.fits(this.u64(what), what, each);
  }

  /** The same of a count that was read already. */
  fits(count: number, what: string, each: number): number {
    if (count * each > this.left) {
      throw badFile(this.format, `its ${what} is ${count}, of ${each} bytes each, and ${this.left} bytes are left`);
    }
    return count;
  }

  /** The next `bytes`, in place. */
  take(bytes: number): Uint8Array {
    const from = this.#next(bytes);
    return this.bytes.subarray(from, from + bytes);
  }

  #next(bytes: number): number {
    const { at } = this;
    if (bytes > this.left)
      throw badFile(this.format, `it ends at byte ${this.bytes.length}, where ${bytes} more are to come at ${at}`);
    this.at += bytes;
    return at;
  }
}
