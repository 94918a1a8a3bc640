// A published index, version 1: a head, and data that never changes, little-endian. Whoever publishes anew writes other data under another
// name, and then the head that names it.
//
//   head.bin is fetched as a whole:
//     "VICRANGE" | version u32 | checksum u32 | file bytes u32 | about bytes u32 | lists u32 | 0 u32
//     about: JSON (About), with zeros to a multiple of 8
//     state: the 256 bytes of assembly/memory/state.ts, of an ivf index of rabitq codes with nothing in it
//     centroids: lists x [least f32][step f32][dimensions x u8], value = least + step * u8
//     table: lists x [documents u32][codes checksum u32][record bytes u32][fields bytes u32][fields checksum u32]
//
//   <hash>-0.bin, <hash>-1.bin ... are the data, cut after every so many bytes for hosts that limit files, and fetched by ranges. What is in
//   it follows each other without a gap. Lists are in an order in which those beside each other
//   are near, and a document's place is its number in that order:
//     codes    per list of n: [n x add f32][n x scale f32][n x code], as assembly/codec/rabitq.ts has them, a row after the other
//     records  per list of n: n x [checksum u32][row][payload, where there are any][id as JSON, with zeros to the record's end]
//              row: [least f32][step f32][dimensions x u8], or dimensions x f32; payload: [offset u32 x 2^32 + u32][bytes u32][checksum u32]
//     fields   per list JSON (fields.ts), where fields were published
//     zones    JSON (zones.ts), likewise
//     payloads each document's data as JSON
//
// Checksums are XXH32: of the head over all that is behind it; of a record over what is behind it, with its place as seed; of everything else
// over all of it. Codes of a list are apart from its records, since a search reads the codes of many lists and then few records: lists beside
// each other are one range then.

import type { Fields } from "../collection/where/fields.js";
import { xxh32 } from "../collection/xxh32.js";
import type { Bytes } from "../words/arrays.js";
import { checkState } from "../words/check-state.js";
import { show, VicinalError } from "../words/errors.js";
import { readState, STATE_BYTES, type State } from "../words/state.js";

export const HEAD_NAME = "head.bin";
const MAGIC = "VICRANGE";
const VERSION = 1;
const FIXED_BYTES = 32;
const CHECKED_FROM = 16;
export const ENTRY_BYTES = 20;
/** Beside a code: what is added, and the scale. */
export const AUX_BYTES = 8;
export const SCALE_BYTES = 8;
export const PAYLOAD_BYTES = 16;
const CHECKSUM_BYTES = 4;
const MOST_LISTS = 65536;
const DATA_NAME = /^[0-9a-f]{16}$/;

/** How rows beside the codes are kept. */
export const ROW_KINDS = ["sq8", "f32"] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** What a head says in JSON. */
export interface About {
  /** What the data is called, by its content. */
  readonly data: string;
  readonly dataBytes: number;
  /** Of each of its files but the last. */
  readonly partBytes: number;
  /** How many there are. */
  readonly documents: number;
  readonly rows: RowKind;
  /** Bytes of a code. */
  readonly codeBytes: number;
  /** Documents have data. */
  readonly payloads: boolean;
  /** Fields that conditions can be put on, by name; "any" where nothing was declared. */
  readonly fields: Readonly<Record<string, Fields[string] | "any">>;
  readonly zones: { readonly bytes: number; readonly checksum: number };
  /** What searches do that say nothing: lists probed, candidates for ten hits. */
  readonly nprobe: number;
  readonly candidates: number;
  /** What that found of the ten nearest of so many of its own vectors, when it was published. */
  readonly recall: number;
  readonly judges: number;
}

/** One list, as the table has it. */
export interface ListEntry {
  readonly documents: number;
  readonly codesChecksum: number;
  readonly recordBytes: number;
  readonly fieldsBytes: number;
  readonly fieldsChecksum: number;
}

export interface Head {
  readonly about: About;
  readonly state: State;
  /** lists x dimensions. */
  readonly centroids: Float32Array;
  readonly lists: readonly ListEntry[];
}

/** Where a range of the data begins and ends. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export function badHead(why: string): VicinalError {
  return new VicinalError("BAD_FILE", `not the whole ${HEAD_NAME} of a published index: ${why}`);
}

const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;
export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

/** Values of 8 bits between the least and the greatest: [least f32][step f32][u8 each]. */
export function writeScaled(values: ArrayLike<number>, to: Uint8Array, at: number): void {
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > most) most = values[i];
  }
  const low = Math.fround(least);
  const step = Math.fround((most - low) / 255);
  const view = viewOf(to);
  view.setFloat32(at, low, true);
  view.setFloat32(at + 4, step, true);
  for (let i = 0; i < values.length; i++) {
    to[at + SCALE_BYTES + i] = step > 0 ? Math.min(Math.max(Math.round((values[i] - low) / step), 0), 255) : 0;
  }
}

