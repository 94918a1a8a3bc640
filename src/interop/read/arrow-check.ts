// apache-arrow believes every count in a file's metadata, and goes through as many things as they say. So these are looked at first: that
// what tables and vectors of the flatbuffers say they have is within them (https://flatbuffers.dev/internals/), for the tables of
// https://github.com/apache/arrow/tree/main/format (Schema.fbs, Message.fbs, File.fbs) that such counts are in.
//
//   message:  [-1 i32][bytes of metadata i32][metadata: a flatbuffer][body]; before Arrow 0.15 without the -1; 0 bytes end a stream
//   file:     ["ARROW1", 2 zeros] ... [footer: a flatbuffer][its bytes i32]["ARROW1"]
import type { ByteSource } from "../bytes-of.js";
import { unreadable } from "../imported.js";
import { viewOf } from "../view-of.js";
import type { ByteReader } from "./bytes.js";

/** What of a table is looked at, by the places of its fields. */
interface Table {
  readonly [place: number]: { readonly table: Table } | { readonly vector: Table | number };
}

const PLAIN: Table = {};
const KEY_VALUE = PLAIN;
const FIELD: Table = {
  3: { table: PLAIN },
  4: { table: PLAIN },
  /** Its children. */
  get 5() {
    return { vector: FIELD };
  },
  6: { vector: KEY_VALUE },
};
const SCHEMA: Table = { 1: { vector: FIELD }, 2: { vector: KEY_VALUE }, 3: { vector: 8 } };
const RECORD_BATCH: Table = { 1: { vector: 16 }, 2: { vector: 16 }, 3: { table: PLAIN } };
const DICTIONARY_BATCH: Table = { 1: { table: RECORD_BATCH } };
const FOOTER: Table = { 1: { table: SCHEMA }, 2: { vector: 24 }, 3: { vector: 24 }, 4: { vector: KEY_VALUE } };
/** By the header_type of a message. */
const HEADERS: readonly Table[] = [PLAIN, SCHEMA, DICTIONARY_BATCH, RECORD_BATCH];
const [HEADER_TYPE, HEADER, BODY_LENGTH] = [1, 2, 3];
/** Of a record batch. */
const COMPRESSION = 3;

/** Tables in one flatbuffer at most: of damage many may lead to the same. */
const MOST_TABLES = 1 << 16;
const MOST_DEPTH = 64;
const MARK_BYTES = 6;
const BLOCK_BYTES = 24;
/** Bytes of metadata: of more than ten thousand columns. */
const MOST_METADATA = 1 << 24;

class Flatbuffer {
  readonly #view: DataView;
  #tables = 0;

  constructor(
    readonly path: string,
    bytes: Uint8Array,
  ) {
    this.#view = viewOf(bytes);
  }

  root(): number {
    return this.#inside(0, 4) + this.#view.getUint32(0, true);
  }

  /** Where a field of a table is; 0 where it has none. */
  field(table: number, place: number): number {
    this.#inside(table, 4);
    const vtable = table - this.#view.getInt32(table, true);
    const bytes = this.#view.getUint16(this.#inside(vtable, 4), true);
    this.#inside(vtable, bytes);
    const at = 4 + 2 * place;
    const offset = at + 2 <= bytes ? this.#view.getUint16(vtable + at, true) : 0;
    return offset === 0 ? 0 : this.#inside(table + offset, 1);
  }

