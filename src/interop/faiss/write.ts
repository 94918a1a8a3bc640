// An index of ours as a file of Faiss: parts.ts has the layout.
import type { VectorIndex } from "../../base/vector-index.js";
import type { Bytes } from "../../words/arrays.js";
import { badOption } from "../../words/errors.js";
import { CODEC_NAMES, KIND_NAMES, METRIC_NAMES, type Metric, ROTATE_NAMES } from "../../words/kinds.js";
import { NONE } from "../../words/state.js";
import { Sections } from "../sections.js";
import { type Coded, codedOf, inPieces } from "./coded.js";
import { writeGraph } from "./write-graph.js";
import { Writing, type WrittenHead } from "./writing.js";

/** By the metrics of ours. Under cosine rows are of length 1: by inner product, and where centroids are in it, which are not, by l2, as here. */
const METRICS: Readonly<Record<Metric, number>> = { l2: 1, cosine: 0, dot: 0, hamming: -1, l1: 2 };
/** The classes of lists and graphs, and of what has neither, by their codes. */
const LETTERS = {
  flat: { f32: ["IxFI", "IxF2", "IxFl"], sq: "IxSQ", pq: "IxPq" },
  ivf: { f32: "IwFl", sq: "IwSq", pq: "IwPQ" },
  hnsw: { f32: "IHNf", sq: "IHNs", pq: "IHNp" },
} as const;
/** Slots of a group, which one list has: assembly/table/lists.ts. */
const GROUP = 32;

/**
 * The index as Faiss would write it (`faiss.read_index`): Flat, Ivf and Hnsw with codec f32, f16, bf16, sq8 or pq. Ids other than 0, 1, 2, ... come
 * in an IndexIDMap2, those of lists beside their codes; `rotate: "opq"` in an IndexPreTransform. sq8 is coded anew, on a range for each
 * dimension. Under cosine queries are normalised by an IndexPreTransform, and rank by inner product, those of lists and of pq by l2. Rows kept for
 * rerank are left out. Errors: BAD_OPTION for what Faiss has no class for, for an index that
 * is not trained, and for a graph with removed vectors or such as wait to be linked.
 */
export function writeFaiss(index: VectorIndex): Bytes {
  return writingOf(index).bytes();
}

/** The same in pieces, so that the file is not in memory beside the index, which must not change meanwhile. */
export function faissPieces(index: VectorIndex): Iterable<Uint8Array> {
  return writingOf(index).pieces();
}

function writingOf(index: VectorIndex): Writing {
  if (typeof index?.toBytes !== "function") throw badOption("writeFaiss takes an index");
  const sections = new Sections(index);
  const { state } = sections;
  const kind = KIND_NAMES[state.kind];
  const name = METRIC_NAMES[state.metric];
  const centred = name === "cosine" && (kind === "ivf" || CODEC_NAMES[state.codec] === "pq");
  const metric = centred ? METRICS.l2 : METRICS[name];
  if (kind !== "flat" && kind !== "ivf" && kind !== "hnsw")
    throw badOption(`Faiss has nothing that a ${index.constructor.name} could become; Flat, Ivf and Hnsw go there`);
  if (metric < 0) throw badOption(`metric "${name}" does not go to Faiss`);
  if (name === "l1" && CODEC_NAMES[state.codec] !== "f32") throw badOption('Faiss has metric "l1" for f32 rows alone');
  if (!state.trained) throw badOption("the index has not learned yet what it must: train() it before it is written");
  const slots = sections.live();
  const head = { d: state.dimensions, n: slots.length, metric };
  const file = new Writing();
  const unit = name === "cosine";
  const turned = ROTATE_NAMES[state.rotate] === "opq";
  const all = sections.u32s("ids ");
  const ids = slots.map((slot) => all[slot]);
  const mapped = kind !== "ivf" && ids.some((id, i) => id !== i);
  if (mapped) file.head("IxM2", head);
  if (unit || turned) writeTransforms(file, sections, head, unit, turned);
  if (kind === "hnsw") writeHnsw(file, sections, slots, head);
  else if (kind === "ivf") writeIvf(file, sections, slots, ids, head);
  else writeCodes(file, codedOf(sections, slots), head);
  if (mapped) file.vector(BigUint64Array.from(ids, BigInt));
  return file;
}

/** An IndexPreTransform: transforms.ts has the layout. */
function writeTransforms(file: Writing, sections: Sections, head: WrittenHead, unit: boolean, turned: boolean): void {
  const { d } = head;
  file.head("IxPT", head);
  file.i32(Number(unit) + Number(turned));
  const end = (): void => {
    file.i32(d);
    file.i32(d);
    file.u8(1);
  };
  if (unit) {
    file.letters("VNrm");
    file.f32(2);
    end();
  }
  if (!turned) return;
  file.letters("LTra");
  file.u8(0);
  file.vector(unpadded(sections.f32s("rota"), d, d));
  file.vector(new Float32Array());
  end();
}

