// What messages carry: [bytes of JSON u32][JSON][zeros up to a multiple of 4][bytes]. Vectors are the bytes, never JSON.
import type { Bytes } from "../words/arrays.js";

const HEAD_BYTES = 4;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const NOTHING = new Uint8Array(0);

/** As UTF-8. */
export function bytesOfJson(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).length;
}

export function pack(value: unknown, bytes: Uint8Array = NOTHING): Bytes {
  const json = encoder.encode(JSON.stringify(value));
  const from = startOf(json.length);
  const parcel = new Uint8Array(from + bytes.length);
  new DataView(parcel.buffer).setUint32(0, json.length, true);
  parcel.set(json, HEAD_BYTES);
  parcel.set(bytes, from);
  return parcel;
}

/** `bytes` are in memory of their own. Throws where it is none. */
export function unpack(parcel: Uint8Array): { value: unknown; bytes: Bytes } {
  const length = new DataView(parcel.buffer, parcel.byteOffset, parcel.byteLength).getUint32(0, true);
  const from = startOf(length);
  if (from > parcel.length) throw new RangeError(`${length} bytes of JSON in a message of ${parcel.length}`);
  const value = JSON.parse(decoder.decode(parcel.subarray(HEAD_BYTES, HEAD_BYTES + length)));
  return { value, bytes: Uint8Array.from(parcel.subarray(from)) };
}

const startOf = (jsonBytes: number): number => (HEAD_BYTES + jsonBytes + 3) & ~3;
