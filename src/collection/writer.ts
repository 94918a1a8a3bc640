// Bytes written one after the other, little-endian, into room that grows; and read again.
import type { Bytes } from "../words/arrays.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Writer {
  bytes: Bytes;
  at = 0;
  #view: DataView;

  constructor(room = 1024) {
    this.bytes = new Uint8Array(room);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Makes room for n more bytes. */
  #need(n: number): void {
    if (this.at + n <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(2 * this.bytes.length, this.at + n));
    bytes.set(this.bytes.subarray(0, this.at));
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  u8(value: number): void {
    this.#need(1);
    this.bytes[this.at++] = value;
  }

  u32(value: number): void {
    this.#need(4);
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }

  /** An integer up to 2^53. */
  u64(value: number): void {
    this.u32(value % 2 ** 32);
    this.u32(Math.floor(value / 2 ** 32));
  }

  raw(bytes: Uint8Array): void {
    this.#need(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** UTF-8; returns how many bytes that is. */
  text(text: string): number {
    this.#need(3 * text.length);
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.at));
    this.at += written;
    return written;
  }

  /** Sets what was left open at `at`. */
  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** What has been written so far: a view. */
  done(): Bytes {
    return this.bytes.subarray(0, this.at);
  }
}

/**
 * Reads what Writer wrote. Beyond the end it throws RangeError: callers check checksums first, so that this is a mistake of the
 * writer's.
 */
export class Reader {
  at = 0;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.at++);
  }

  u32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  u64(): number {
    const low = this.u32();
    return low + this.u32() * 2 ** 32;
  }

  raw(n: number): Uint8Array {
    if (this.at + n > this.bytes.length) throw new RangeError(`${n} bytes at ${this.at} of ${this.bytes.length}`);
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  text(n: number): string {
    return decoder.decode(this.raw(n));
  }
}
