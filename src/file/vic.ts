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

import { type Engine, partBytes } from "../border/engine.js";
import { newEngine } from "../border/runtime.js";
import { checkState } from "../words/check-state.js";
import { type CodecOption, codecOptions } from "../words/codec-option.js";
import { optionsOf } from "../words/describe.js";
import { bad, VicinalError } from "../words/errors.js";
import { CODEC_NAMES, type Codec, KIND_NAMES, type Kind, METRIC_NAMES, type Metric } from "../words/kinds.js";
import { KNOBS } from "../words/knobs.js";
import { EMPTY, FRESH, readState, STATE_BYTES, STATE_BYTES_1, type State, stateBytes, upgraded } from "../words/state.js";

const MAGIC = [0x56, 0x49, 0x43, 0x49, 0x4e, 0x41, 0x4c, 0];
const VERSION = 2;
const FIRST_VERSION = 1;
const HEADER_BYTES = 64;
const ENTRY_BYTES = 32;
const CHECKSUM_AT = 56;
const MAX_SECTIONS = 32;
const STATE_TAG = "stat";

interface Section {
  tag: string;
  stride: number;
  offset: number;
  bytes: number;
  checksum: bigint;
}

interface Header {
  version: number;
  state: State;
  slots: number;
  records: number;
  checksum: bigint;
  sections: Section[];
}

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** @internal */
export function writeFile(engine: Engine): Uint8Array {
  const parts = engine.parts();
  const [slots, records] = [engine.exports.storeCount(0), engine.exports.storeCount(1)];
  const table = HEADER_BYTES + ENTRY_BYTES * (parts.length + 1);
  const sections: Section[] = [];
  let end = table;
  const place = (tag: string, stride: number, bytes: number): void => {
    const section = { tag, stride, offset: aligned(end), bytes, checksum: 0n };
    sections.push(section);
    end = section.offset + bytes;
  };
  place(STATE_TAG, STATE_BYTES, STATE_BYTES);
  for (const part of parts) place(part.tag, part.stride, partBytes(part, slots, records));

  const file = new Uint8Array(end);
  const state = engine.copyState();
  file.set(state, sections[0].offset);
  sections[0].checksum = engine.hash(state);
  parts.forEach((part, i) => {
    const section = sections[i + 1];
    section.checksum = engine.readPart(part, file, section.offset);
  });

  const view = new DataView(file.buffer);
  file.set(MAGIC);
  const fields = readState(state);
  const numbers = [VERSION, fields.kind, fields.metric, fields.codec, fields.dimensions, fields.live];
  numbers.push(slots, records, sections.length);
  for (const [i, value] of numbers.entries()) view.setUint32(8 + 4 * i, value, true);
  view.setBigUint64(48, BigInt(end), true);
  sections.forEach((section, i) => {
    const at = HEADER_BYTES + ENTRY_BYTES * i;
    for (let j = 0; j < 4; j++) file[at + j] = section.tag.charCodeAt(j);
    view.setUint32(at + 4, section.stride, true);
    view.setBigUint64(at + 8, BigInt(section.offset), true);
    view.setBigUint64(at + 16, BigInt(section.bytes), true);
    view.setBigUint64(at + 24, section.checksum, true);
  });
  view.setBigUint64(CHECKSUM_AT, engine.hash(file.subarray(0, table)), true);
  return file;
}

/** Reads header, table and state, and checks that they fit each other and the file; checksums come later. */
function readHeader(file: Uint8Array): Header {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < HEADER_BYTES) throw bad(`${file.length} bytes are fewer than a header's ${HEADER_BYTES}`);
  if (MAGIC.some((byte, i) => file[i] !== byte)) throw bad("it does not begin with VICINAL");
  const [version, kind, metric, codec, dimensions, live, slots, records, count, zero] = Array.from({ length: 10 }, (_, i) =>
    view.getUint32(8 + 4 * i, true),
  );
  if (version < FIRST_VERSION || version > VERSION) {
    throw bad(`its format version is ${version}, this vicinal reads ${FIRST_VERSION} to ${VERSION}`);
  }
  const length = view.getBigUint64(48, true);
  if (length !== BigInt(file.length)) throw bad(`it says it has ${length} bytes and has ${file.length}`);
  const table = HEADER_BYTES + ENTRY_BYTES * count;
  if (count < 1 || count > MAX_SECTIONS || table > file.length || zero !== 0)
    throw bad(`its table of ${count} sections does not fit`);
  let end = table;
  const sections = Array.from({ length: count }, (_, i): Section => {
    const at = HEADER_BYTES + ENTRY_BYTES * i;
    const section = {
      tag: String.fromCharCode(...file.subarray(at, at + 4)),
      stride: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      bytes: Number(view.getBigUint64(at + 16, true)),
      checksum: view.getBigUint64(at + 24, true),
    };
    if (section.offset !== aligned(end) || section.offset + section.bytes > file.length) {
      throw bad(
        `section ${i} should begin at ${aligned(end)} and end by ${file.length}, it is ${section.bytes} bytes at ${section.offset}`,
      );
    }
    end = section.offset + section.bytes;
    return section;
  });
  if (end !== file.length) throw bad(`its sections end at ${end} of ${file.length} bytes`);
  const [stat] = sections;
  const own = stateIn(file, stat, version);
  if (stat.tag !== STATE_TAG || !own) throw bad("its first section is not its state");
  const state = readState(own);
  const agree = state.kind === kind && state.metric === metric && state.codec === codec && state.dimensions === dimensions;
  if (!agree || state.live !== live) throw bad("its header and its state disagree");
  checkState(state, file.length);
  return { version, state, slots, records, checksum: view.getBigUint64(CHECKSUM_AT, true), sections };
}

