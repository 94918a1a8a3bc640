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
import { CLASSES, REFUSED } from "./classes.js";
import { type Codes, codesInLists, codesOf, decodedRows, listCoder } from "./codes.js";
import { type ForeignGraph, readGraph } from "./graph.js";
import { readLists } from "./lists.js";
import { badFaiss, notRead, type Reading } from "./reading.js";
import { readTransform, type Transform } from "./transforms.js";

/** Indices within indices: more than these are no file of Faiss. */
const MOST_DEEP = 8;
/** A direct map from ids to places by hash. */
const HASH_MAP = 2;

export interface Head {
  readonly letters: string;
  /** Its class. */
  readonly name: string;
  readonly d: number;
  readonly n: number;
  /** 0 inner product, 1 l2, 2 l1. */
  readonly metric: number;
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
  return letters.startsWith("Iw")
    ? lists(file, head, depth)
    : { ...head, part: "codes", codes: codesOf(file, letters, head.d, head.n) };
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
  if (storage.part !== "codes") throw notRead(`a graph over an ${storage.name}`);
  sameHead(head, storage);
  return { ...head, part: "graph", graph, codes: storage.codes };
}

function lists(file: Reading, head: Head, depth: number): ListsPart {
  const { letters, d, n } = head;
  const nlist = file.u64("number of lists");
  const nprobe = file.u64("lists that a search scans");
  const quantizer = readPart(file, depth + 1);
  if (quantizer.part !== "graph" && quantizer.part !== "codes") throw notRead(`lists that an ${quantizer.name} finds`);
  if (quantizer.n === 0 && n === 0) throw notRead("lists that have learned no centroids");
  if (quantizer.n !== nlist || quantizer.d !== d) {
    throw badFaiss(`its ${nlist} lists of ${d} dimensions have ${quantizer.n} centroids of ${quantizer.d}`);
  }
  const centroids = decodedRows(quantizer.codes, nlist, d);
  const map = file.u8();
  file.vector("direct map", 8);
  if (map === HASH_MAP) file.vector("direct map", 16);
  const { coder, residual, blocks } = listCoder(file, letters, d);
  const taken = readLists(file, nlist, n, coder.codeBytes, blocks);
  const codes = codesInLists(file, coder, taken, blocks);
  return { ...head, part: "lists", nlist, nprobe, centroids, quantizer, residual, codes, sizes: taken.sizes, ids: taken.ids };
}