  u8(at: number): number {
    return at === 0 ? 0 : this.#view.getUint8(at);
  }
  i64(at: number): number {
    return at === 0 ? 0 : Number(this.#view.getBigInt64(this.#inside(at, 8), true));
  }

  /** What a field leads to. */
  target(at: number): number {
    return this.#inside(at + this.#view.getUint32(this.#inside(at, 4), true), 4);
  }

  length(vector: number, each: number): number {
    const length = this.#view.getUint32(this.#inside(vector, 4), true);
    this.#inside(vector + 4, length * each);
    return length;
  }

  check(table: number, shape: Table, depth = 0): void {
    if (++this.#tables > MOST_TABLES || depth > MOST_DEPTH) throw this.#bad();
    for (const [place, one] of Object.entries(shape)) {
      const at = this.field(table, Number(place));
      if (at === 0) continue;
      const to = this.target(at);
      if ("table" in one) this.check(to, one.table, depth + 1);
      else if (typeof one.vector === "number") this.length(to, one.vector);
      else {
        const length = this.length(to, 4);
        for (let i = 0; i < length; i++) this.check(this.target(to + 4 + 4 * i), one.vector, depth + 1);
      }
    }
    // Of every table that is gone into: its own bytes.
    this.field(table, 0);
  }

  /** Nodes and buffers of a record batch lie in its body. */
  checkBatch(batch: number, body: number): void {
    if (this.field(batch, COMPRESSION))
      throw unreadable(`${this.path}: its batches are compressed: write them without (pyarrow: compression=None)`);
    const most = 8 * body + 64;
    if (this.i64(this.field(batch, 0)) > most) throw this.#bad();
    const [nodes, buffers] = [1, 2].map((place) => this.field(batch, place));
    for (const [at, within] of [
      [nodes, (a: number, b: number) => a >= 0 && a <= most && b >= 0 && b <= a],
      [buffers, (a: number, b: number) => a >= 0 && b >= 0 && a + b <= body],
    ] as const) {
      if (at === 0) continue;
      const vector = this.target(at);
      for (let i = 0, n = this.length(vector, 16); i < n; i++) {
        const from = vector + 4 + 16 * i;
        if (!within(this.i64(from), this.i64(from + 8))) throw this.#bad();
      }
    }
  }

  #inside(at: number, bytes: number): number {
    if (at < 0 || at + bytes > this.#view.byteLength) throw this.#bad();
    return at;
  }

  #bad(): Error {
    return unreadable(`${this.path}: not an Arrow file that can be read (its metadata contradicts itself)`);
  }
}

/** Checks the metadata of a message; returns its header_type, and the bytes of its body. */
function checkMessage(path: string, metadata: Uint8Array): { type: number; body: number } {
  const buffer = new Flatbuffer(path, metadata);
  const message = buffer.root();
  buffer.check(message, PLAIN);
  const type = buffer.u8(buffer.field(message, HEADER_TYPE));
  const body = buffer.i64(buffer.field(message, BODY_LENGTH));
  const at = buffer.field(message, HEADER);
  if (at !== 0 && HEADERS[type]) {
    const header = buffer.target(at);
    buffer.check(header, HEADERS[type]);
    if (HEADERS[type] === RECORD_BATCH) buffer.checkBatch(header, body);
    else if (HEADERS[type] === DICTIONARY_BATCH && buffer.field(header, 1))
      buffer.checkBatch(buffer.target(buffer.field(header, 1)), body);
  }
  if (!(body >= 0)) throw unreadable(`${path}: not an Arrow file that can be read (a body of ${body} bytes)`);
  return { type, body };
}

/** Bytes of a message before its metadata, and of the metadata; undefined at the end. */
function frameOf(head: Uint8Array): { before: number; bytes: number } | undefined {
  if (head.length < 4) return undefined;
  const view = viewOf(head);
  const first = view.getInt32(0, true);
  const [before, bytes] = first === -1 && head.length >= 8 ? [8, view.getInt32(4, true)] : [4, first];
  return bytes === 0 ? undefined : { before, bytes };
}

function checkedSize(path: string, bytes: number): number {
  if (bytes < 0 || bytes > MOST_METADATA)
    throw unreadable(`${path}: not an Arrow file that can be read (${bytes} bytes of metadata)`);
  return bytes;
}

/** A stream's bytes, each message once it has been looked at. */
export async function* checkedStream(reader: ByteReader): AsyncGenerator<Uint8Array> {
  const { path } = reader;
  for (;;) {
    const head = await reader.peek(8);
    const frame = frameOf(head);
    if (!frame) break;
    const message = (await reader.take(frame.before + checkedSize(path, frame.bytes))).slice();
    if (message.length < frame.before + frame.bytes)
      throw unreadable(`${path}: not an Arrow file that can be read (it ends in a message)`);
    const { body } = checkMessage(path, message.subarray(frame.before));
    yield message;
    for (let left = body; left > 0; ) {
      const piece = await reader.take(Math.min(left, MOST_METADATA));
      if (piece.length === 0) throw unreadable(`${path}: not an Arrow file that can be read (it ends in a body)`);
      left -= piece.length;
      yield piece.slice();
    }
  }
}

/** Looks at a file's footer and at the messages that it leads to. */
export async function checkFile(path: string, source: ByteSource): Promise<void> {
  const end = source.size - MARK_BYTES - 4;
  const fail = (why: string): Error => unreadable(`${path}: not an Arrow file that can be read (${why})`);
  if (end < 8) throw fail("it is cut off");
  const footerBytes = viewOf(await source.read(end, end + 4)).getInt32(0, true);
  if (footerBytes <= 0 || footerBytes > end) throw fail(`a footer of ${footerBytes} bytes`);
  const bytes = await source.read(end - footerBytes, end);
  const footer = new Flatbuffer(path, bytes);
  const root = footer.root();
  footer.check(root, FOOTER);
  // Dictionaries and record batches, whose places in the footer are the types of their messages.
  for (const wanted of [2, 3]) {
    const at = footer.field(root, wanted);
    if (at === 0) continue;
    const vector = footer.target(at);
    for (let i = 0, n = footer.length(vector, BLOCK_BYTES); i < n; i++) {
      const from = footer.i64(vector + 4 + BLOCK_BYTES * i);
      if (!(from >= 0 && from + 8 <= end)) throw fail(`a message at ${from}`);
      const frame = frameOf(await source.read(from, from + 8));
      if (!frame || from + frame.before + checkedSize(path, frame.bytes) > end) throw fail(`a message at ${from}`);
      const start = from + frame.before;
      const { type, body } = checkMessage(path, await source.read(start, start + frame.bytes));
      // Of another it would read the same one for ever.
      if (type !== wanted) throw fail(`a message of type ${type} where one of type ${wanted} should be`);
      if (start + frame.bytes + body > end) throw fail(`a body of ${body} bytes at ${start + frame.bytes}`);
    }
  }
}