/** Sections as the present version has them: of format 1, Flat indices had an empty one for the layers of a graph. */
function presentSections({ version, state, sections }: Header): Section[] {
  if (version !== FIRST_VERSION || KIND_NAMES[state.kind] !== "flat") return sections;
  return sections.filter(({ tag, bytes }) => tag !== "uppr" || bytes > 0);
}

/** The state as the present version has it, or undefined where it is of another length. */
function stateIn(file: Uint8Array, { offset, bytes }: Section, version: number): Uint8Array | undefined {
  const old = version === FIRST_VERSION;
  if (bytes !== (old ? STATE_BYTES_1 : STATE_BYTES)) return undefined;
  const state = file.slice(offset, offset + bytes);
  return old ? upgraded(state) : state;
}

/** A file as bytes: a Uint8Array, ArrayBuffer or any other view. */
export type FileBytes = Uint8Array | ArrayBuffer | ArrayBufferView;

function asBytes(file: FileBytes): Uint8Array {
  if (file instanceof ArrayBuffer) return new Uint8Array(file);
  // A view even of a Uint8Array: the slice() of a Node Buffer does not copy.
  if (ArrayBuffer.isView(file)) return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  throw new VicinalError("BAD_FILE", "load takes the file's bytes as a Uint8Array or ArrayBuffer");
}

function checkHeader(engine: Engine, file: Uint8Array, { checksum, sections }: Header): void {
  const table = file.slice(0, HEADER_BYTES + ENTRY_BYTES * sections.length);
  table.fill(0, CHECKSUM_AT, HEADER_BYTES);
  if (engine.hash(table) !== checksum) throw bad("the checksum of its header does not match");
}

/** @internal The index in a file, in a new memory; validated as a whole before anyone may search it. */
export async function readFile(bytes: FileBytes, maxBytes?: number): Promise<Engine> {
  const file = asBytes(bytes);
  const header = readHeader(file);
  const { state, slots, records } = header;
  const sections = presentSections(header);
  const engine = await newEngine(stateBytes(state), maxBytes);
  checkHeader(engine, file, header);
  const { offset, bytes: own, checksum } = sections[0];
  if (engine.hash(file.subarray(offset, offset + own)) !== checksum) throw bad("the checksum of section stat does not match");

  const parts = engine.parts();
  const fits = parts.every((part, i) => {
    const section = sections[i + 1];
    return section?.tag === part.tag && section.stride === part.stride && section.bytes === partBytes(part, slots, records);
  });
  const complete = parts.length + 1 === sections.length && (records === 0 || parts.some(({ store }) => store === 1));
  if (!fits || !complete || state.live > slots) throw bad("its sections are not those of such an index");
  engine.done(engine.exports.restore(slots, records));
  parts.forEach((part, i) => {
    const { tag, offset, checksum } = sections[i + 1];
    if (engine.writePart(part, file, offset) !== checksum) throw bad(`the checksum of section ${tag} does not match`);
  });
  if (!engine.exports.isValid()) throw bad("its content contradicts itself");
  return engine;
}

/** The smallest index: for its checksums. */
const NEUTRAL: State = {
  ...{ ...EMPTY, ...FRESH, seed: 0, kind: 0, metric: 0, codec: 0 },
  ...{ dimensions: 1, rerank: 0, rerankFactor: 1 },
};

export interface FileInfo {
  version: number;
  kind: Kind;
  metric: Metric;
  codec: Codec;
  /** What the codec was given beside its name. */
  codecOptions?: CodecOption;
  /** Candidates are re-scored exactly. */
  rerank: boolean;
  dimensions: number;
  /** Vectors a search can find. */
  count: number;
  deleted: number;
  /** Whether it has learned what it must. */
  trained: boolean;
  /** The family's options as they were given to `create`. */
  options: Record<string, number | string | boolean>;
  sections: { tag: string; offset: number; bytes: number; checksum: string; ok: boolean }[];
}

/** What a .vic file holds and whether each section's checksum holds; the index itself is not built. */
export async function inspect(bytes: FileBytes): Promise<FileInfo> {
  const file = asBytes(bytes);
  const header = readHeader(file);
  const { state, sections } = header;
  const engine = await newEngine(stateBytes(NEUTRAL));
  checkHeader(engine, file, header);
  const own = codecOptions(state);
  return {
    version: header.version,
    kind: KIND_NAMES[state.kind],
    metric: METRIC_NAMES[state.metric],
    codec: CODEC_NAMES[state.codec],
    ...(own && { codecOptions: own }),
    rerank: state.rerank !== 0,
    dimensions: state.dimensions,
    count: state.live,
    deleted: state.dead + state.doomed,
    trained: state.trained === 1,
    options: optionsOf(state, KNOBS[KIND_NAMES[state.kind]]),
    sections: sections.map(({ tag, offset, bytes, checksum }) => ({
      tag,
      offset,
      bytes,
      checksum: checksum.toString(16).padStart(16, "0"),
      ok: engine.hash(file.subarray(offset, offset + bytes)) === checksum,
    })),
  };
}
