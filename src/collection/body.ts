// A document as it lies in a file: [checksum u32][bytes of JSON u32][JSON][vector]. The vector is missing where an index has it
// as it was given. The checksum is of all that follows.
import { bad } from "../words/errors.js";
import type { Writer } from "./writer.js";
import { xxh32 } from "./xxh32.js";

const HEAD_BYTES = 8;
const decoder = new TextDecoder();

/** Writes one; returns its bytes. */
export function writeBody(to: Writer, text: string, vector: Uint8Array | undefined): number {
  const from = to.at;
  to.u32(0);
  to.u32(0);
  to.setU32(from + 4, to.text(text));
  if (vector) to.raw(vector);
  to.setU32(from, xxh32(to.bytes.subarray(from + 4, to.at)));
  return to.at - from;
}

export interface Body {
  readonly text: string;
  /** Its bytes as they were given; undefined where they are in an index. */
  readonly vector: Uint8Array | undefined;
}

/** Throws where its checksum is not its own. `where` is for the sentence. */
export function checkBody(bytes: Uint8Array, where: () => string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length >= HEAD_BYTES && HEAD_BYTES + view.getUint32(4, true) <= bytes.length;
  if (!whole || view.getUint32(0, true) !== xxh32(bytes.subarray(4)))
    throw bad(`${where()} is damaged: its checksum does not match`);
}

/** Reads one that has been checked. */
export function readBody(bytes: Uint8Array): Body {
  const end = HEAD_BYTES + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);
  return { text: decoder.decode(bytes.subarray(HEAD_BYTES, end)), vector: end < bytes.length ? bytes.subarray(end) : undefined };
}
