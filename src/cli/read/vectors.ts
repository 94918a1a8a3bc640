import { extname } from "node:path";
import { InputError } from "../errors.js";
import { ByteReader } from "./bytes.js";
import type { Chunk } from "./chunk.js";
import { readCsv } from "./csv.js";
import { F32, U8 } from "./elements.js";
import type { Fields } from "./fields.js";
import { readJsonl } from "./jsonl.js";
import { readNpy } from "./npy.js";
import { readIvecs, readVecs } from "./vecs.js";

export interface ReadOptions extends Fields {
  /** Bytes of .bvecs and uint8 .npy are eight bits each (hamming), not one value each. */
  readonly packed: boolean;
}

/** A file of vectors being read. */
export interface VectorFile {
  readonly fileBytes: number;
  readonly fileBytesRead: number;
  readonly chunks: AsyncGenerator<Chunk>;
}

type Read = (reader: ByteReader, options: ReadOptions) => AsyncGenerator<Chunk>;

const FORMATS: Record<string, Read> = {
  ".fvecs": (reader) => readVecs(reader, F32, false),
  ".bvecs": (reader, { packed }) => readVecs(reader, U8, packed),
  ".npy": (reader, { packed }) => readNpy(reader, packed),
  ".jsonl": readJsonl,
  ".ndjson": readJsonl,
  ".csv": readCsv,
};

/** The formats as help and errors list them. */
export const FORMAT_LIST = `${Object.keys(FORMATS).join(" ")} (each also .gz)`;

/** Opens a file of vectors by its extension. Rows are read as `chunks` is iterated. */
export async function openVectors(path: string, options: ReadOptions): Promise<VectorFile> {
  const extension = extensionOf(path);
  const read = FORMATS[extension];
  if (extension === ".ivecs") throw new InputError(`${path}: .ivecs holds ids, not vectors (see eval --groundtruth)`);
  if (read === undefined) throw new InputError(`${path}: unknown format "${extension}", expected one of ${FORMAT_LIST}`);
  const reader = await ByteReader.open(path);
  return {
    fileBytes: reader.fileBytes,
    get fileBytesRead() {
      return reader.fileBytesRead;
    },
    chunks: neverEmpty(path, read(reader, options)),
  };
}

/** The rows of a file that fits in memory, such as one of queries. */
export interface Rows {
  readonly dimensions: number;
  readonly vectors: (Float32Array | Uint8Array)[];
  /** The file's own ids, or 0, 1, 2... */
  readonly ids: number[];
}

/** Reads a file of vectors whole. */
export async function readRows(path: string, options: ReadOptions): Promise<Rows> {
  const file = await openVectors(path, options);
  const chunks: Chunk[] = [];
  for await (const chunk of file.chunks) chunks.push(chunk);
  return rowsOf(chunks);
}

/** The rows of some chunks of a file, one at least. */
export function rowsOf(chunks: readonly Chunk[]): Rows {
  const vectors: Rows["vectors"] = [];
  const ids: number[] = [];
  for (const chunk of chunks) {
    const stride = chunk.vectors.length / chunk.rows;
    for (let row = 0; row < chunk.rows; row++) {
      ids.push(chunk.ids?.[row] ?? vectors.length);
      vectors.push(chunk.vectors.subarray(row * stride, (row + 1) * stride));
    }
  }
  return { dimensions: (chunks[0] as Chunk).dimensions, vectors, ids };
}

/** Reads a ground-truth file: the true neighbours of each query, nearest first. */
export async function readGroundTruth(path: string): Promise<Uint32Array[]> {
  if (extensionOf(path) !== ".ivecs") throw new InputError(`${path}: ground truth must be .ivecs or .ivecs.gz`);
  return readIvecs(await ByteReader.open(path));
}

function extensionOf(path: string): string {
  return extname(path.replace(/\.gz$/i, "")).toLowerCase();
}

async function* neverEmpty(path: string, chunks: AsyncGenerator<Chunk>): AsyncGenerator<Chunk> {
  let rows = 0;
  for await (const chunk of chunks) {
    rows += chunk.rows;
    yield chunk;
  }
  if (rows === 0) throw new InputError(`${path}: holds no vectors`);
}
