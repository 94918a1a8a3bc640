// The .vic file, version 1, little-endian. Sections are the index's columns, byte for byte as in memory.
//
//   header, 64 bytes: "VICINAL\0" | version u32 | kind u32 | metric u32 | codec u32 | dimensions u32 | size u32
//                     | slots u32 | records u32 | sections u32 | 0 u32 | file bytes u64 | checksum u64
//   section table, 32 bytes each: tag 4 letters | bytes per slot u32 | offset u64 | bytes u64 | checksum u64
//   sections, each from a multiple of 64: "stat" (assembly/state.ts), then one per column (assembly/index.ts)
//
// Checksums are XXH64; the header's is over header (with itself 0) and table.
import { columnsOf, pieces } from "./columns.js";
import { VicinalError } from "./errors.js";
import { CODEC_NAMES, type Codec, KIND_NAMES, type Kind, METRIC_NAMES, METRICS, type Metric } from "./kinds.js";
import type { Engine } from "./memory.js";
import { newEngine } from "./runtime.js";
import { NONE, readState, STATE_BYTES, type State } from "./state.js";

const MAGIC = [0x56, 0x49, 0x43, 0x49, 0x4e, 0x41, 0x4c, 0];
const VERSION = 1;
const HEADER_BYTES = 64;
const ENTRY_BYTES = 32;
const CHECKSUM_AT = 56;
const MAX_SECTIONS = 32;
const STATE_TAG = "stat";
/** Bytes hashed at a time where they are not in linear memory already; a multiple of 32. */
const HASH_CHUNK = 1 << 16;

export interface Section {
  tag: string;
  stride: number;
  offset: number;
  bytes: number;
  checksum: bigint;
}

interface Header {
  state: State;
  slots: number;
  records: number;
  checksum: bigint;
  sections: Section[];
}

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** @internal */
export function writeFile(engine: Engine): Uint8Array {
  const columns = columnsOf(engine);
  const table = HEADER_BYTES + ENTRY_BYTES * (columns.length + 1);
  const sections: Section[] = [];
  let end = table;
  const place = (tag: string, stride: number, bytes: number): Section => {
    const section = { tag, stride, offset: aligned(end), bytes, checksum: 0n };
    sections.push(section);
    end = section.offset + bytes;
    return section;
  };
  place(STATE_TAG, STATE_BYTES, STATE_BYTES);
  for (const { tag, stride, store } of columns) place(tag, stride, stride * engine.exports.storeCount(store));

  const file = new Uint8Array(end);
  const state = engine.copyState();
  file.set(state, sections[0].offset);
  sections[0].checksum = hashBytes(engine, state);
  columns.forEach((column, i) => {
    const section = sections[i + 1];
    engine.exports.checksumStart();
    for (const { address, from, bytes } of pieces(engine, column)) {
      file.set(engine.u8().subarray(address, address + bytes), section.offset + from);
      engine.exports.checksumAdd(address, bytes);
    }
    section.checksum = BigInt.asUintN(64, engine.exports.checksumEnd());
  });

  const view = new DataView(file.buffer);
  file.set(MAGIC);
  const fields = readState(state);
  const numbers = [VERSION, fields.kind, fields.metric, fields.codec, fields.dimensions, fields.live];
  numbers.push(engine.exports.storeCount(0), engine.exports.storeCount(1), sections.length);
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
  view.setBigUint64(CHECKSUM_AT, hashBytes(engine, file.subarray(0, table)), true);
  return file;
}

/** XXH64 of bytes that are not in linear memory. */
function hashBytes(engine: Engine, bytes: Uint8Array): bigint {
  return engine.scope(() => {
    const at = engine.alloc(HASH_CHUNK);
    engine.exports.checksumStart();
    for (let from = 0; from < bytes.length; from += HASH_CHUNK) {
      const chunk = bytes.subarray(from, from + HASH_CHUNK);
      engine.u8().set(chunk, at);
      engine.exports.checksumAdd(at, chunk.length);
    }
    return BigInt.asUintN(64, engine.exports.checksumEnd());
  });
}

function bad(why: string): VicinalError {
  return new VicinalError("BAD_FILE", `not a whole .vic file: ${why}`);
}

/** Reads header, table and state, and checks that they fit each other and the file; checksums come later. */
function readHeader(file: Uint8Array): Header {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < HEADER_BYTES) throw bad(`${file.length} bytes are fewer than a header's ${HEADER_BYTES}`);
  if (MAGIC.some((byte, i) => file[i] !== byte)) throw bad("it does not begin with VICINAL");
  const [version, kind, metric, codec, dimensions, live, slots, records, count, zero] = Array.from({ length: 10 }, (_, i) =>
    view.getUint32(8 + 4 * i, true),
  );
  if (version !== VERSION) throw bad(`its format version is ${version}, this vicinal reads ${VERSION}`);
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
  if (sections[0].tag !== STATE_TAG || sections[0].bytes !== STATE_BYTES) throw bad("its first section is not its state");
  const state = readState(file.subarray(sections[0].offset, sections[0].offset + STATE_BYTES));
  const agree = state.kind === kind && state.metric === metric && state.codec === codec && state.dimensions === dimensions;
  if (!agree || state.live !== live) throw bad("its header and its state disagree");
  checkOptions(state);
  return { state, slots, records, checksum: view.getBigUint64(CHECKSUM_AT, true), sections };
}

