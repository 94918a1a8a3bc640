// What a Faiss file is made of, taken apart and checked against itself: faiss/impl/index_write.cpp has the layout. Four letters say what
// class follows; then its fields, those of the class above it first. An index may hold others:
//
//   IxMp, IxM2      [head][index][ids: vector of i64]
//   IxPT            [head][transforms: i32][transform] ...[index]
//   IHN*, IHc2      [head][graph][index: the vectors]
//   Iw*             [head][nlist u64][nprobe u64][index: the centroids][direct map][what codes mean][lists]
//
//   head            [dimensions i32][vectors i64][16 bytes that say nothing][trained u8][metric i32], and for metrics beyond 1 [argument f32]
import { LIMITS, MAX_SLOTS } from "../../words/limits.js";
import { bitCoder, type Coder, f32Coder, type ProductCoder, productCoder, scalarCoder } from "./coders.js";
import { type ForeignGraph, readGraph } from "./graph.js";
import { type Blocks, readLists } from "./lists.js";
import { badFaiss, notRead, type Reading } from "./reading.js";
import { readTransform, type Transform } from "./transforms.js";

/** Classes that are read, by their letters. */
const CLASSES: Readonly<Record<string, string>> = {
  IxFI: "IndexFlatIP",
  IxF2: "IndexFlatL2",
  IxFl: "IndexFlat",
  IxMp: "IndexIDMap",
  IxM2: "IndexIDMap2",
  IxSQ: "IndexScalarQuantizer",
  IxPq: "IndexPQ",
  IPfs: "IndexPQFastScan",
  Ixrq: "IndexRaBitQ",
  IwFl: "IndexIVFFlat",
  IwSq: "IndexIVFScalarQuantizer",
  IwPQ: "IndexIVFPQ",
  IwPf: "IndexIVFPQFastScan",
  Iwrq: "IndexIVFRaBitQ",
  IHNf: "IndexHNSWFlat",
  IHNs: "IndexHNSWSQ",
  IHNp: "IndexHNSWPQ",
  IHNc: "IndexHNSWCagra",
  IHc2: "IndexHNSWCagra",
  IxPT: "IndexPreTransform",
};
/** Others that Faiss writes, by their letters. */
const REFUSED: Readonly<Record<string, string>> = {
  IxHe: "IndexLSH",
  IxRq: "IndexResidualQuantizer",
  IxLS: "IndexLocalSearchQuantizer",
  IxPR: "IndexProductResidualQuantizer",
  IxPL: "IndexProductLocalSearchQuantizer",
  ILfs: "IndexLocalSearchQuantizerFastScan",
  IRfs: "IndexResidualQuantizerFastScan",
  IwFd: "IndexIVFFlatDedup",
  IwQR: "IndexIVFPQR",
  IwSh: "IndexIVFSpectralHash",
  IwRQ: "IndexIVFResidualQuantizer",
  IwLS: "IndexIVFLocalSearchQuantizer",
  IwIQ: "IndexIVFIndependentQuantizer",
  IvFl: "IndexIVFFlat as Faiss wrote it before 2018",
  IvFL: "IndexIVFFlat as Faiss wrote it before 2018",
  IvPQ: "IndexIVFPQ as Faiss wrote it before 2018",
  IvSQ: "IndexIVFScalarQuantizer as Faiss wrote it before 2018",
  IwSQ: "IndexIVFScalarQuantizer as Faiss wrote it before 2019",
  IxPQ: "IndexPQ as Faiss wrote it before 2017",
  IxPo: "IndexPQ as Faiss wrote it before 2017",
  IxRF: "IndexRefine",
  IxLa: "IndexLattice",
  Ix2L: "Index2Layer",
  IHN2: "IndexHNSW2Level",
  IHfP: "IndexHNSWFlatPanorama",
  INSf: "IndexNSGFlat",
  INSp: "IndexNSGPQ",
  INSs: "IndexNSGSQ",
  INNf: "IndexNNDescentFlat",
  IRMf: "IndexRowwiseMinMax",
  IRMh: "IndexRowwiseMinMaxFP16",
  Ixrr: "IndexRaBitQ of several bits",
  Iwrr: "IndexIVFRaBitQ of several bits",
  Irfs: "IndexRaBitQFastScan",
  Iwrf: "IndexIVFRaBitQFastScan",
  Imiq: "MultiIndexQuantizer",
  ImRQ: "ResidualCoarseQuantizer",
  IBxF: "IndexBinaryFlat",
  IBwF: "IndexBinaryIVF",
  IBHf: "IndexBinaryHNSW",
  IBMp: "IndexBinaryIDMap",
  IBM2: "IndexBinaryIDMap2",
  IBHh: "IndexBinaryHash",
};
/** Indices within indices: more than these are no file of Faiss. */
const MOST_DEEP = 8;
/** Vectors of a block of fast-scan codes. */
const MOST_OF_A_BLOCK = 1 << 16;

