// The .vic file, version 2, little-endian. Sections are the index's columns and learned tables, byte for byte as in memory.
//
//   header, 64 bytes: "VICINAL\0" | version u32 | kind u32 | metric u32 | codec u32 | dimensions u32 | size u32
//                     | slots u32 | records u32 | sections u32 | 0 u32 | file bytes u64 | checksum u64
//   section table, 32 bytes each: tag 4 letters | bytes per slot u32 | offset u64 | bytes u64 | checksum u64
//   sections, each from a multiple of 64: "stat" (assembly/memory/state.ts), then one per column (assembly/index/open.ts), of packed
//   columns whole groups of 32 slots (assembly/memory/store.ts), then one per table, said to be of one slot (assembly/memory/blobs.ts)
//
// Checksums are XXH64; the header's is over header (with itself 0) and table. Version 1 had no tables, nothing packed, and
// a "stat" of 128 bytes.
//
// Here are bytes alone, no index: whoever has the first HEADER_BYTES of a file learns from headEnd() how many more to fetch, from those by
// readHead() what lies where, and from the first section by readStat() what index it is. All that is checked of places is checked here.
import { checkState } from "../words/check-state.js";
import { bad } from "../words/errors.js";
import { KIND_NAMES } from "../words/kinds.js";
import { readState, STATE_BYTES, STATE_BYTES_1, type State, upgraded } from "../words/state.js";

const MAGIC = [0x56, 0x49, 0x43, 0x49, 0x4e, 0x41, 0x4c, 0];
const VERSION = 2;
const FIRST_VERSION = 1;
/** What is at least to be read before anything is known. */
export const HEADER_BYTES = 64;
const ENTRY_BYTES = 32;
const CHECKSUM_AT = 56;
const MAX_SECTIONS = 32;
const STATE_TAG = "stat";
/** Records of the upper store. */
const UPPER_TAG = "uppr";

/** XXH64. */
type Hash = (bytes: Uint8Array) => bigint;

/** What a section holds: `stride` bytes per slot or record; of a table that is all of it. */
export interface Content {
  readonly tag: string;
  readonly stride: number;
  readonly bytes: number;
}

export interface Section extends Content {
  readonly offset: number;
  checksum: bigint;
}

export interface Head {
  readonly version: number;
  readonly kind: number;
  readonly metric: number;
  readonly codec: number;
  readonly dimensions: number;
  readonly live: number;
  readonly slots: number;
  readonly records: number;
  readonly sections: readonly Section[];
  readonly checksum: bigint;
}

/** The first section. */
export const STAT: Content = { tag: STATE_TAG, stride: STATE_BYTES, bytes: STATE_BYTES };

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Places sections one after the other, STAT first; the file ends with the last. Their checksums are still to be set. */
export function placed(contents: readonly Content[]): Section[] {
  let end = HEADER_BYTES + ENTRY_BYTES * contents.length;
  return contents.map((content) => {
    const offset = aligned(end);
    end = offset + content.bytes;
    return { ...content, offset, checksum: 0n };
  });
}