/** So many of them, to `to` from `start` on. */
export function readScaled(from: Uint8Array, at: number, n: number, to: Float32Array, start: number): void {
  const view = viewOf(from);
  const low = view.getFloat32(at, true);
  const step = view.getFloat32(at + 4, true);
  for (let i = 0; i < n; i++) to[start + i] = low + step * from[at + SCALE_BYTES + i];
}

/** Where a document's data is, from the first payload on. */
export interface Payload {
  readonly from: number;
  readonly bytes: number;
  readonly checksum: number;
}

export function writePayload({ from, bytes, checksum }: Payload, to: Uint8Array, at: number): void {
  const view = viewOf(to);
  const numbers = [Math.floor(from / 2 ** 32), from >>> 0, bytes, checksum];
  for (const [i, value] of numbers.entries()) view.setUint32(at + 4 * i, value, true);
}

export function readPayload(from: Uint8Array, at: number): Payload {
  const view = viewOf(from);
  const [high, low, bytes, checksum] = [0, 4, 8, 12].map((i) => view.getUint32(at + i, true));
  return { from: high * 2 ** 32 + low, bytes, checksum };
}

/** The bytes of a head; `state` as it is in a file. */
export function headOf(about: About, state: Uint8Array, scaled: Uint8Array, lists: readonly ListEntry[]): Bytes {
  const json = new TextEncoder().encode(JSON.stringify(about));
  const stateAt = FIXED_BYTES + padded(json.length);
  const tableAt = stateAt + STATE_BYTES + scaled.length;
  const head = new Uint8Array(tableAt + ENTRY_BYTES * lists.length);
  const view = viewOf(head);
  for (let i = 0; i < MAGIC.length; i++) head[i] = MAGIC.charCodeAt(i);
  view.setUint32(8, VERSION, true);
  view.setUint32(16, head.length, true);
  view.setUint32(20, json.length, true);
  view.setUint32(24, lists.length, true);
  head.set(json, FIXED_BYTES);
  head.set(state, stateAt);
  head.set(scaled, stateAt + STATE_BYTES);
  lists.forEach(({ documents, codesChecksum, recordBytes, fieldsBytes, fieldsChecksum }, i) => {
    const numbers = [documents, codesChecksum, recordBytes, fieldsBytes, fieldsChecksum];
    numbers.forEach((value, j) => void view.setUint32(tableAt + ENTRY_BYTES * i + 4 * j, value, true));
  });
  view.setUint32(12, xxh32(head.subarray(CHECKED_FROM)), true);
  return head;
}

/** What is often found in the place of a head, by how it begins. */
function guess(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, 16)).trimStart();
  if (text.startsWith("<")) return "it looks like HTML: a page for what is not there";
  if (text.startsWith("VICINAL\0")) return "it is a .vic file: `vicinal publish` makes a folder of it";
  if (text.startsWith("version ")) return "it is a Git LFS pointer";
  return "it does not begin with VICRANGE";
}

/** Errors: BAD_FILE. */
export function readHead(bytes: Uint8Array): Head {
  if (bytes.length === 0) throw badHead("it is empty");
  if (MAGIC !== String.fromCharCode(...bytes.subarray(0, MAGIC.length))) throw badHead(guess(bytes));
  if (bytes.length < FIXED_BYTES) throw badHead(`it has ${bytes.length} bytes`);
  const view = viewOf(bytes);
  const version = view.getUint32(8, true);
  if (version !== VERSION) throw badHead(`its version is ${version}, this vicinal reads ${VERSION}`);
  const length = view.getUint32(16, true);
  if (length !== bytes.length) throw badHead(`it says it has ${length} bytes and has ${bytes.length}`);
  if (xxh32(bytes.subarray(CHECKED_FROM)) !== view.getUint32(12, true)) throw badHead("its checksum does not match");
  const jsonBytes = view.getUint32(20, true);
  const count = view.getUint32(24, true);
  const stateAt = FIXED_BYTES + padded(jsonBytes);
  const centroidsAt = stateAt + STATE_BYTES;
  if (count < 1 || count > MOST_LISTS || centroidsAt > length) throw badHead(`its ${count} lists do not fit`);
  const state = readState(bytes.subarray(stateAt, centroidsAt));
  checkState(state, 2 ** 32);
  const { dimensions } = state;
  const tableAt = centroidsAt + count * (SCALE_BYTES + dimensions);
  if (state.nlist !== count || tableAt + count * ENTRY_BYTES !== length) throw badHead("its parts do not fit");
  const centroids = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    readScaled(bytes, centroidsAt + i * (SCALE_BYTES + dimensions), dimensions, centroids, i * dimensions);
  }
  const lists = Array.from({ length: count }, (_, i): ListEntry => {
    const [documents, codesChecksum, recordBytes, fieldsBytes, fieldsChecksum] = Array.from({ length: 5 }, (_, j) =>
      view.getUint32(tableAt + ENTRY_BYTES * i + 4 * j, true),
    );
    return { documents, codesChecksum, recordBytes, fieldsBytes, fieldsChecksum };
  });
  const about = JSON.parse(new TextDecoder().decode(bytes.subarray(FIXED_BYTES, FIXED_BYTES + jsonBytes))) as About;
  if (!DATA_NAME.test(about.data)) throw badHead(`it names ${show(about.data)} as its data`);
  if (!(about.partBytes >= 1)) throw badHead(`its data is in parts of ${show(about.partBytes)} bytes`);
  return { about, state, centroids, lists };
}

