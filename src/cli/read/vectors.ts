import { extname } from "node:path";
import { InputError } from "../errors.js";
import { ByteReader } from "./bytes.js";
import type { Chunk } from "./chunk.js";
import { readCsv } from "./csv.js";
import type { CsvOptions } from "./csv-columns.js";
import { F32, U8 } from "./elements.js";
import { readJsonl } from "./jsonl.js";
import { NPY_MARK, readNpy } from "./npy.js";
import { readIvecs, readVecs } from "./vecs.js";

/** What the user says of a file of vectors. */
export interface Reading extends CsvOptions {
  /** One of FORMAT_NAMES; told by the file's name, or else by its first bytes, where it is not said. */
  readonly format?: string;
}

export interface ReadOptions extends Reading {
  /** Bytes of .bvecs and uint8 .npy are eight bits each (hamming), not one value each. */
  readonly packed: boolean;
}

/** A file of vectors being read. */
export interface VectorFile {
  /** Of a pipe nobody knows. */
  readonly fileBytes: number | undefined;
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
  ".tsv": readCsv,
};

export const FORMAT_NAMES = Object.keys(FORMATS).map((extension) => extension.slice(1));

/** The formats as help and errors list them. */
export const FORMAT_LIST = `${Object.keys(FORMATS).join(" ")} (each also .gz)`;

/** Opens a file of vectors, or standard input as "-". Rows are read as `chunks` is iterated. */
export async function openVectors(path: string, options: ReadOptions): Promise<VectorFile> {
  const extension = options.format === undefined ? extensionOf(path) : `.${options.format}`;
  if (extension === ".ivecs") throw new InputError(`${path}: .ivecs holds ids, not vectors (see eval --groundtruth)`);
  if (extension !== "" && FORMATS[extension] === undefined) {
    throw new InputError(`${path}: unknown format "${extension}", expected one of ${FORMAT_LIST}; --format says which it is`);
  }
  const reader = await ByteReader.open(path);
  const read = FORMATS[extension] ?? (await formatOf(reader));
  return {
    fileBytes: reader.fileBytes,
    get fileBytesRead() {
      return reader.fileBytesRead;
    },
    chunks: neverEmpty(reader.path, read(reader, options)),
  };
}

const SNIFFED_BYTES = 256;

/** The format of what has a name without an extension, such as a pipe, by its first bytes. */
async function formatOf(reader: ByteReader): Promise<Read> {
  const head = (await reader.peek(SNIFFED_BYTES)).toString("latin1");
  if (head.startsWith(NPY_MARK)) return FORMATS[".npy"] as Read;
  const text = head.replace(/^\xef\xbb\xbf/, "");
  if (/^\s*[{[]/.test(text)) return FORMATS[".jsonl"] as Read;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: text has none
  if (text === "" || (/\d/.test(text) && !/[\0-\x08\x0e-\x1f]/.test(text))) return FORMATS[".csv"] as Read;
  throw new InputError(
    `${reader.path}: neither its name nor its first bytes tell the format: --format says it, one of ${FORMAT_NAMES.join(" ")}`,
  );
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
  if (![".ivecs", ""].includes(extensionOf(path))) {
    throw new InputError(`${path}: ground truth must be .ivecs or .ivecs.gz`);
  }
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