interface Head {
  readonly letters: string;
  /** Its class. */
  readonly name: string;
  readonly d: number;
  readonly n: number;
  /** 0 inner product, 1 l2, 2 l1. */
  readonly metric: number;
}

/** Codes of n vectors: where they are in `bytes`. */
export interface Codes {
  readonly coder: Coder;
  readonly bytes: Uint8Array;
  /** Where code i begins. */
  readonly at: (i: number) => number;
}

export interface CodesPart extends Head {
  readonly part: "codes";
  readonly codes: Codes;
}
export interface ListsPart extends Head {
  readonly part: "lists";
  readonly nlist: number;
  readonly nprobe: number;
  /** nlist x d. */
  readonly centroids: Float32Array;
  /** Of the index that finds the lists. */
  readonly quantizer: Head;
  /** Codes are of what is left of a vector when its list's centroid is taken away. */
  readonly residual: boolean;
  /** Vectors of each list; codes and ids are those of one list after the other. */
  readonly sizes: Float64Array;
  readonly codes: Codes;
  readonly ids: BigInt64Array;
}
export interface GraphPart extends Head {
  readonly part: "graph";
  readonly graph: ForeignGraph;
  readonly codes: Codes;
}
export interface MappedPart extends Head {
  readonly part: "mapped";
  readonly inner: Part;
  readonly ids: BigInt64Array;
}
export interface TransformedPart extends Head {
  readonly part: "transformed";
  readonly inner: Part;
  readonly chain: readonly Transform[];
}
export type Part = CodesPart | ListsPart | GraphPart | MappedPart | TransformedPart;

export function readPart(file: Reading, depth = 0): Part {
  const head = readHead(file);
  if (depth > MOST_DEEP) throw badFaiss(`its indices lie more than ${MOST_DEEP} deep in each other`);
  const { letters } = head;
  if (letters === "IxMp" || letters === "IxM2") return mapped(file, head, depth);
  if (letters === "IxPT") return transformed(file, head, depth);
  if (letters.startsWith("IH")) return graph(file, head, depth);
  return letters.startsWith("Iw") ? lists(file, head, depth) : { ...head, part: "codes", codes: codesOf(file, head) };
}

function readHead(file: Reading): Head {
  const letters = file.letters();
  const name = CLASSES[letters];
  if (!name) {
    const other = REFUSED[letters];
    if (!other)
      throw badFaiss(`an index in it begins with ${JSON.stringify(letters)}, which is no class of Faiss that is known here`);
    throw notRead(`an ${other} (${letters}; ${[...new Set(Object.values(CLASSES))].join(", ")} are read)`);
  }
  const d = file.i32();
  const n = file.u64("number of vectors");
  file.skip(16);
  file.flag();
  const metric = file.i32();
  if (metric > 1) file.f32();
  const [least, most] = LIMITS.dimensions;
  if (d < least || d > most) throw notRead(`vectors of ${d} dimensions (an index has ${least} to ${most})`);
  if (n > MAX_SLOTS) throw notRead(`${n} vectors (an index has ${MAX_SLOTS} at most)`);
  return { letters, name, d, n, metric };
}

