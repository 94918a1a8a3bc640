// Index files of usearch, format 2 (https://github.com/unum-cloud/usearch, docs/format.md, index_dense.hpp), little-endian:
//
//   matrix:  rows u32 | bytes of a row u32 (or both u64) | rows
//   head:    "usearch" | version u16 x 3 | metric u8 | scalar u8 | key u8 | slot u8 | present u64 | deleted u64 | dimensions u64 | multi u8
//            | zeros to 64 bytes
//   graph:   nodes u64 | links above layer 0 u64 | links on layer 0 u64 | highest level u64 | entry u64 | level i16 of each node
//   node:    key | level i16 | [count u32][slots x links on layer 0] | per level above: [count u32][slots x links]
//
// A removed vector keeps its node, with the largest key there is.

import type { Hnsw } from "../family/hnsw.js";
import { METRICS, type Metric } from "../words/kinds.js";
import { known } from "../words/options.js";
import { cutLevels, GraphAssembly, idsFrom } from "./assemble-graph.js";
import { type ByteSource, type FileLike, openBytes, piecesOf } from "./bytes-of.js";
import { Cursor } from "./cursor.js";
import { badFile, type Imported, unsupported } from "./imported.js";
import { BF16, type Element, F16, F32, F64, I8, U8 } from "./read/elements.js";
import { Stream } from "./stream.js";
import { viewOf } from "./view-of.js";

const FORMAT = "usearch";
const MAGIC = "usearch";
const HEAD_BYTES = 64;
const CORE_BYTES = 40;
const MOST_LEVEL = 255;

/** By metric_kind_t, letters. */
const METRIC_OF: Readonly<Record<string, Metric>> = { i: "dot", c: "cosine", e: "l2", b: "hamming" };
const OTHER_METRICS: Readonly<Record<string, string>> = {
  ...{ p: "pearson", h: "haversine", d: "divergence", j: "jaccard", t: "tanimoto", s: "sorensen" },
};
/** By scalar_kind_t of 2.9 and later. */
const BITS = 1;
const ELEMENTS: Readonly<Record<number, Element>> = { 4: BF16, 10: F64, 11: F32, 12: F16, 17: U8, 23: I8 };
const KEY_BYTES: Readonly<Record<number, number>> = { 14: 8, 15: 4, 20: 8, 21: 4 };
const SIGNED_KEYS = [20, 21];
const SLOT_BYTES: Readonly<Record<number, number>> = { 2: 5, 15: 4 };

export interface UsearchOptions {
  /** Beam width of searches that do not say. Default 64; usearch has none in its files. */
  ef?: number;
  /** As for `create`. Default 4 GiB. */
  maxBytes?: number;
}

interface Head {
  readonly metric: Metric;
  /** Undefined: bits. */
  readonly element: Element | undefined;
  readonly keyBytes: number;
  readonly freeKey: bigint;
  readonly slotBytes: number;
  readonly dimensions: number;
  readonly rowsAt: number;
  readonly rowBytes: number;
  readonly count: number;
  readonly links: number;
  readonly links0: number;
  readonly entry: number;
  readonly nodesAt: number;
  readonly levels: Uint8Array;
}

/**
 * The graph in a file that usearch has saved, as it is: rows (f64, f32, f16, bf16, i8, u8 or bits), keys, links, removed ones. Distances
 * are vicinal's: l2 is not squared, dot is -<q, v> where usearch says 1 - <q, v>. Keys are the ids where ids can be so; else see `labels`.
 * Errors: BAD_OPTION, BAD_FILE, OUT_OF_MEMORY.
 */
export async function readUsearch(file: FileLike, options: UsearchOptions = {}): Promise<Imported<Hnsw>> {
  known("readUsearch", options, ["ef", "maxBytes"]);
  const source = await openBytes(file);
  try {
    return await read(source, options);
  } finally {
    await source.close();
  }
}

async function read(source: ByteSource, { ef, maxBytes }: UsearchOptions): Promise<Imported<Hnsw>> {
  const head = await readHead(source);
  const { metric, dimensions, links, links0, element, count } = head;
  const { keys, deleted } = await readKeys(source, head);
  const ids = idsFrom(keys, deleted);
  const { levels, cut } = cutLevels(head.levels);
  const graph = await GraphAssembly.open({
    ...{ format: FORMAT, metric, dimensions, links, links0, efConstruction: undefined, ef, maxBytes, levels, ids, deleted },
    entry: count === 0 ? undefined : head.entry,
  });
  await placeRows(source, head, graph);
  await placeLinks(source, head, graph);
  const notes: string[] = [];
  if (element === I8)
    notes.push("i8 rows are the integers in the file: usearch scales each vector of floats to length 127 before it rounds");
  if (cut > 0) notes.push(`${cut} nodes were on more than 16 layers, and end there`);
  if (ids === undefined)
    notes.push("keys are not ids from 0 to 4294967294, each once: ids are places in the file, labels[id] is the key");
  if (metric === "dot") notes.push("distances are -<q, v>, where usearch says 1 - <q, v>");
  if (metric === "l2") notes.push("distances are not squared, as usearch's are");
  return { index: await graph.finish(), format: FORMAT, ...(ids === undefined && { labels: keys }), notes };
}