/** Header and table of a file of `fileBytes`, with their checksum. */
export function headOf(
  { kind, metric, codec, dimensions, live }: State,
  slots: number,
  records: number,
  sections: readonly Section[],
  fileBytes: number,
  hash: Hash,
): Uint8Array {
  const head = new Uint8Array(HEADER_BYTES + ENTRY_BYTES * sections.length);
  const view = new DataView(head.buffer);
  head.set(MAGIC);
  const numbers = [VERSION, kind, metric, codec, dimensions, live, slots, records, sections.length];
  numbers.forEach((value, i) => void view.setUint32(8 + 4 * i, value, true));
  view.setBigUint64(48, BigInt(fileBytes), true);
  sections.forEach(({ tag, stride, offset, bytes, checksum }, i) => {
    const at = HEADER_BYTES + ENTRY_BYTES * i;
    for (let j = 0; j < 4; j++) head[at + j] = tag.charCodeAt(j);
    view.setUint32(at + 4, stride, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, BigInt(bytes), true);
    view.setBigUint64(at + 24, checksum, true);
  });
  view.setBigUint64(CHECKSUM_AT, hash(head), true);
  return head;
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

/** What is often taken for a .vic file, by how it begins. */
const OTHERS = {
  "<": "HTML, perhaps an error page: check response.ok",
  "{": "JSON, perhaps an error: check response.ok",
  "[": "JSON",
  "\x1f": "gzip: decompress it first",
  PK: "a zip: unpack it first",
  "version ": "a Git LFS pointer",
};

/** Where header and table end, from the first HEADER_BYTES or more of a file that has `fileBytes`. */
export function headEnd(start: Uint8Array, fileBytes: number): number {
  const text = new TextDecoder().decode(start.subarray(0, HEADER_BYTES)).trimStart();
  for (const [begin, what] of Object.entries(OTHERS)) if (text.startsWith(begin)) throw bad(`it looks like ${what}`);
  if (start.length === 0) throw bad("it is empty, or its ArrayBuffer was transferred or shrunk");
  if (start.length < HEADER_BYTES) throw bad(`${start.length} bytes are fewer than a header's ${HEADER_BYTES}`);
  if (MAGIC.some((byte, i) => start[i] !== byte)) throw bad("it does not begin with VICINAL");
  const view = viewOf(start);
  const version = view.getUint32(8, true);
  if (version < FIRST_VERSION || version > VERSION) {
    throw bad(`its format version is ${version}, this vicinal reads ${FIRST_VERSION} to ${VERSION}`);
  }
  const length = view.getBigUint64(48, true);
  if (length !== BigInt(fileBytes)) throw bad(`it says it has ${length} bytes and has ${fileBytes}`);
  const count = view.getUint32(40, true);
  const end = HEADER_BYTES + ENTRY_BYTES * count;
  if (count < 1 || count > MAX_SECTIONS || end > fileBytes || view.getUint32(44, true) !== 0) {
    throw bad(`its table of ${count} sections does not fit`);
  }
  return end;
}

/**
 * Header and table, from all their bytes or more: checked to fit each other and a file of `fileBytes`. Checksums come later: isSealed()
 * for these.
 */
export function readHead(start: Uint8Array, fileBytes: number): Head {
  const table = headEnd(start, fileBytes);
  const view = viewOf(start);
  let end = table;
  const sections = Array.from({ length: (table - HEADER_BYTES) / ENTRY_BYTES }, (_, i): Section => {
    const at = HEADER_BYTES + ENTRY_BYTES * i;
    const section = {
      tag: String.fromCharCode(...start.subarray(at, at + 4)),
      stride: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      bytes: Number(view.getBigUint64(at + 16, true)),
      checksum: view.getBigUint64(at + 24, true),
    };
    if (section.offset !== aligned(end) || section.offset + section.bytes > fileBytes) {
      throw bad(
        `section ${i} should begin at ${aligned(end)} and end by ${fileBytes}, it is ${section.bytes} bytes at ${section.offset}`,
      );
    }
    end = section.offset + section.bytes;
    return section;
  });
  if (end !== fileBytes) throw bad(`its sections end at ${end} of ${fileBytes} bytes`);
  const [version, kind, metric, codec, dimensions, live, slots, records] = Array.from({ length: 8 }, (_, i) =>
    view.getUint32(8 + 4 * i, true),
  );
  const checksum = view.getBigUint64(CHECKSUM_AT, true);
  return { version, kind, metric, codec, dimensions, live, slots, records, sections, checksum };
}

/** Whether the checksum of header and table is theirs. */
export function isSealed(start: Uint8Array, { sections, checksum }: Head, hash: Hash): boolean {
  // Not slice(): that of a Node Buffer does not copy.
  const bytes = new Uint8Array(start.subarray(0, HEADER_BYTES + ENTRY_BYTES * sections.length));
  bytes.fill(0, CHECKSUM_AT, HEADER_BYTES);
  return hash(bytes) === checksum;
}

/** The state, from the bytes of the first section, as the present version has it: one that an index can have, and the header's. */
export function readStat(head: Head, bytes: Uint8Array, fileBytes: number): State {
  const { version, sections, kind, metric, codec, dimensions, live } = head;
  const old = version === FIRST_VERSION;
  if (sections[0].tag !== STATE_TAG || bytes.length !== (old ? STATE_BYTES_1 : STATE_BYTES)) {
    throw bad("its first section is not its state");
  }
  const state = readState(upgraded(bytes));
  const agree = state.kind === kind && state.metric === metric && state.codec === codec && state.dimensions === dimensions;
  if (!agree || state.live !== live) throw bad("its header and its state disagree");
  checkState(state, fileBytes);
  return state;
}

/** Sections as the present version has them: of format 1, Flat indices had an empty one for the layers of a graph. */
export function presentSections({ version, kind, sections }: Head): readonly Section[] {
  if (version !== FIRST_VERSION || KIND_NAMES[kind] !== "flat") return sections;
  return sections.filter(({ tag, bytes }) => tag !== UPPER_TAG || bytes > 0);
}

/** What a section holds, in the bytes of the whole file. */
export function sectionIn(file: Uint8Array, { offset, bytes }: Section): Uint8Array {
  return file.subarray(offset, offset + bytes);
}
