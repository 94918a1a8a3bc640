import type { Hnsw } from "../family/hnsw.js";
import type { Bytes } from "../words/arrays.js";
import { badOption, VicinalError } from "../words/errors.js";
import { CODEC_NAMES, DOT_METRICS, RERANK_NAMES } from "../words/kinds.js";
import { NONE } from "../words/state.js";
import { Sections } from "./sections.js";
import { Towers } from "./towers.js";
import { viewOf } from "./view-of.js";

const HEADER_BYTES = 96;
const LABEL_BYTES = 8;
const DELETED = 1;
/** assembly/table/nodes.ts. */
const [FREE, LIVE] = [0, 1];
/** assembly/family/graph/graph.ts. */
const MOST_LEVELS = 15;

/**
 * An Hnsw index as a file that hnswlib loads (hnswlib.ts draws it), for its spaces l2, cosine and ip: rows, ids as labels, links and
 * deleted marks as they are. Rows are f32: of codec "f32", or of others with f32 rows beside them. Under cosine rows are of unit length, as
 * hnswlib has them. Room for more elements is for load_index to make. Errors: BAD_OPTION, OUT_OF_MEMORY.
 */
export async function writeHnswlib(index: Hnsw): Promise<Bytes> {
  const writing = await begun(index);
  const file = roomFor(writing.fileBytes);
  let at = 0;
  for (const piece of writing.pieces()) {
    file.set(piece, at);
    at += piece.length;
  }
  return file;
}

/** The same in pieces, so that the file is not in memory beside the index, which must not change meanwhile. */
export async function hnswlibPieces(index: Hnsw): Promise<Iterable<Uint8Array>> {
  return (await begun(index)).pieces();
}

async function begun(index: Hnsw): Promise<Writing> {
  if (index?.kind !== "hnsw") throw badOption("hnswlib has graphs alone: give it an Hnsw index");
  if (!DOT_METRICS.includes(index.metric as "l2")) {
    throw badOption(`hnswlib has no metric "${index.metric}"; it has ${DOT_METRICS.join(", ")}`);
  }
  // Those that wait to be linked are.
  await index.addAll([]);
  return new Writing(index);
}

const PIECE_BYTES = 1 << 20;

/** Little-endian, as the machines are that have wasm. */
class Writing {
  readonly fileBytes: number;
  readonly #sections: Sections;
  readonly #towers: Towers;
  readonly #stages: Uint8Array;
  readonly #ids: Uint32Array;
  /** Slots that are in use, and the number that each has in the file. */
  readonly #slots: Uint32Array;
  readonly #nodes: Uint32Array;
  readonly #m: number;
  readonly #dataAt: number;
  readonly #labelAt: number;
  readonly #elementBytes: number;
  readonly #levelBytes: number;
  readonly #row: Row;

