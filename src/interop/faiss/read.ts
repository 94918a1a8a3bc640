// Files of Faiss: what lies around an index (ids, transforms), and what of it stays beside the index that is made.
import { maxBytesOf } from "../../base/create.js";
import type { Metric } from "../../words/kinds.js";
import { known } from "../../words/options.js";
import { idsFrom } from "../assemble-graph.js";
import { bytesOf, type FileLike } from "../bytes-of.js";
import type { Imported } from "../imported.js";
import { linksOn } from "./graph.js";
import { indexOf } from "./made.js";
import { type CodesPart, type GraphPart, type ListsPart, type Part, readPart } from "./parts.js";
import { badFaiss, notRead, Reading } from "./reading.js";
import { applied, isRotation, type Linear, type Transform } from "./transforms.js";

const METRICS: readonly Metric[] = ["dot", "l2", "l1"];
const LUCENE = [0xc0, 0x28, 0x93, 0xe8];
const LUCENE_BYTES = 16;

export interface FaissOptions {
  /** As for `create`. Default 4 GiB. */
  maxBytes?: number;
}

export interface FaissImport extends Omit<Imported, "labels"> {
  /** Its classes, the outermost first, as Faiss names them: ["IndexIDMap2", "IndexFlatL2"]. */
  readonly classes: readonly string[];
  /** What the file says of itself, by Faiss's names: nlist, nprobe, M, efConstruction, efSearch, ... */
  readonly parameters: Readonly<Record<string, number | boolean | string>>;
  /** Only where the file's ids are no different integers from 0 to 4294967294: ids are places then, and `labels[id]` is the file's id. */
  readonly labels?: BigInt64Array;
  /**
   * Only where vectors pass through something before they are in the index (PCA, normalising, whatever is no rotation): queries, and vectors to
   * add, have to pass through it too. `index.search(transform(query))`.
   */
  readonly transform?: (vector: ArrayLike<number>) => Float32Array;
}

/** What is found on the way to the index proper. */
interface Unwrapped {
  readonly inner: CodesPart | ListsPart | GraphPart;
  /** Ids by the ids of the inner index. */
  readonly maps: readonly BigInt64Array[];
  readonly chain: readonly Transform[];
  readonly classes: readonly string[];
}

/**
 * The index in a file that Faiss has written: Flat, scalar quantisers, PQ, RaBitQ, lists (IVF) of any of these, HNSW and CAGRA graphs, fast-scan layouts,
 * within IDMap and PreTransform. Lists come as lists, graphs as graphs, codebooks as codebooks; what vicinal has no codec for is decoded to f32, and
 * `notes` say so. Rotations (OPQ, random) are undone, so that queries are as they were; f32 rows and product codes behind a normalising transform are of
 * metric "cosine"; for other transforms see `transform`. Distances are
 * vicinal's: l2 is not squared, dot is -<q, v>. Errors: BAD_FILE (also for classes that are not read, which it names), BAD_OPTION, OUT_OF_MEMORY.
 */
export async function readFaiss(file: FileLike, options: FaissOptions = {}): Promise<FaissImport> {
  known("readFaiss", options, ["maxBytes"]);
  const maxBytes = maxBytesOf(options);
  const reading = new Reading(await bytesOf(file));
  const part = readPart(reading);
  checkEnd(reading);
  const { inner, maps, chain, classes } = unwrapped(part);
  const said = METRICS[inner.metric];
  if (!said) throw notRead(`metric ${inner.metric} (inner product, l2 and l1 are read)`);
  const notes: string[] = [];
  const cosine = isCosine(inner, said, chain);
  const rest = cosine ? chain.slice(1) : chain;
  const turn = turnOf(rest, said, cosine);
  const whole = rest.length === 0 || turn !== undefined;
  const metric = cosine && whole ? "cosine" : said;
  const labels = labelsOf(inner, maps);
  const ids = labels && idsFrom(new BigUint64Array(labels.buffer), undefined);
  if (labels && !ids)
    notes.push("ids are not integers from 0 to 4294967294, each once: ids are places in the file, labels[id] is the file's");
  const rows = { metric, dimensions: turn ? turn.dIn : inner.d, turn, ids, maxBytes };
  const { index, notes: more } = await indexOf(inner, rows);
  notes.push(...more);
  const transform = !whole ? (vector: ArrayLike<number>) => applied(chain, vector) : undefined;
  if (transform) notes.push("vectors are as the file's transforms have left them: queries have to pass through transform()");
  return {
    ...{ index, format: "Faiss", classes, parameters: parametersOf(inner), notes },
    ...(labels && !ids && { labels }),
    ...(transform && { transform }),
  };
}