/** Where the head begins: behind a matrix whose sizes are u32 or u64. */
async function matrixOf(source: ByteSource): Promise<{ rows: number; rowBytes: number; rowsAt: number }> {
  const c = new Cursor(FORMAT, await source.read(0, Math.min(16, source.size)));
  const isHead = async (at: number): Promise<boolean> =>
    at + HEAD_BYTES <= source.size && new TextDecoder().decode(await source.read(at, at + MAGIC.length)) === MAGIC;
  if (await isHead(0)) throw unsupported(FORMAT, "no vectors (saved with exclude_vectors)");
  const narrow = { rows: c.u32(), rowBytes: c.u32(), rowsAt: 8 };
  if (await isHead(8 + narrow.rows * narrow.rowBytes)) return narrow;
  c.at = 0;
  const wide = { rows: c.u64("number of rows"), rowBytes: c.u64("size of a row"), rowsAt: 16 };
  if (await isHead(16 + wide.rows * wide.rowBytes)) return wide;
  throw badFile(FORMAT, `no "usearch" follows its ${narrow.rows} rows of ${narrow.rowBytes} bytes`);
}

async function readHead(source: ByteSource): Promise<Head> {
  const { rows, rowBytes, rowsAt } = await matrixOf(source);
  const headAt = rowsAt + rows * rowBytes;
  const c = new Cursor(FORMAT, await source.read(headAt, Math.min(headAt + HEAD_BYTES + CORE_BYTES, source.size)));
  c.take(MAGIC.length);
  const version = [c.u16(), c.u16(), c.u16()];
  if (version[0] !== 2) throw unsupported(FORMAT, `format ${version.join(".")}`);
  const kinds = kindsOf(c, version);
  const [present, removed, dimensions] = [c.u64("number of vectors"), c.u64("number of removed vectors"), c.u64("dimensions")];
  const wanted = kinds.element ? dimensions * kinds.element.bytes : Math.ceil(dimensions / 8);
  if (rowBytes !== wanted && rows > 0)
    throw badFile(FORMAT, `rows of ${rowBytes} bytes where ${dimensions} dimensions take ${wanted}`);
  c.at = HEAD_BYTES;
  const [count, links, links0] = [c.u64("number of nodes"), c.u64("links above layer 0"), c.u64("links on layer 0")];
  // The highest level, which of no nodes is -1.
  c.take(8);
  const entry = c.u64("entry");
  if (count !== rows || present + removed !== count) {
    throw badFile(FORMAT, `${count} nodes, ${rows} rows, ${present} vectors and ${removed} removed ones`);
  }
  const levelsAt = headAt + HEAD_BYTES + CORE_BYTES;
  const leastNode = kinds.keyBytes + 2 + 4 + links0 * kinds.slotBytes;
  if (count * (2 + leastNode) > source.size - levelsAt)
    throw badFile(FORMAT, `${source.size - levelsAt} bytes are left for ${count} nodes`);
  if (links < 1 || links0 < links || (count > 0 && entry >= count))
    throw badFile(FORMAT, `its entry is node ${entry} of ${count}, and its nodes have ${links0} links, ${links} on layers above`);
  const nodesAt = levelsAt + 2 * count;
  const levels = levelsIn(viewOf(await source.read(levelsAt, nodesAt)), count);
  return { ...kinds, dimensions, rowsAt, rowBytes, count, links, links0, entry, nodesAt, levels };
}

type Kinds = Pick<Head, "metric" | "element" | "keyBytes" | "freeKey" | "slotBytes">;