function sameHead(outer: Head, inner: Head, d = outer.d): void {
  if (inner.n !== outer.n || inner.d !== d) {
    throw badFaiss(`${outer.name} of ${outer.n} x ${d} holds ${inner.name} of ${inner.n} x ${inner.d}`);
  }
}

function mapped(file: Reading, head: Head, depth: number): MappedPart {
  const inner = readPart(file, depth + 1);
  sameHead(head, inner);
  const { at, count } = file.vector("ids", 8);
  if (count !== head.n) throw badFaiss(`it has ${count} ids for ${head.n} vectors`);
  return { ...head, part: "mapped", inner, ids: file.ids(at, count) };
}

function transformed(file: Reading, head: Head, depth: number): TransformedPart {
  const count = file.i32();
  if (count < 0 || count > MOST_DEEP) throw badFaiss(`it has ${count} transforms`);
  const chain = Array.from({ length: count }, () => readTransform(file));
  let d = head.d;
  for (const transform of chain) {
    if (transform.dIn !== d) throw badFaiss(`a transform of ${transform.dIn} dimensions follows where there are ${d}`);
    d = transform.dOut;
  }
  const inner = readPart(file, depth + 1);
  sameHead(head, inner, d);
  return { ...head, part: "transformed", inner, chain };
}

function graph(file: Reading, head: Head, depth: number): GraphPart {
  const graph = readGraph(file, head.letters, head.n);
  const storage = readPart(file, depth + 1);
  if (storage.part !== "codes") throw badFaiss(`its graph is over an ${storage.name}`);
  sameHead(head, storage);
  return { ...head, part: "graph", graph, codes: storage.codes };
}

/** Codes of all vectors, one after the other. */
function inTurn(file: Reading, { n }: Head, coder: Coder, unit = 1): Codes {
  const { at, count } = file.vector("codes", unit);
  const bytes = count * unit;
  if (bytes !== n * coder.codeBytes)
    throw badFaiss(`${n} codes of ${coder.codeBytes} bytes are ${n * coder.codeBytes} bytes, not ${bytes}`);
  return { coder, bytes: file.bytes, at: (i) => at + i * coder.codeBytes };
}

function codesOf(file: Reading, head: Head): Codes {
  const { letters, d } = head;
  if (letters.startsWith("IxF")) return inTurn(file, head, f32Coder(d), 4);
  if (letters === "IxSQ") return inTurn(file, head, scalarCoder(file, d));
  if (letters === "Ixrq") {
    const coder = bitCoder(file, d);
    const codes = inTurn(file, head, { ...coder, centre: new Float32Array() });
    const centre = file.f32s("the centre", d);
    file.u8();
    return { ...codes, coder: { ...coder, centre } };
  }
  const coder = productCoder(file, d);
  if (letters === "IPfs") return packedCodes(file, head, coder);
  const codes = inTurn(file, head, coder);
  file.skip(4 + 1 + 4);
  return codes;
}

/** Blocks of fast-scan codes, whose parts are a multiple of two. */
function blocksOf({ m, bits }: ProductCoder, vectors: number, parts: number): Blocks {
  const sound = bits === 4 && parts === m + (m & 1) && vectors >= 32 && vectors % 32 === 0 && vectors <= MOST_OF_A_BLOCK;
  if (!sound) throw badFaiss(`its fast-scan codes are ${parts} parts of ${bits} bits in blocks of ${vectors}`);
  return { vectors, bytes: (vectors * parts) / 2 };
}

function packedCodes(file: Reading, { n }: Head, coder: ProductCoder): Codes {
  file.skip(4);
  const vectors = file.i32();
  file.skip(4 + 8);
  const blocks = blocksOf(coder, vectors, file.u64("parts of a code"));
  const { at, count } = file.vector("codes", 1);
  if (count !== Math.ceil(n / vectors) * blocks.bytes) throw badFaiss(`its fast-scan codes of ${n} vectors are ${count} bytes`);
  const bytes = new Uint8Array(n * coder.codeBytes);
  unpack(file.bytes, at, n, blocks, bytes, coder.codeBytes);
  return { coder, bytes, at: (i) => i * coder.codeBytes };
}

