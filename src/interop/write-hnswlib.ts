import type { Hnsw } from "../family/hnsw.js";
import type { Bytes } from "../words/arrays.js";
import { badOption, VicinalError } from "../words/errors.js";
import { CODEC_NAMES, DOT_METRICS, METRIC_NAMES, RERANK_NAMES } from "../words/kinds.js";
import { NONE } from "../words/state.js";
import { Sections } from "./sections.js";
import { Towers } from "./towers.js";
import { viewOf } from "./view-of.js";

const HEADER_BYTES = 96;
const LABEL_BYTES = 8;
const DELETED = 1;
/** assembly/table/nodes.ts. */
const [FREE, LIVE] = [0, 1];

/**
 * An Hnsw index as a file that hnswlib loads (hnswlib.ts draws it), for its spaces l2, cosine and ip: rows, ids as labels, links and
 * deleted marks as they are. Rows are f32: of codec "f32", or of others with f32 rows beside them. Under cosine rows are of unit length, as
 * hnswlib has them. Room for more elements is for load_index to make. Errors: BAD_OPTION, OUT_OF_MEMORY.
 */
export async function writeHnswlib(index: Hnsw): Promise<Bytes> {
  if (index?.kind !== "hnsw") throw badOption("writeHnswlib takes an Hnsw index");
  if (!DOT_METRICS.includes(index.metric as "l2")) {
    throw badOption(`hnswlib has no metric "${index.metric}"; it has ${DOT_METRICS.join(", ")}`);
  }
  // Those that wait to be linked are.
  await index.addAll([]);
  return new Writing(index).file();
}

/** Little-endian, as the machines are that have wasm. */
class Writing {
  readonly #sections: Sections;
  readonly #towers: Towers;
  /** Slots that are in use, and the number that each has in the file. */
  readonly #slots: Uint32Array;
  readonly #nodes: Uint32Array;
  readonly #m: number;
  readonly #dataAt: number;
  readonly #labelAt: number;
  readonly #elementBytes: number;
  readonly #row: (slot: number, into: DataView, at: number) => void;

  constructor(index: Hnsw) {
    this.#sections = new Sections(index);
    this.#towers = new Towers(this.#sections);
    const stages = this.#sections.bytes("life");
    this.#slots = Uint32Array.from(stages.keys()).filter((slot) => stages[slot] !== FREE);
    this.#nodes = new Uint32Array(stages.length);
    this.#slots.forEach((slot, node) => {
      this.#nodes[slot] = node;
    });
    const { m, dimensions } = this.#sections.state;
    this.#m = m;
    this.#dataAt = 4 + 8 * m;
    this.#labelAt = this.#dataAt + 4 * dimensions;
    this.#elementBytes = this.#labelAt + LABEL_BYTES;
    this.#row = rowsOf(this.#sections);
  }

  file(): Bytes {
    const levelBytes = 4 + 4 * this.#m;
    let bytes = HEADER_BYTES + this.#slots.length * (this.#elementBytes + 4);
    for (const slot of this.#slots) bytes += this.#towers.topOf(slot) * levelBytes;
    const file = roomFor(bytes);
    const view = viewOf(file);
    this.#header(view);
    let at = HEADER_BYTES;
    for (let node = 0; node < this.#slots.length; node++, at += this.#elementBytes) this.#element(view, at, node);
    for (const slot of this.#slots) {
      const top = this.#towers.topOf(slot);
      view.setUint32(at, top * levelBytes, true);
      at += 4;
      for (let layer = 1; layer <= top; layer++, at += levelBytes) this.#links(view, at, layer, slot);
    }
    return file;
  }

  #header(view: DataView): void {
    const { entry, topLevel, efConstruction } = this.#sections.state;
    const count = this.#slots.length;
    const sizes = [0, count, count, this.#elementBytes, this.#labelAt, this.#dataAt];
    sizes.forEach((value, i) => void view.setBigUint64(8 * i, BigInt(value), true));
    view.setInt32(48, entry === NONE ? -1 : topLevel, true);
    view.setUint32(52, entry === NONE ? NONE : this.#nodes[entry], true);
    [this.#m, 2 * this.#m, this.#m].forEach((value, i) => void view.setBigUint64(56 + 8 * i, BigInt(value), true));
    view.setFloat64(80, 1 / Math.log(this.#m), true);
    view.setBigUint64(88, BigInt(efConstruction), true);
  }

  #element(view: DataView, at: number, node: number): void {
    const slot = this.#slots[node];
    const isLive = this.#sections.bytes("life")[slot] === LIVE;
    this.#links(view, at, 0, slot);
    if (!isLive) view.setUint8(at + 2, DELETED);
    this.#row(slot, view, at + this.#dataAt);
    // A removed one's id may be another's by now; hnswlib wants all labels different.
    const label = isLive ? this.#sections.u32s("ids ")[slot] : 2 ** 32 + node;
    view.setBigUint64(at + this.#labelAt, BigInt(label), true);
  }

  #links(view: DataView, at: number, layer: number, slot: number): void {
    const links = this.#towers.links(layer, slot);
    view.setUint16(at, links.length, true);
    links.forEach((to, i) => void view.setUint32(at + 4 + 4 * i, this.#nodes[to], true));
  }
}

/** f32 rows, alone or beside codes. Alone they are in halves: assembly/codec/split.ts. */
function rowsOf(sections: Sections): (slot: number, into: DataView, at: number) => void {
  const { codec, rerank, dimensions } = sections.state;
  const beside = RERANK_NAMES[rerank] === "f32";
  if (!beside && CODEC_NAMES[codec] !== "f32") {
    const name = `"${CODEC_NAMES[codec]}"`;
    throw badOption(
      `rows of codec ${name} are codes, and ${METRIC_NAMES[sections.state.metric]} rows of hnswlib are f32: build with codec "f32", or with rerank`,
    );
  }
  const tag = beside ? "exct" : "code";
  const [rows, stride] = [viewOf(sections.bytes(tag)), sections.stride(tag)];
  return (slot, into, at) => {
    for (let i = 0; i < dimensions; i++) {
      const from = slot * stride + (beside ? 4 : 2) * i;
      const bits = beside
        ? rows.getUint32(from, true)
        : (rows.getUint16(from, true) << 16) + rows.getInt16(from + stride / 2, true);
      into.setUint32(at + 4 * i, bits, true);
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
