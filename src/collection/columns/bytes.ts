// Columns as bytes:
//   0  "VCOL" | version u32 | file bytes u32 | head bytes u32 | hash 2 x u32, of all else
//   24 head: JSON that says what the parts are | parts, one after the other, each from a multiple of 8 on
// Little-endian; what is between parts is 0.
import { atOnce } from "../../input/slices.js";
import type { Bytes } from "../../words/arrays.js";
import { VicinalError } from "../../words/errors.js";

const MAGIC = 0x4c4f4356;
const VERSION = 1;
const HEAD_AT = 24;
const HASH_AT = 16;
/** Words that are hashed between two yields. */
const SLICE = 1 << 18;
/** More than one array holds. */
const MOST_BYTES = 0xfffffff8;

type Part = Uint8Array | Uint16Array | Uint32Array | Int16Array | Int32Array | Float64Array;

export function damaged(why: string): VicinalError {
  return new VicinalError("BAD_FILE", `these are not the whole, undamaged bytes of columns: ${why}`);
}

const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Yields now and then. */
export function* pack(head: unknown, parts: readonly Part[]): Generator<undefined, Bytes, void> {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const total = padded(HEAD_AT + text.length) + parts.reduce((sum, { byteLength }) => sum + padded(byteLength), 0);
  if (total > MOST_BYTES) throw new VicinalError("OUT_OF_MEMORY", `the columns take ${total} bytes; ${MOST_BYTES} can be saved`);
  const bytes = new Uint8Array(total);
  bytes.set(text, HEAD_AT);
  let at = padded(HEAD_AT + text.length);
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += padded(part.byteLength);
  }
  const words = new Uint32Array(bytes.buffer);
  words.set([MAGIC, VERSION, total, text.length]);
  words.set(yield* hash(words), HASH_AT / 4);
  return bytes;
}

/** Parts in the order in which they were packed, by their kinds and lengths. */
export interface Unpacked {
  readonly head: unknown;
  next<T extends Part>(kind: PartKind<T>, length: number): T;
  /** Throws where there is more. */
  end(): void;
}

interface PartKind<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, at: number, length: number): T;
}

export function unpack(given: Uint8Array): Unpacked {
  if (given.length < HEAD_AT || given.length % 8 !== 0) throw damaged(`${given.length} bytes are too few, or too many`);
  const bytes = new Uint8Array(given.length);
  bytes.set(given);
  const words = new Uint32Array(bytes.buffer);
  const [magic, version, total, headBytes] = words;
  if (magic !== MAGIC) throw damaged("they begin with other letters");
  if (total !== bytes.length) throw damaged(`there are ${bytes.length} bytes, and there were ${total}`);
  const [first, second] = atOnce(hash(words));
  if (words[HASH_AT / 4] !== first || words[HASH_AT / 4 + 1] !== second) throw damaged("their hash is another");
  if (version !== VERSION) throw damaged(`they are of version ${version}; this vicinal reads ${VERSION}`);
  let at = padded(HEAD_AT + headBytes);
  if (at > total) throw damaged("their head ends after them");
  return {
    head: JSON.parse(new TextDecoder().decode(bytes.subarray(HEAD_AT, HEAD_AT + headBytes))),
    next(kind, length) {
      const from = at;
      at += padded(length * kind.BYTES_PER_ELEMENT);
      if (!Number.isInteger(length) || length < 0 || at > total) throw damaged("a part ends after them");
      return new kind(bytes.buffer, from, length);
    },
    end() {
      if (at !== total) throw damaged("they go on after the last part");
    },
  };
}

/**
 * Two hashes of 32 bits of all words but their own. Each step takes another word to another state and another state to another, so
 * that no change within one word goes unseen.
 */
function* hash(words: Uint32Array): Generator<undefined, [number, number], void> {
  let a = words.length;
  let b = ~words.length;
  for (let i = 0; i < words.length; i++) {
    if (i % SLICE === SLICE - 1) yield;
    const word = i === HASH_AT / 4 || i === HASH_AT / 4 + 1 ? 0 : words[i];
    a = Math.imul(a ^ word, 0x85ebca6b);
    a ^= a >>> 13;
    b = Math.imul(b + word, 0xc2b2ae35);
    b ^= b >>> 16;
  }
  return [a >>> 0, b >>> 0];
}