/**
 * Codes of 4 bits as a scan has them, in blocks (faiss/impl/pq4_fast_scan.h): for each two parts, of every 32 vectors 32 bytes, the first 16 of the
 * first part. A byte holds the numbers of two vectors that are 16 apart, in the order 0, 8, 1, 9, ...
 */
function unpack(from: Uint8Array, at: number, n: number, { vectors, bytes }: Blocks, out: Uint8Array, codeBytes: number): void {
  for (let i = 0; i < n; i++) {
    const inBlock = i % vectors;
    const block = at + Math.floor(i / vectors) * bytes;
    const lane = inBlock & 15;
    const place = (inBlock & ~31) + ((lane & 7) << 1) + (lane >> 3);
    const shift = (inBlock & 16) >> 2;
    for (let pair = 0; pair < codeBytes; pair++) {
      const p = block + pair * vectors + place;
      out[i * codeBytes + pair] = ((from[p] >> shift) & 15) | (((from[p + 16] >> shift) & 15) << 4);
    }
  }
}

function lists(file: Reading, head: Head, depth: number): ListsPart {
  const { letters, d, n } = head;
  const nlist = file.u64("number of lists");
  const nprobe = file.u64("lists that a search scans");
  const quantizer = readPart(file, depth + 1);
  const found = quantizer.part === "graph" || quantizer.part === "codes" ? quantizer.codes : undefined;
  if (found?.coder.type !== "f32" || quantizer.n !== nlist || quantizer.d !== d) {
    throw badFaiss(
      `its lists are found by ${quantizer.name} of ${quantizer.n} x ${quantizer.d}, not by ${nlist} x ${d} centroids`,
    );
  }
  const from = found.at(0);
  const centroids = new Float32Array(new Uint8Array(found.bytes.subarray(from, from + 4 * nlist * d)).buffer);
  const map = file.u8();
  file.vector("direct map", 8);
  if (map === 2) file.vector("direct map", 16);
  const { coder, residual, blocks } = listCoder(file, letters, d);
  const { sizes, codesAt, ids } = readLists(file, nlist, n, coder.codeBytes, blocks);
  const unpacked = new Uint8Array(blocks ? n * coder.codeBytes : 0);
  const offsets = new Float64Array(n);
  for (let list = 0, i = 0; list < nlist; list++) {
    if (blocks) unpack(file.bytes, codesAt[list], sizes[list], blocks, unpacked.subarray(i * coder.codeBytes), coder.codeBytes);
    const first = blocks ? i * coder.codeBytes : codesAt[list];
    for (let j = 0; j < sizes[list]; j++, i++) offsets[i] = first + j * coder.codeBytes;
  }
  const codes = { coder, bytes: blocks ? unpacked : file.bytes, at: (i: number) => offsets[i] };
  return { ...head, part: "lists", nlist, nprobe, centroids, quantizer, residual, sizes, ids, codes };
}

/** What the codes in lists mean, and how they are packed where they do not lie one after the other. */
function listCoder(file: Reading, letters: string, d: number): { coder: Coder; residual: boolean; blocks?: Blocks } {
  if (letters === "IwFl") return { coder: f32Coder(d), residual: false };
  if (letters === "IwSq") {
    const coder = scalarCoder(file, d);
    file.u64("size of a code");
    return { coder, residual: file.flag() };
  }
  if (letters === "Iwrq") {
    const coder = { ...bitCoder(file, d), centre: new Float32Array(d) };
    file.u64("size of a code");
    const residual = file.flag();
    file.u8();
    return { coder, residual };
  }
  const residual = file.flag();
  file.u64("size of a code");
  if (letters === "IwPQ") return { coder: productCoder(file, d), residual };
  const vectors = file.i32();
  const parts = file.u64("parts of a code");
  file.skip(4 + 8);
  const coder = productCoder(file, d);
  return { coder, residual, blocks: blocksOf(coder, vectors, parts) };
}
