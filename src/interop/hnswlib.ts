// Index files of hnswlib (https://github.com/nmslib/hnswlib, hnswalg.h, saveIndex), little-endian:
//
//   header, 96 bytes: offset of level 0 u64 | room for u64 | elements u64 | element bytes u64 | label offset u64 | data offset u64
//                     | highest level i32 | entry u32 | M above u64 | M on level 0 u64 | M u64 | 1 / ln M f64 | efConstruction u64
//   element, each:    [count u16, deleted u8, 0 u8][links u32 x M on level 0][data][label u64]
//   towers, each:     bytes u32, then per level above 0: [count u32][links u32 x M above]
//
// What space distances are of is not in it, nor the type of the data: f32 here, or bytes where `dimensions` says so.

import type { Hnsw } from "../family/hnsw.js";
import { badOption } from "../words/errors.js";
import { DOT_METRICS } from "../words/kinds.js";
import { known, oneOf } from "../words/options.js";
import { cutLevels, GraphAssembly, idsFrom } from "./assemble-graph.js";
import { type ByteSource, type FileLike, openBytes, piecesOf } from "./bytes-of.js";
import { Cursor } from "./cursor.js";
import { badFile, type Imported } from "./imported.js";
import { Stream } from "./stream.js";
import { viewOf } from "./view-of.js";

const FORMAT = "hnswlib";
const HEADER_BYTES = 96;
const LABEL_BYTES = 8;
/** In the third byte of an element. */
const DELETED = 1;
/** Of rows said to be cosine's: how far their lengths may be from 1 before a note says so. */
const UNIT_SLACK = 1e-3;

export interface HnswlibOptions {
  /** The space the file was made with, which it does not say: "l2", "cosine" or "dot" (ip). */
  metric: (typeof DOT_METRICS)[number];
  /** Default: a fourth of a row's bytes. With as many as a row has bytes, rows are bytes (L2SpaceI). */
  dimensions?: number;
  /** Beam width of searches that do not say. Default 64; hnswlib has none in its files. */
  ef?: number;
  /** As for `create`. Default 4 GiB. */
  maxBytes?: number;
}

interface Header {
  readonly count: number;
  readonly elementBytes: number;
  readonly labelAt: number;
  readonly dataAt: number;
  readonly topLevel: number;
  readonly entry: number;
  readonly maxM: number;
  readonly maxM0: number;
  readonly efConstruction: number;
}

/**
 * The graph in a file that hnswlib has saved, as it is: rows, labels, links, deleted marks, M and efConstruction. Distances are
 * vicinal's: l2 is not squared, dot is -<q, v> where hnswlib says 1 - <q, v>. Labels are the ids where ids can be so; else see `labels`.
 * Read in pieces from a path or Blob. Errors: BAD_OPTION, BAD_FILE, OUT_OF_MEMORY.
 */
export async function readHnswlib(file: FileLike, options: HnswlibOptions): Promise<Imported<Hnsw>> {
  known("readHnswlib", options ?? {}, ["metric", "dimensions", "ef", "maxBytes"]);
  if (options?.metric === undefined) {
    throw badOption('an hnswlib file does not say its space: give readHnswlib() { metric: "l2", "cosine" or "dot" }');
  }
  oneOf("metric", options.metric, DOT_METRICS);
  const source = await openBytes(file);
  try {
    return await read(source, options);
  } finally {
    await source.close();
  }
}