/** Nothing follows an index but what Lucene puts behind every file of its own: [magic u32][0 u32][checksum u64], big-endian. */
function checkEnd(file: Reading): void {
  const { left } = file;
  if (left === 0 || (left === LUCENE_BYTES && LUCENE.every((byte) => byte === file.u8()))) return;
  throw badFaiss(`${left} bytes follow its index`);
}

function unwrapped(part: Part): Unwrapped {
  const maps: BigInt64Array[] = [];
  const chain: Transform[] = [];
  const classes: string[] = [];
  for (let here = part; ; here = here.inner) {
    classes.push(here.name);
    if (here.part === "mapped") maps.unshift(here.ids);
    else if (here.part === "transformed") chain.push(...here.chain);
    else return { inner: here, maps, chain, classes };
  }
}

/**
 * Rows that were brought to length 1, as queries are, rank by their cosines, by inner product as by l2, and the index brings queries there itself. Of lists and
 * product codes by l2 alone: under cosine centroids are compared so (assembly/codec/pq.ts, assembly/kernel/nearest-centre.ts).
 */
function isCosine({ part, codes }: Unwrapped["inner"], metric: Metric, [first]: readonly Transform[]): boolean {
  const { type } = codes.coder;
  if (first?.type !== "unit") return false;
  return metric === "l2" ? type === "f32" || type === "pq" : metric === "dot" && type === "f32" && part !== "lists";
}

/** The one rotation that all transforms are, if so: it changes no distance, and no dot or length where nothing is added. */
function turnOf(chain: readonly Transform[], metric: Metric, unit: boolean): Linear | undefined {
  const [only] = chain;
  if (chain.length !== 1 || only.type !== "linear" || metric === "l1" || !isRotation(only)) return undefined;
  const shifts = only.bias?.some((value) => value !== 0) ?? false;
  if (shifts) return metric === "l2" && !unit ? only : undefined;
  return { ...only, bias: undefined };
}

/** The id of each vector, in the order of the file; undefined where that is its place. */
function labelsOf(inner: Part, maps: readonly BigInt64Array[]): BigInt64Array | undefined {
  const first = inner.part === "lists" ? inner.ids : undefined;
  if (maps.length === 0) return first;
  const labels = first ?? maps[0].slice();
  for (const map of first ? maps : maps.slice(1)) {
    for (let i = 0; i < labels.length; i++) {
      const at = Number(labels[i]);
      if (!(at >= 0 && at < map.length)) throw badFaiss(`a vector has the id ${labels[i]}, and ids of ${map.length} follow`);
      labels[i] = map[at];
    }
  }
  return labels;
}

function parametersOf(inner: CodesPart | ListsPart | GraphPart): Record<string, number | boolean | string> {
  const { coder } = inner.codes;
  const of: Record<string, number | boolean | string> = {};
  if (coder.type === "pq") Object.assign(of, { M: coder.m, nbits: coder.bits });
  if (coder.type === "sq") of.qtype = `QT_${coder.scalar}`;
  if (inner.part === "lists") Object.assign(of, { nlist: inner.nlist, nprobe: inner.nprobe, by_residual: inner.residual });
  if (inner.part !== "graph") return of;
  const { efConstruction, ef } = inner.graph;
  return { ...of, M: Math.ceil(linksOn(inner.graph, 0) / 2), efConstruction, efSearch: ef };
}