/** n rows of d, which lie padded to four. */
function unpadded(rows: Float32Array, n: number, d: number): Float32Array {
  const out = new Float32Array(n * d);
  const stride = Math.ceil(d / 4) * 4;
  for (let i = 0; i < n; i++) out.set(rows.subarray(i * stride, i * stride + d), i * d);
  return out;
}

/** An index of codes alone: also what a graph is over. */
function writeCodes(file: Writing, coded: Coded, head: WrittenHead): void {
  const { codec, codeBytes } = coded;
  const bytes = head.n * codeBytes;
  const letters = LETTERS.flat[codec];
  file.head(typeof letters === "string" ? letters : letters[head.metric], head);
  coded.meaning(file);
  file.u64(codec === "f32" ? bytes / 4 : bytes);
  file.later(bytes, () => inPieces(coded, head.n));
  if (codec !== "pq") return;
  // IndexPQ's search: by distances (0), no signs, and the polysemous threshold that Faiss gives all of them.
  file.i32(0);
  file.u8(0);
  file.i32(8 * codeBytes + 1);
}

function writeHnsw(file: Writing, sections: Sections, slots: Uint32Array, head: WrittenHead): void {
  const gone = sections.slots - slots.length;
  if (gone > 0) throw badOption(`${gone} removed vectors are still in the graph: await index.compact() before it is written`);
  const coded = codedOf(sections, slots);
  file.head(LETTERS.hnsw[coded.codec], head);
  writeGraph(file, sections);
  writeCodes(file, coded, head);
}

function writeIvf(file: Writing, sections: Sections, slots: Uint32Array, ids: Uint32Array, head: WrittenHead): void {
  const { nlist, effort, residual, dimensions: d } = sections.state;
  const owners = sections.u32s("wner");
  const members = Array.from({ length: nlist }, (): number[] => []);
  slots.forEach((slot, i) => void members[owners[Math.floor(slot / GROUP)]].push(i));
  const coded = codedOf(sections, slots);
  const { codec, codeBytes } = coded;
  file.head(LETTERS.ivf[codec], head);
  file.u64(nlist);
  file.u64(effort === NONE ? nlist : effort);
  const centroids = centroidsOf(sections, nlist, d);
  const centroid = (i: number): Uint8Array => centroids.subarray(4 * d * i, 4 * d * (i + 1));
  writeCodes(file, { codec: "f32", codeBytes: 4 * d, code: centroid, meaning: () => {} }, { ...head, n: nlist });
  file.u8(0);
  file.u64(0);
  if (codec === "pq") {
    file.u8(residual);
    file.u64(codeBytes);
  }
  coded.meaning(file);
  if (codec === "sq") {
    file.u64(codeBytes);
    file.u8(0);
  }
  writeLists(file, members, coded, ids);
}

/** As they are where codes are turned: of turned vectors, as Faiss finds lists then. */
function centroidsOf(sections: Sections, nlist: number, d: number): Uint8Array {
  const rows = unpadded(sections.f32s("cent"), nlist, d);
  if (ROTATE_NAMES[sections.state.rotate] === "opq") {
    const matrix = unpadded(sections.f32s("rota"), d, d);
    for (let i = 0; i < nlist; i++) {
      const row = rows.slice(i * d, (i + 1) * d);
      for (let j = 0; j < d; j++) rows[i * d + j] = row.reduce((sum, value, l) => sum + value * matrix[j * d + l], 0);
    }
  }
  return new Uint8Array(rows.buffer);
}

/** lists.ts has the layout; sizes are "sprs" where no more than half of the lists hold anything, as Faiss does it. */
function writeLists(file: Writing, members: readonly number[][], coded: Coded, ids: Uint32Array): void {
  const { codeBytes } = coded;
  file.letters("ilar");
  file.u64(members.length);
  file.u64(codeBytes);
  const filled = members.flatMap(({ length }, list) => (length > 0 ? [BigInt(list), BigInt(length)] : []));
  const full = filled.length / 2 > Math.floor(members.length / 2);
  file.letters(full ? "full" : "sprs");
  file.vector(full ? BigUint64Array.from(members, ({ length }) => BigInt(length)) : BigUint64Array.from(filled));
  for (const list of members) {
    file.later(list.length * codeBytes, () => inPieces(coded, list.length, (j) => list[j]));
    file.numbers(BigUint64Array.from(list, (i) => BigInt(ids[i])));
  }
}