async function read(source: ByteSource, { metric, dimensions, ef, maxBytes }: HnswlibOptions): Promise<Imported<Hnsw>> {
  const header = await readHeader(source);
  const rows = rowsOf(header, dimensions);
  const { levels, cut } = cutLevels(await readLevels(source, header));
  const { labels, deleted } = await readLabels(source, header);
  const ids = idsFrom(labels, deleted);
  const { maxM, maxM0, efConstruction, count } = header;
  const graph = await GraphAssembly.open({
    ...{ format: FORMAT, metric, dimensions: rows.dimensions, efConstruction, ef, maxBytes, levels, ids, deleted },
    ...{ links: maxM, links0: maxM0, entry: count === 0 ? undefined : header.entry },
  });
  const notes: string[] = [];
  if (await placeElements(source, header, rows, graph)) {
    if (metric === "cosine")
      notes.push("rows are not of unit length: hnswlib's distances were 1 - <q, v> of them as they are, vicinal's are 1 - cos");
  }
  await placeTowers(source, header, levels, graph);
  if (cut > 0) notes.push(`${cut} nodes were on more than 16 layers, and end there`);
  if (ids === undefined)
    notes.push("labels are not ids from 0 to 4294967294, each once: ids are places in the file, labels[id] is the label");
  if (metric === "dot") notes.push("distances are -<q, v>, where hnswlib says 1 - <q, v>");
  if (metric === "l2") notes.push("distances are not squared, as hnswlib's are");
  return { index: await graph.finish(), format: FORMAT, ...(ids === undefined && { labels }), notes };
}

async function readHeader(source: ByteSource): Promise<Header> {
  const c = new Cursor(FORMAT, await source.read(0, Math.min(HEADER_BYTES, source.size)));
  const [level0, room, count, elementBytes, labelAt, dataAt] = [
    ...[c.u64("offset of level 0"), c.u64("room"), c.u64("number of elements"), c.u64("size of an element")],
    ...[c.u64("offset of labels"), c.u64("offset of data")],
  ];
  const topLevel = c.i32();
  const entry = c.u32();
  const [maxM, maxM0, m] = [c.u64("M above level 0"), c.u64("M on level 0"), c.u64("M")];
  c.f64();
  const efConstruction = c.u64("efConstruction");
  const fits = dataAt === level0 + 4 + 4 * maxM0 && labelAt > dataAt && elementBytes === labelAt + LABEL_BYTES;
  if (level0 !== 0 || !fits || maxM < 1 || maxM0 < maxM || m < 1 || count > room || maxM0 > 0xffff || maxM > 0xffff) {
    throw badFile(FORMAT, "its header is none of hnswlib's");
  }
  if (count * (elementBytes + 4) > source.size - HEADER_BYTES) {
    throw badFile(FORMAT, `it says it has ${count} elements of ${elementBytes} bytes, and has ${source.size} bytes in all`);
  }
  if (count > 0 && !(entry < count && topLevel >= 0)) throw badFile(FORMAT, `its entry is element ${entry} of ${count}`);
  return { count, elementBytes, labelAt, dataAt, topLevel, entry, maxM, maxM0, efConstruction };
}

interface Rows {
  readonly dimensions: number;
  readonly isBytes: boolean;
}

function rowsOf({ labelAt, dataAt }: Header, dimensions: number | undefined): Rows {
  const bytes = labelAt - dataAt;
  const given = dimensions ?? bytes / 4;
  if (given === bytes / 4 && Number.isInteger(given)) return { dimensions: given, isBytes: false };
  if (given === bytes) return { dimensions: given, isBytes: true };
  const say = dimensions === undefined ? "give their number as { dimensions }" : `not ${dimensions} of 4 bytes or of 1`;
  throw badOption(`rows of this hnswlib file are ${bytes} bytes: ${say}`);
}

/** Elements in pieces: bytes of whole ones, and the number of the first. */
async function* elementsOf(
  source: ByteSource,
  { count, elementBytes }: Header,
): AsyncGenerator<[bytes: Uint8Array, first: number]> {
  let first = 0;
  for await (const bytes of piecesOf(source, HEADER_BYTES, HEADER_BYTES + count * elementBytes, elementBytes)) {
    yield [bytes, first];
    first += bytes.length / elementBytes;
  }
}