function kindsOf(c: Cursor, version: readonly number[]): Kinds {
  const letter = String.fromCharCode(c.u8());
  const [scalar, key, slot] = [c.u8(), c.u8(), c.u8()];
  const metric = METRIC_OF[letter];
  if (metric === undefined) throw unsupported(FORMAT, `metric ${OTHER_METRICS[letter] ?? JSON.stringify(letter)}`);
  const [keyBytes, slotBytes, element] = [KEY_BYTES[key], SLOT_BYTES[slot], ELEMENTS[scalar]];
  const of = `of usearch ${version.join(".")}`;
  if (keyBytes === undefined) throw unsupported(FORMAT, `keys of kind ${key} ${of}`);
  if (slotBytes === undefined) throw unsupported(FORMAT, `slots of kind ${slot} ${of}`);
  if (element === undefined && scalar !== BITS) throw unsupported(FORMAT, `scalars of kind ${scalar} ${of}`);
  if ((scalar === BITS) !== (METRICS[metric].packed === true))
    throw unsupported(FORMAT, `metric ${metric} over scalars of kind ${scalar}`);
  const freeKey = (1n << BigInt(8 * keyBytes - Number(SIGNED_KEYS.includes(key)))) - 1n;
  return { metric, element, keyBytes, slotBytes, freeKey };
}

function levelsIn(view: DataView, count: number): Uint8Array {
  const levels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const level = view.getInt16(2 * i, true);
    if (level < 0 || level > MOST_LEVEL) throw badFile(FORMAT, `node ${i} is on level ${level}`);
    levels[i] = level;
  }
  return levels;
}

/** Nodes one after the other, in bytes that are good until the next. */
async function* nodesOf(
  source: ByteSource,
  { nodesAt, levels, keyBytes, slotBytes, links, links0 }: Head,
): AsyncGenerator<DataView> {
  const stream = new Stream(FORMAT, source, nodesAt);
  const base = keyBytes + 2 + 4 + links0 * slotBytes;
  for (let i = 0; i < levels.length; i++) {
    const view = viewOf(await stream.take(base + levels[i] * (4 + links * slotBytes)));
    if (view.getInt16(keyBytes, true) !== levels[i])
      throw badFile(FORMAT, `node ${i} says another level than the table of levels`);
    yield view;
  }
  if (levels.length > 0 && !stream.isAtEnd) throw badFile(FORMAT, "more bytes follow its nodes");
}

async function readKeys(source: ByteSource, head: Head): Promise<{ keys: BigUint64Array; deleted: Uint8Array | undefined }> {
  const keys = new BigUint64Array(head.count);
  const deleted = new Uint8Array(head.count);
  let i = 0;
  for await (const view of nodesOf(source, head)) {
    keys[i] = head.keyBytes === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
    deleted[i] = Number(keys[i] === head.freeKey);
    i++;
  }
  return { keys, deleted: deleted.includes(1) ? deleted : undefined };
}

async function placeRows(source: ByteSource, head: Head, graph: GraphAssembly): Promise<void> {
  const { rowsAt, rowBytes, count, element, dimensions } = head;
  if (rowBytes === 0) return;
  const row = element ? new Float32Array(dimensions) : new Uint8Array(rowBytes);
  let slot = 0;
  for await (const bytes of piecesOf(source, rowsAt, rowsAt + count * rowBytes, rowBytes)) {
    const view = viewOf(bytes);
    for (let at = 0; at < bytes.length; at += rowBytes) {
      if (element) for (let i = 0; i < dimensions; i++) row[i] = element.get(view, at + i * element.bytes, true);
      else for (let i = 0; i < rowBytes; i++) row[i] = reversed(bytes[at + i]);
      graph.setRow(slot++, row);
    }
  }
}

/** The bits of a byte the other way round: usearch has the first dimension in the highest, vicinal in the lowest. */
function reversed(byte: number): number {
  let bits = 0;
  for (let i = 0; i < 8; i++) bits |= ((byte >>> i) & 1) << (7 - i);
  return bits;
}

async function placeLinks(source: ByteSource, head: Head, graph: GraphAssembly): Promise<void> {
  const { keyBytes, slotBytes, links, links0 } = head;
  const room = new Float64Array(Math.max(links, links0));
  let slot = 0;
  for await (const view of nodesOf(source, head)) {
    let at = keyBytes + 2;
    for (let layer = 0; layer <= graph.levelOf(slot); layer++) {
      const most = layer === 0 ? links0 : links;
      const count = view.getUint32(at, true);
      if (count > most) throw badFile(FORMAT, `node ${slot} has ${count} links on layer ${layer}, of ${most} at most`);
      for (let i = 0; i < count; i++) {
        const from = at + 4 + i * slotBytes;
        room[i] = view.getUint32(from, true) + (slotBytes === 5 ? view.getUint8(from + 4) * 2 ** 32 : 0);
      }
      graph.setLinks(layer, slot, room.subarray(0, count));
      at += 4 + most * slotBytes;
    }
    slot++;
  }
}
