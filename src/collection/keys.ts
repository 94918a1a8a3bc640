// Ids as bytes: what it is u8, then an integer as f64 | ASCII | UTF-8 | UTF-16 where the string has half a surrogate pair, which
// UTF-8 cannot say. So "1" and 1 have different keys, and equal keys are equal ids.
import { bad, show, VicinalError } from "../words/errors.js";

/** A document's id: a string, also the empty one, or a safe integer; "1" is not 1. */
export type DocumentId = string | number;

const INTEGER = 0;
const ASCII = 1;
const UTF8 = 2;
const UTF16 = 3;
/** Most bytes of a key. */
const MOST_BYTES = 65536;

const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Throws where it is none; -0 is 0. */
export function checkDocumentId(id: unknown, name: string): DocumentId {
  if (typeof id === "string" && id.length < MOST_BYTES) return id;
  if (Number.isSafeInteger(id)) return (id as number) + 0;
  const why = typeof id === "string" ? `has ${id.length} characters, more than ${MOST_BYTES - 1}` : `is ${show(id)}`;
  throw new VicinalError("BAD_ID", `${name} ${why}; an id is a string or a safe integer`);
}

/** Keys are written to one place, and are valid until the next is. */
let scratch = new Uint8Array(256);

/** The key of an id. */
export function keyOf(id: DocumentId): Uint8Array {
  if (typeof id === "number") {
    scratch[0] = INTEGER;
    new DataView(scratch.buffer).setFloat64(1, id, true);
    return scratch.subarray(0, 9);
  }
  const n = id.length;
  // What a long value of a field has taken is not kept.
  if (scratch.length < 3 * n + 1 || scratch.length > 4 * MOST_BYTES) scratch = new Uint8Array(Math.max(256, 4 * n + 1));
  let i = 0;
  for (let code = 0; i < n; i++) {
    code = id.charCodeAt(i);
    if (code > 127) break;
    scratch[i + 1] = code;
  }
  if (i === n) {
    scratch[0] = ASCII;
    return scratch.subarray(0, n + 1);
  }
  if (/[\ud800-\udfff]/u.test(id)) {
    scratch[0] = UTF16;
    for (let j = 0; j < n; j++) {
      scratch[1 + 2 * j] = id.charCodeAt(j);
      scratch[2 + 2 * j] = id.charCodeAt(j) >> 8;
    }
    return scratch.subarray(0, 2 * n + 1);
  }
  scratch[0] = UTF8;
  const { written } = encoder.encodeInto(id, scratch.subarray(1));
  return scratch.subarray(0, written + 1);
}

/** A short one, in half the time that a decoder takes. */
function asciiOf(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  let i = from;
  for (; i + 8 <= to; i += 8) {
    const [a, b, c, d] = [bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]];
    text += String.fromCharCode(a, b, c, d, bytes[i + 4], bytes[i + 5], bytes[i + 6], bytes[i + 7]);
  }
  for (; i < to; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

/** The id of the key that lies between two places. Throws where no id has it. */
export function idOfKey(heap: Uint8Array, from: number, to: number): DocumentId {
  const kind = heap[from];
  if (kind === ASCII && to - from < 64) return asciiOf(heap, from + 1, to);
  const bytes = heap.subarray(from + 1, to);
  if (kind === ASCII || kind === UTF8) return utf8.decode(bytes);
  if (kind === INTEGER && bytes.length === 8) {
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  }
  if (kind === UTF16 && bytes.length % 2 === 0) {
    let text = "";
    for (let i = 0; i < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
    return text;
  }
  throw bad(`an id of kind ${kind} in ${to - from} bytes`);
}

/** Of the key that lies between two places. */
export function hashOf(heap: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ heap[i], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca77 | 0);
  return (hash ^ (hash >>> 13)) >>> 0;
}