async function readLabels(
  source: ByteSource,
  header: Header,
): Promise<{ labels: BigUint64Array; deleted: Uint8Array | undefined }> {
  const labels = new BigUint64Array(header.count);
  const deleted = new Uint8Array(header.count);
  const { elementBytes, labelAt } = header;
  for await (const [bytes, first] of elementsOf(source, header)) {
    const view = viewOf(bytes);
    for (let at = 0, i = first; at < bytes.length; at += elementBytes, i++) {
      labels[i] = view.getBigUint64(at + labelAt, true);
      deleted[i] = bytes[at + 2] & DELETED;
    }
  }
  return { labels, deleted: deleted.includes(1) ? deleted : undefined };
}

/** Rows and links of level 0; returns whether some row is not of unit length. */
async function placeElements(
  source: ByteSource,
  header: Header,
  { dimensions, isBytes }: Rows,
  graph: GraphAssembly,
): Promise<boolean> {
  const { elementBytes, dataAt, labelAt, maxM0 } = header;
  const row = new Float32Array(dimensions);
  const links = new Uint32Array(maxM0);
  let isLong = false;
  for await (const [bytes, first] of elementsOf(source, header)) {
    const view = viewOf(bytes);
    for (let at = 0, i = first; at < bytes.length; at += elementBytes, i++) {
      if (isBytes) row.set(bytes.subarray(at + dataAt, at + labelAt));
      else for (let j = 0; j < dimensions; j++) row[j] = view.getFloat32(at + dataAt + 4 * j, true);
      graph.setRow(i, row);
      isLong ||= Math.abs(lengthOf(row) - 1) > UNIT_SLACK;
      graph.setLinks(0, i, linksIn(view, at, view.getUint16(at, true), links));
    }
  }
  return isLong;
}

function lengthOf(row: Float32Array): number {
  let sum = 0;
  for (const value of row) sum += value * value;
  return Math.sqrt(sum);
}

/** The links of a list that begins at `at` with a count and more, in `room`. */
function linksIn(view: DataView, at: number, count: number, room: Uint32Array): Uint32Array {
  if (count > room.length) throw badFile(FORMAT, `a list of ${count} links where ${room.length} have room`);
  for (let i = 0; i < count; i++) room[i] = view.getUint32(at + 4 + 4 * i, true);
  return room.subarray(0, count);
}

/** The towers, one after the other: the bytes of each. */
async function* towersOf(source: ByteSource, header: Header): AsyncGenerator<Uint8Array> {
  const { count, elementBytes, maxM } = header;
  const stream = new Stream(FORMAT, source, HEADER_BYTES + count * elementBytes);
  const levelBytes = 4 + 4 * maxM;
  for (let i = 0; i < count; i++) {
    const bytes = viewOf(await stream.take(4)).getUint32(0, true);
    if (bytes % levelBytes !== 0 || bytes / levelBytes > header.topLevel)
      throw badFile(FORMAT, `element ${i} has a tower of ${bytes} bytes`);
    yield await stream.take(bytes);
  }
  if (!stream.isAtEnd && count > 0) throw badFile(FORMAT, "more bytes follow its graph");
}

async function readLevels(source: ByteSource, header: Header): Promise<Uint8Array> {
  const levels = new Uint8Array(header.count);
  const levelBytes = 4 + 4 * header.maxM;
  let i = 0;
  for await (const tower of towersOf(source, header)) levels[i++] = Math.min(tower.length / levelBytes, 255);
  return levels;
}

async function placeTowers(source: ByteSource, header: Header, levels: Uint8Array, graph: GraphAssembly): Promise<void> {
  const levelBytes = 4 + 4 * header.maxM;
  const links = new Uint32Array(header.maxM);
  let i = 0;
  for await (const tower of towersOf(source, header)) {
    const view = viewOf(tower);
    for (let layer = 1; layer <= levels[i]; layer++) {
      const at = (layer - 1) * levelBytes;
      graph.setLinks(layer, i, linksIn(view, at, view.getUint16(at, true), links));
    }
    i++;
  }
}
