// A Faiss file front to back. Little-endian, packed: fields as C++ has them (int 4 bytes, size_t and idx_t 8, bool and char 1), a vector as
// its length in a u64 and then its items.
import type { VicinalError } from "../../words/errors.js";
import { Cursor } from "../cursor.js";
import { badFile, unsupported } from "../imported.js";

const FORMAT = "Faiss";

/** A Faiss file that cannot be believed. */
export function badFaiss(why: string): VicinalError {
  return badFile(FORMAT, why);
}

/** A Faiss file that holds what is not read here. */
export function notRead(what: string): VicinalError {
  return unsupported(FORMAT, what);
}

export class Reading extends Cursor {
  constructor(bytes: Uint8Array) {
    super(FORMAT, bytes);
  }

  /** Passes over so many bytes; returns where they begin. */
  skip(bytes: number): number {
    return this.take(bytes).byteOffset - this.bytes.byteOffset;
  }

  /** Four letters that say what follows. */
  letters(): string {
    return String.fromCharCode(...this.take(4));
  }

  flag(): boolean {
    return this.u8() !== 0;
  }

  /** Where the items of a vector begin, and how many there are. */
  vector(what: string, itemBytes: number): { at: number; count: number } {
    const count = this.count(`length of ${what}`, itemBytes);
    return { at: this.skip(count * itemBytes), count };
  }

  f32s(what: string, length?: number): Float32Array {
    const { at, count } = this.vector(what, 4);
    if (length !== undefined && count !== length) throw badFaiss(`${what} are ${count} values, not ${length}`);
    return new Float32Array(this.copy(at, 4 * count));
  }

  i32s(what: string): Int32Array {
    const { at, count } = this.vector(what, 4);
    return new Int32Array(this.copy(at, 4 * count));
  }

  /** Sizes, each below 2^53. */
  sizes(what: string): Float64Array {
    const { at, count } = this.vector(what, 8);
    return Float64Array.from(new BigUint64Array(this.copy(at, 8 * count)), Number);
  }

  ids(at: number, count: number): BigInt64Array {
    return new BigInt64Array(this.copy(at, 8 * count));
  }

  /** Bytes in a buffer of their own. */
  copy(at: number, bytes: number): ArrayBuffer {
    return new Uint8Array(this.bytes.subarray(at, at + bytes)).buffer;
  }
}
