// A Faiss file, piece by piece: reading.ts the other way.
import type { Bytes } from "../../words/arrays.js";

/** A number that no file of Faiss uses for anything, twice in every head. */
const DUMMY = 1 << 20;

export interface WrittenHead {
  readonly d: number;
  readonly n: number;
  /** 0 inner product, 1 l2, 2 l1. */
  readonly metric: number;
}

/** So many bytes, which are made when they are asked for. */
interface Later {
  readonly byteLength: number;
  made(): Iterable<Uint8Array>;
}

export class Writing {
  readonly #pieces: (Uint8Array | Later)[] = [];

  letters(letters: string): void {
    this.#pieces.push(Uint8Array.from(letters, (letter) => letter.charCodeAt(0)));
  }
  u8(value: number): void {
    this.#pieces.push(Uint8Array.of(value));
  }
  i32(value: number): void {
    this.numbers(Int32Array.of(value));
  }
  f32(value: number): void {
    this.numbers(Float32Array.of(value));
  }
  u64(value: number): void {
    this.numbers(BigUint64Array.of(BigInt(value)));
  }
  /** As they lie in memory, and not to be changed any more. */
  numbers({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
    this.#pieces.push(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
  }
  /** Bytes that are no sooner in memory than they are written. */
  later(byteLength: number, made: () => Iterable<Uint8Array>): void {
    this.#pieces.push({ byteLength, made });
  }
  /** A vector: its length, then its items. */
  vector(items: Uint8Array | Int32Array | Float32Array | Float64Array | BigUint64Array): void {
    this.u64(items.length);
    this.numbers(items);
  }

  head(letters: string, { d, n, metric }: WrittenHead): void {
    this.letters(letters);
    this.i32(d);
    this.numbers(BigUint64Array.of(BigInt(n), BigInt(DUMMY), BigInt(DUMMY)));
    this.u8(1);
    this.i32(metric);
    if (metric > 1) this.f32(0);
  }

  *pieces(): Generator<Uint8Array> {
    for (const piece of this.#pieces) {
      if (piece instanceof Uint8Array) yield piece;
      else yield* piece.made();
    }
  }

  bytes(): Bytes {
    const file = new Uint8Array(this.#pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const piece of this.pieces()) {
      file.set(piece, at);
      at += piece.length;
    }
    return file;
  }
}