/** The options in a file pass the same door as a caller's. */
function checkOptions(state: State): void {
  const metric: Metric | undefined = METRIC_NAMES[state.metric];
  const codec: Codec | undefined = CODEC_NAMES[state.codec];
  const within = (value: number, least: number, most: number): boolean => value >= least && value <= most;
  const sound =
    KIND_NAMES[state.kind] !== undefined &&
    metric !== undefined &&
    codec !== undefined &&
    METRICS[metric].codecs.includes(codec) &&
    within(state.dimensions, 1, 65536) &&
    within(state.rerank, 0, codec === "sq8" ? 1 : 0) &&
    within(state.rerankFactor, 1, 1000) &&
    within(state.m, 2, MAX_M) &&
    within(state.efConstruction, 1, MAX_EF_CONSTRUCTION) &&
    within(state.mips, 0, 1) &&
    within(state.coarse, KIND_NAMES[state.kind] === "hnsw" && codec === "f32" ? 0 : 1, 1) &&
    within(state.watched, 0, Number.MAX_VALUE) &&
    within(state.blurred, 0, Number.MAX_VALUE) &&
    within(state.ef, 1, NONE);
  if (!sound) throw bad("its options are none that this vicinal has");
}

export const MAX_M = 512;
export const MAX_EF_CONSTRUCTION = 65536;

/** A file as bytes: a Uint8Array, ArrayBuffer or any other view. */
export type FileBytes = Uint8Array | ArrayBuffer | ArrayBufferView;

function asBytes(file: FileBytes): Uint8Array {
  if (file instanceof ArrayBuffer) return new Uint8Array(file);
  // A view even of a Uint8Array: the slice() of a Node Buffer does not copy.
  if (ArrayBuffer.isView(file)) return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  throw new VicinalError("BAD_FILE", "load takes the file's bytes as a Uint8Array or ArrayBuffer");
}

function checkHeader(engine: Engine, file: Uint8Array, checksum: bigint, sections: number): void {
  const table = file.slice(0, HEADER_BYTES + ENTRY_BYTES * sections);
  table.fill(0, CHECKSUM_AT, HEADER_BYTES);
  if (hashBytes(engine, table) !== checksum) throw bad("the checksum of its header does not match");
}

/** @internal The index in a file, in a new memory; validated as a whole before anyone may search it. */
export async function readFile(bytes: FileBytes, maxBytes?: number): Promise<Engine> {
  const file = asBytes(bytes);
  const { state, slots, records, checksum, sections } = readHeader(file);
  const [stat, ...rest] = sections;
  const engine = await newEngine(file.slice(stat.offset, stat.offset + stat.bytes), maxBytes);
  checkHeader(engine, file, checksum, sections.length);
  if (hashBytes(engine, engine.copyState()) !== stat.checksum) throw bad("the checksum of section stat does not match");

  const columns = columnsOf(engine);
  const fits = columns.every(({ tag, stride, store }, i) => {
    const section = rest[i];
    return section?.tag === tag && section.stride === stride && section.bytes === stride * (store ? records : slots);
  });
  if (!fits || columns.length !== rest.length || state.live > slots) throw bad("its sections are not those of such an index");
  engine.done(engine.exports.restore(slots, records));
  columns.forEach((column, i) => {
    const { tag, offset, checksum } = rest[i];
    engine.exports.checksumStart();
    for (const { address, from, bytes } of pieces(engine, column)) {
      engine.u8().set(file.subarray(offset + from, offset + from + bytes), address);
      engine.exports.checksumAdd(address, bytes);
    }
    if (BigInt.asUintN(64, engine.exports.checksumEnd()) !== checksum) throw bad(`the checksum of section ${tag} does not match`);
  });
  if (!engine.exports.isValid()) throw bad("its content contradicts itself");
  return engine;
}

export interface FileInfo {
  version: number;
  kind: Kind;
  metric: Metric;
  codec: Codec;
  /** Exact rows are kept beside the codes. */
  rerank: boolean;
  dimensions: number;
  /** Vectors a search can find. */
  count: number;
  deleted: number;
  /** The family's options as they were given to `create`. */
  options: Record<string, number | string>;
  sections: { tag: string; offset: number; bytes: number; checksum: string; ok: boolean }[];
}

/** What a .vic file holds and whether each section's checksum holds; the index itself is not built. */
export async function inspect(bytes: FileBytes): Promise<FileInfo> {
  const file = asBytes(bytes);
  const { state, checksum, sections } = readHeader(file);
  const engine = await newEngine(file.slice(sections[0].offset, sections[0].offset + STATE_BYTES));
  checkHeader(engine, file, checksum, sections.length);
  const { m, efConstruction, ef, seed, rerankFactor } = state;
  const mips = state.mips ? "augment" : "native";
  const graph = { m, efConstruction, ef, ...(METRIC_NAMES[state.metric] === "dot" && { mips }) };
  return {
    version: VERSION,
    kind: KIND_NAMES[state.kind],
    metric: METRIC_NAMES[state.metric],
    codec: CODEC_NAMES[state.codec],
    rerank: state.rerank === 1,
    dimensions: state.dimensions,
    count: state.live,
    deleted: state.dead + state.doomed,
    options: { seed, ...(state.rerank && { rerankFactor }), ...(KIND_NAMES[state.kind] === "hnsw" && graph) },
    sections: sections.map(({ tag, offset, bytes, checksum }) => ({
      tag,
      offset,
      bytes,
      checksum: checksum.toString(16).padStart(16, "0"),
      ok: hashBytes(engine, file.subarray(offset, offset + bytes)) === checksum,
    })),
  };
}