/** One file of the data, and which of its bytes are meant. */
export interface Part {
  readonly name: string;
  /** Of the whole file. */
  readonly bytes: number;
  readonly span: Span;
}

/** A range of the data, in the files that have it. */
export function partsOf(
  { data, dataBytes, partBytes }: Pick<About, "data" | "dataBytes" | "partBytes">,
  { from, to }: Span,
): Part[] {
  const parts: Part[] = [];
  for (let i = Math.floor(from / partBytes); i * partBytes < to; i++) {
    const start = i * partBytes;
    parts.push({
      name: `${data}-${i}.bin`,
      bytes: Math.min(partBytes, dataBytes - start),
      span: { from: Math.max(from - start, 0), to: Math.min(to - start, partBytes) },
    });
  }
  return parts;
}

export function rowBytes(rows: RowKind, dimensions: number): number {
  return rows === "f32" ? 4 * dimensions : SCALE_BYTES + dimensions;
}

/** Where in a record its id begins. */
export function idAt({ rows, payloads }: Pick<About, "rows" | "payloads">, dimensions: number): number {
  return CHECKSUM_BYTES + rowBytes(rows, dimensions) + (payloads ? PAYLOAD_BYTES : 0);
}

export const ROW_AT = CHECKSUM_BYTES;

/** Where everything is in the data. */
export class Places {
  /** Of each list its first document's place, and after the last how many documents there are. */
  readonly first: Uint32Array;
  readonly #codes: number[] = [];
  readonly #records: number[] = [];
  readonly #fields: number[] = [];
  readonly zones: Span;
  readonly payloads: number;
  readonly #lists: readonly ListEntry[];
  readonly #vectorBytes: number;

  constructor({ about, lists }: Head) {
    this.#lists = lists;
    this.#vectorBytes = AUX_BYTES + about.codeBytes;
    this.first = new Uint32Array(lists.length + 1);
    let at = 0;
    for (const [i, { documents }] of lists.entries()) {
      this.first[i + 1] = this.first[i] + documents;
      this.#codes.push(at);
      at += documents * this.#vectorBytes;
    }
    for (const { documents, recordBytes } of lists) {
      this.#records.push(at);
      at += documents * recordBytes;
    }
    for (const { fieldsBytes } of lists) {
      this.#fields.push(at);
      at += fieldsBytes;
    }
    this.zones = { from: at, to: at + about.zones.bytes };
    this.payloads = this.zones.to;
    if (this.first[lists.length] !== about.documents || this.payloads > about.dataBytes) {
      throw badHead(`its ${about.documents} documents do not fit in ${about.dataBytes} bytes`);
    }
  }

  codes(list: number): Span {
    const from = this.#codes[list];
    return { from, to: from + this.#lists[list].documents * this.#vectorBytes };
  }

  fields(list: number): Span {
    const from = this.#fields[list];
    return { from, to: from + this.#lists[list].fieldsBytes };
  }

  /** Of the document in a place. */
  record(place: number): Span {
    const list = listAt(this.first, place);
    const { recordBytes } = this.#lists[list];
    const from = this.#records[list] + (place - this.first[list]) * recordBytes;
    return { from, to: from + recordBytes };
  }
}

/** The list that one belongs to, where each begins with a number of `first`, which ends with that behind the last. */
export function listAt(first: Uint32Array, one: number): number {
  let [low, high] = [0, first.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (first[middle] <= one) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The row of a record, to `out` from `at` on. */
export function readRow(record: Uint8Array, kind: RowKind, dimensions: number, out: Float32Array, at: number): void {
  if (kind === "sq8") {
    readScaled(record, ROW_AT, dimensions, out, at);
    return;
  }
  const view = viewOf(record);
  for (let j = 0; j < dimensions; j++) out[at + j] = view.getFloat32(ROW_AT + 4 * j, true);
}