  constructor(index: Hnsw) {
    const sections = new Sections(index);
    this.#sections = sections;
    this.#row = rowsOf(sections);
    this.#towers = new Towers(sections);
    this.#stages = sections.bytes("life");
    this.#ids = sections.u32s("ids ");
    this.#slots = Uint32Array.from(this.#stages.keys()).filter((slot) => this.#stages[slot] !== FREE);
    this.#nodes = new Uint32Array(this.#stages.length);
    this.#slots.forEach((slot, node) => {
      this.#nodes[slot] = node;
    });
    const { m, dimensions } = sections.state;
    this.#m = m;
    this.#dataAt = 4 + 8 * m;
    this.#labelAt = this.#dataAt + 4 * dimensions;
    this.#elementBytes = this.#labelAt + LABEL_BYTES;
    this.#levelBytes = 4 + 4 * m;
    let bytes = HEADER_BYTES + this.#slots.length * (this.#elementBytes + 4);
    for (const slot of this.#slots) bytes += this.#towers.topOf(slot) * this.#levelBytes;
    this.fileBytes = bytes;
  }

  *pieces(): Generator<Uint8Array> {
    yield this.#header();
    const count = Math.max(Math.floor(PIECE_BYTES / this.#elementBytes), 1);
    for (let from = 0; from < this.#slots.length; from += count)
      yield this.#elements(from, Math.min(from + count, this.#slots.length));
    const most = Math.max(Math.floor(PIECE_BYTES / (4 + MOST_LEVELS * this.#levelBytes)), 1);
    for (let from = 0; from < this.#slots.length; from += most) yield this.#towersOf(this.#slots.subarray(from, from + most));
  }

  #header(): Uint8Array {
    const header = new Uint8Array(HEADER_BYTES);
    const view = viewOf(header);
    const { entry, topLevel, efConstruction } = this.#sections.state;
    const count = this.#slots.length;
    const sizes = [0, count, count, this.#elementBytes, this.#labelAt, this.#dataAt];
    sizes.forEach((value, i) => void view.setBigUint64(8 * i, BigInt(value), true));
    view.setInt32(48, entry === NONE ? -1 : topLevel, true);
    view.setUint32(52, entry === NONE ? NONE : this.#nodes[entry], true);
    [this.#m, 2 * this.#m, this.#m].forEach((value, i) => void view.setBigUint64(56 + 8 * i, BigInt(value), true));
    view.setFloat64(80, 1 / Math.log(this.#m), true);
    view.setBigUint64(88, BigInt(efConstruction), true);
    return header;
  }

  /** Elements from..to. */
  #elements(from: number, to: number): Uint8Array {
    const bytes = new Uint8Array((to - from) * this.#elementBytes);
    const view = viewOf(bytes);
    for (let node = from, at = 0; node < to; node++, at += this.#elementBytes) {
      const slot = this.#slots[node];
      const isLive = this.#stages[slot] === LIVE;
      this.#links(view, at, 0, slot);
      if (!isLive) view.setUint8(at + 2, DELETED);
      this.#row(slot, view, at + this.#dataAt);
      // A removed one's id may be another's by now; hnswlib wants all labels different.
      view.setBigUint64(at + this.#labelAt, BigInt(isLive ? this.#ids[slot] : 2 ** 32 + node), true);
    }
    return bytes;
  }

  #towersOf(slots: Uint32Array): Uint8Array {
    let bytes = 0;
    for (const slot of slots) bytes += 4 + this.#towers.topOf(slot) * this.#levelBytes;
    const towers = new Uint8Array(bytes);
    const view = viewOf(towers);
    let at = 0;
    for (const slot of slots) {
      const top = this.#towers.topOf(slot);
      view.setUint32(at, top * this.#levelBytes, true);
      at += 4;
      for (let layer = 1; layer <= top; layer++, at += this.#levelBytes) this.#links(view, at, layer, slot);
    }
    return towers;
  }

  #links(view: DataView, at: number, layer: number, slot: number): void {
    const links = this.#towers.links(layer, slot);
    view.setUint16(at, links.length, true);
    links.forEach((to, i) => void view.setUint32(at + 4 + 4 * i, this.#nodes[to], true));
  }
}

/** Writes a slot's f32 row. */
type Row = (slot: number, into: DataView, at: number) => void;

/** f32 rows, alone or beside codes. Alone they are in halves: assembly/codec/split.ts. */
function rowsOf(sections: Sections): Row {
  const { codec, rerank, dimensions } = sections.state;
  const beside = RERANK_NAMES[rerank] === "f32";
  if (!beside && CODEC_NAMES[codec] !== "f32") {
    throw badOption(
      `rows of codec "${CODEC_NAMES[codec]}" are codes, and those of hnswlib f32: build with codec "f32", or with rerank`,
    );
  }
  if (beside)
    return (slot, into, at) => new Uint8Array(into.buffer).set(sections.row("exct", slot).subarray(0, 4 * dimensions), at);
  return (slot, into, at) => {
    const halves = viewOf(sections.row("code", slot));
    const lower = halves.byteLength / 2;
    for (let i = 0; i < dimensions; i++) {
      into.setUint32(at + 4 * i, (halves.getUint16(2 * i, true) << 16) + halves.getInt16(lower + 2 * i, true), true);
    }
  };
}

function roomFor(bytes: number): Bytes {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw new VicinalError("OUT_OF_MEMORY", `there is no room for a file of ${bytes} bytes beside the index`);
  }
}
