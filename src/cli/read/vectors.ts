import { fstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import {
  ByteReader,
  type Chunk,
  chunksOfStream,
  formatOfName,
  latin1,
  NPY_MARK,
  openVectorFile,
  readIvecs,
  STREAMS,
  VECTOR_FORMATS,
  type VectorFormat,
} from "../core.js";
import { InputError } from "../errors.js";
import { readCsv } from "./csv.js";
import type { CsvOptions } from "./csv-columns.js";
import { readJsonl } from "./jsonl.js";

/** What the user says of a file of vectors. */
export interface Reading extends CsvOptions {
  /** One of FORMAT_NAMES; told by the file's name, or else by its first bytes, where it is not said. */
  readonly format?: string;
  /** Of .npz and .hdf5: which array. */
  readonly array?: string;
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

/** Text formats are the command line's own. */
const TEXTS: Record<string, Read> = { jsonl: readJsonl, ndjson: readJsonl, csv: readCsv, tsv: readCsv };
/** Holds ids. */
const LISTS = "ivecs";
const streamed =
  (format: VectorFormat): Read =>
  (reader, options) =>
    chunksOfStream(reader, format, options.packed, options);
const isStreamed = (format: VectorFormat): boolean => (STREAMS as readonly string[]).includes(format);
/** Out of a pipe; a file of it is read at any place. */
const PIPED = "arrow";

const BINARIES = VECTOR_FORMATS.filter((format) => format !== LISTS);
export const FORMAT_NAMES = [...BINARIES, ...Object.keys(TEXTS)];

/** The formats as help and errors list them. */
export const FORMAT_LIST = (() => {
  const dotted = (formats: readonly string[]): string => formats.map((format) => `.${format}`).join(" ");
  return `${dotted([...BINARIES.filter(isStreamed), ...Object.keys(TEXTS)])} (each also .gz) ${dotted(BINARIES.filter((format) => !isStreamed(format)))}`;
})();

const STDIN = ["-", "/dev/stdin"];

/** A file, or standard input as "-"; as a path the latter fails where another program made it a socket. */
export async function openReader(path: string): Promise<ByteReader> {
  if (!STDIN.includes(path)) return ByteReader.open(path);
  const info = fstatSync(0);
  return ByteReader.of("standard input", info.isFile() ? info.size : undefined, process.stdin);
}

/** Opens a file of vectors, or standard input as "-". Rows are read as `chunks` is iterated. */
export async function openVectors(path: string, options: ReadOptions): Promise<VectorFile> {
  const extension = extensionOf(path).slice(1);
  const format = options.format ?? (extension in TEXTS ? extension : formatOfName(path));
  if (format === LISTS) throw new InputError(`${path}: .ivecs holds ids, not vectors (see eval --groundtruth)`);
  if (format === undefined && extension !== "") {
    throw new InputError(`${path}: unknown format ".${extension}", expected one of ${FORMAT_LIST}; --format says which it is`);
  }
  const isFile = format !== undefined && !(format in TEXTS) && !isStreamed(format as VectorFormat);
  if (isFile && !(format === PIPED && STDIN.includes(path))) return openPlaces(path, format as VectorFormat, options);
  const reader = await openReader(path);
  const read = format === undefined ? await formatOf(reader) : (TEXTS[format] ?? streamed(format as VectorFormat));
  return {
    fileBytes: reader.fileBytes,
    get fileBytesRead() {
      return reader.fileBytesRead;
    },
    chunks: neverEmpty(reader.path, read(reader, options)),
  };
}

/** Whether a name says one of these formats. */
export function isVectorName(path: string): boolean {
  return extensionOf(path).slice(1) in TEXTS || formatOfName(path) !== undefined;
}

/** A file that is read at any place. */
async function openPlaces(path: string, format: VectorFormat, options: ReadOptions): Promise<VectorFile> {
  if (STDIN.includes(path)) throw new InputError(`a .${format} must be a file, which is not read front to back`);
  const { packed, array, idField, vectorField } = options;
  const { size } = await stat(path);
  const file = await openVectorFile(path, { format, packed, array, idField, vectorField });
  let rows = 0;
  const chunks = async function* (): AsyncGenerator<Chunk> {
    for await (const chunk of file) {
      rows += chunk.rows;
      yield chunk;
    }
  };
  return {
    fileBytes: size,
    get fileBytesRead() {
      return file.total === undefined ? 0 : Math.floor((size * rows) / file.total);
    },
    chunks: chunks(),
  };
}

const SNIFFED_BYTES = 256;

/** The format of what has a name without an extension, such as a pipe, by its first bytes. */
async function formatOf(reader: ByteReader): Promise<Read> {
  const head = latin1(await reader.peek(SNIFFED_BYTES));
  if (head.startsWith(NPY_MARK)) return streamed("npy");
  const text = head.replace(/^\xef\xbb\xbf/, "");
  if (/^\s*[{[]/.test(text)) return readJsonl;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: text has none
  if (text === "" || (/\d/.test(text) && !/[\0-\x08\x0e-\x1f]/.test(text))) return readCsv;
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
  return readIvecs(await openReader(path));
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
