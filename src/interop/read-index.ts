// Index files, whatever library wrote them.
import type { VectorIndex } from "../base/vector-index.js";
import { load } from "../make/load.js";
import { badOption } from "../words/errors.js";
import type { Metric } from "../words/kinds.js";
import { known, oneOf } from "../words/options.js";
import { type AnnoyOptions, readAnnoy } from "./annoy.js";
import { type BlobLike, type ByteSource, bytesOf, type FileLike, isPath, openBytes, type ResponseLike } from "./bytes-of.js";
import { type FaissImport, readFaiss } from "./faiss/read.js";
import { type HnswlibOptions, readHnswlib } from "./hnswlib.js";
import type { Imported } from "./imported.js";
import { latin1 } from "./read/bytes.js";
import { readUsearch } from "./usearch.js";
import { viewOf } from "./view-of.js";

export const INDEX_FORMATS = ["vic", "faiss", "hnswlib", "usearch", "annoy"] as const;
export type IndexFormat = (typeof INDEX_FORMATS)[number];

export interface ReadIndexOptions {
  /** Default: by what is in the file, which for "annoy" tells nothing: then by its name, .ann, .annoy or .tree. */
  format?: IndexFormat;
  /** Of hnswlib and Annoy, whose files do not say it. */
  metric?: Metric;
  /** Of Annoy, whose files do not say it; of hnswlib where rows are no floats. */
  dimensions?: number;
  /** Of hnswlib and usearch: beam width of searches that do not say. Default 64. */
  ef?: number;
  /** As for `create`. Default 4 GiB. */
  maxBytes?: number;
}

/** What each format's reader takes. */
const OPTIONS: Readonly<Record<IndexFormat, readonly (keyof ReadIndexOptions)[]>> = {
  vic: ["maxBytes"],
  faiss: ["maxBytes"],
  hnswlib: ["metric", "dimensions", "ef", "maxBytes"],
  usearch: ["ef", "maxBytes"],
  annoy: ["metric", "dimensions", "maxBytes"],
};

/**
 * The index in a file of vicinal, Faiss, hnswlib, usearch or Annoy, as load(), readFaiss(), readHnswlib(), readUsearch() and readAnnoy() read
 * it. Errors: theirs, and BAD_OPTION where the file is of none of these.
 */
export async function readIndex(given: FileLike, options: ReadIndexOptions = {}): Promise<Imported | FaissImport> {
  const { format: said, ...rest } = options;
  // It is looked at first: what can be had only once is had whole.
  if (!canReread(given)) return readIndex(await bytesOf(given), options);
  const file = given;
  const format = said === undefined ? await formatOf(file) : oneOf("format", said, INDEX_FORMATS);
  known(`readIndex of a ${format} file`, rest, OPTIONS[format]);
  if (format === "faiss") return readFaiss(file, rest);
  if (format === "hnswlib") return readHnswlib(file, rest as HnswlibOptions);
  if (format === "usearch") return readUsearch(file, rest);
  if (format === "annoy") return readAnnoy(file, rest as AnnoyOptions);
  const index: VectorIndex = await load({ arrayBuffer: () => bytesOf(file) }, rest);
  return { index, format: "vicinal", notes: [] };
}

/** A path, a Blob, or bytes. */
function canReread(file: FileLike): boolean {
  if (typeof file === "string" || file instanceof URL) return isPath(file);
  return (
    typeof (file as Partial<BlobLike>)?.slice === "function" || typeof (file as Partial<ResponseLike>)?.arrayBuffer !== "function"
  );
}

async function formatOf(file: FileLike): Promise<IndexFormat> {
  const source = await openBytes(file);
  try {
    const format = await indexFormatOf(source);
    if (format) return format;
  } finally {
    await source.close();
  }
  throw badOption(`the file is of none of these, as far as it tells: { format } says it, one of ${INDEX_FORMATS.join(", ")}`);
}

/** Header bytes that tell hnswlib's. */
const HNSWLIB_BYTES = 48;

/** Which of these formats an open file is; undefined where it is none. */
export async function indexFormatOf(source: ByteSource): Promise<IndexFormat | undefined> {
  const head = await source.read(0, Math.min(HNSWLIB_BYTES, source.size));
  const text = latin1(head);
  if (text.startsWith("VICINAL\0")) return "vic";
  // Also behind the header of Lucene, as OpenSearch has it.
  if (/^(I[\w]{2}[\w ]|\xc0\x28\x93\xe8)/.test(text)) return "faiss";
  if (head.length === HNSWLIB_BYTES && isHnswlib(viewOf(head))) return "hnswlib";
  if (await isUsearch(source, head)) return "usearch";
  return /\.(ann|annoy|tree)$/i.test(source.name ?? "") ? "annoy" : undefined;
}

/** An offset of 0, and places within an element that follow each other. */
function isHnswlib(view: DataView): boolean {
  const [level0, room, count, elementBytes, labelAt, dataAt] = [0, 8, 16, 24, 32, 40].map((at) => view.getBigUint64(at, true));
  return level0 === 0n && count <= room && dataAt > 0n && dataAt < labelAt && labelAt + 8n === elementBytes;
}

async function isUsearch(source: ByteSource, head: Uint8Array): Promise<boolean> {
  if (head.length < 16) return false;
  const view = viewOf(head);
  const sizes = [
    0,
    8 + view.getUint32(0, true) * view.getUint32(4, true),
    16 + Number(view.getBigUint64(0, true)) * Number(view.getBigUint64(8, true)),
  ];
  for (const at of sizes) {
    if (at + 7 <= source.size && latin1(await source.read(at, at + 7)) === "usearch") return true;
  }
  return false;
}
