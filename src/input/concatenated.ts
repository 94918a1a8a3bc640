// Arrays of one kind, one after the other; at least one.
import type { Bytes } from "../words/arrays.js";

export function concatenated(arrays: readonly Uint8Array[]): Bytes;
export function concatenated<T extends Float32Array | Uint8Array | Uint32Array>(arrays: readonly T[]): T;
export function concatenated<T extends Float32Array | Uint8Array | Uint32Array>(arrays: readonly T[]): T {
  const ofItsKind = arrays[0].constructor as new (length: number) => T;
  const all = new ofItsKind(arrays.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const one of arrays) {
    all.set(one, at);
    at += one.length;
  }
  return all;
}
