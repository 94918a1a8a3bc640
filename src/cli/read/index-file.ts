// Index files of vicinal and of others, as commands take them.
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import {
  type Chunk,
  INDEX_FORMATS,
  type Index,
  type IndexFormat,
  indexFormatOf,
  openBytes,
  type ReadIndexOptions,
  readIndex,
} from "../core.js";
import { InputError, UsageError } from "../errors.js";
import { naming } from "../open.js";
import { isVectorName, type VectorFile } from "./vectors.js";

/** What a user says of an index file that others have written. */
export interface IndexReading {
  readonly metric?: ReadIndexOptions["metric"];
  readonly dimensions?: number;
}

export const INDEX_LIST = INDEX_FORMATS.join(" ");
/** Formats that the file's metric has to be given for, and those that take dimensions. */
const ASK_METRIC: readonly IndexFormat[] = ["hnswlib", "annoy"];

/** The format of an index file; undefined of a file of vectors, or of what is no file. `said` by the user. */
export async function indexFormat(path: string, said: string | undefined): Promise<IndexFormat | undefined> {
  if (said !== undefined) return INDEX_FORMATS.find((format) => format === said);
  if (isVectorName(path) || extname(path) === "" || !(await stat(path)).isFile()) return undefined;
  const source = await openBytes(path);
  try {
    return await indexFormatOf(source);
  } finally {
    await source.close();
  }
}

export interface IndexFile {
  readonly index: Index;
  readonly format: string;
  readonly notes: readonly string[];
}

export async function openIndexFile(path: string, format: IndexFormat, { metric, dimensions }: IndexReading): Promise<IndexFile> {
  const asks = ASK_METRIC.includes(format);
  if (asks && metric === undefined) throw new UsageError(`${path}: ${format} files do not say their metric: give --metric`);
  if (format === "annoy" && dimensions === undefined)
    throw new UsageError(`${path}: annoy files do not say their dimensions: give --dimensions`);
  const given = asks ? { metric, ...(dimensions !== undefined && { dimensions }) } : {};
  return naming(path, () => readIndex(path, { format, ...given }));
}

/** Vectors at a time. */
const ROWS = 256;

/** An index's vectors, by their ids. */
export async function* vectorsOf(index: Index): AsyncGenerator<Chunk> {
  const { dimensions, size } = index;
  const ids = index.ids().sort();
  for (let from = 0; from < size; from += ROWS) {
    const some = ids.subarray(from, from + ROWS);
    const vectors = new Float32Array(some.length * dimensions);
    some.forEach((id, i) => {
      const vector = index.get(id);
      if (!vector) throw new InputError("the index keeps codes alone, and no vectors");
      vectors.set(vector, i * dimensions);
    });
    yield { rows: some.length, dimensions, vectors, ids: some, total: size };
  }
}

/** The same as a file of vectors. */
export async function openIndexVectors(path: string, format: IndexFormat, reading: IndexReading): Promise<VectorFile> {
  const { index } = await openIndexFile(path, format, reading);
  return { fileBytes: undefined, fileBytesRead: 0, chunks: vectorsOf(index) };
}
