// Files of vectors, whatever their format, a chunk at a time.
import { badOption } from "../../words/errors.js";
import { flag, known, oneOf } from "../../words/options.js";
import { type ByteSource, type FileLike, openBytes, piecesOf } from "../bytes-of.js";
import { badFile, unreadable } from "../imported.js";
import { ARROW_MARK, readArrow, readArrowFile } from "./arrow.js";
import { ByteReader, latin1 } from "./bytes.js";
import type { Chunk } from "./chunk.js";
import { F32, I32, U8 } from "./elements.js";
import type { FieldNames } from "./fields.js";
import { HDF5_MARK, readHdf5 } from "./hdf5.js";
import { NPY_MARK, readNpy } from "./npy.js";
import { readParquet } from "./parquet.js";
import { readVecs } from "./vecs.js";
import { entryBytes, type ZipEntry, zipEntries } from "./zip.js";

/** Formats that are read front to back, and can come out of a pipe or be gzip; and those that are read at any place where they are files. */
export const STREAMS = ["npy", "fvecs", "bvecs", "ivecs"] as const;
const PLACES = ["arrow", "npz", "hdf5", "parquet"] as const;
export const VECTOR_FORMATS = [...STREAMS, ...PLACES] as const;
export type VectorFormat = (typeof VECTOR_FORMATS)[number];

export interface VectorOptions extends FieldNames {
  /** Default: by the file's name, else by its first bytes, which .fvecs, .bvecs and .ivecs have nothing to tell by. */
  format?: VectorFormat;
  /** Of .npz and .hdf5: which array. Default: the only one, or of several "train", "vectors", "embeddings" or "arr_0", whichever is there first. */
  array?: string;
  /** For metric hamming: bytes of .bvecs and of uint8 .npy and .npz are eight bits each, lowest first. Default false: a value each. */
  packed?: boolean;
  /** Of Parquet and Arrow: the column of vectors. Default "vector" or "embedding". */
  vectorField?: string;
  /** Of Parquet and Arrow: the column of ids. Default "id", where there is one. */
  idField?: string;
}

/** A file of vectors being read, once: by its chunks, or by rows(). */
export interface VectorFile extends AsyncIterable<Chunk> {
  readonly format: VectorFormat;
  readonly dimensions: number;
  /** Rows of the whole file, where its format or length tells. */
  readonly total: number | undefined;
  /** The chunks' vectors alone, as addAll takes them. */
  rows(): AsyncGenerator<Float32Array | Uint8Array>;
  /** Gives the file back unread; reading to the end, or leaving the loop, does so too. */
  close(): Promise<void>;
}

const OPTIONS = ["format", "array", "packed", "vectorField", "idField"];

/** By what names end in. */
const EXTENSIONS: Readonly<Record<string, VectorFormat>> = {
  ...{ npy: "npy", npz: "npz", fvecs: "fvecs", bvecs: "bvecs", ivecs: "ivecs", parquet: "parquet" },
  ...{ h5: "hdf5", hdf5: "hdf5", arrow: "arrow", arrows: "arrow", feather: "arrow", ipc: "arrow" },
};
/** By what files begin with, in Latin-1; the last is a stream of Arrow's. */
const MARKS: readonly (readonly [mark: string, format: VectorFormat])[] = [
  [NPY_MARK, "npy"],
  ["PK\x03\x04", "npz"],
  [HDF5_MARK, "hdf5"],
  ["PAR1", "parquet"],
  [ARROW_MARK, "arrow"],
  ["\xff\xff\xff\xff", "arrow"],
];
const SNIFFED_BYTES = 8;

async function beginOf(source: ByteSource): Promise<string> {
  return latin1(await source.read(0, Math.min(SNIFFED_BYTES, source.size)));
}

/** The format that a name says, without .gz; undefined where it says none. */
export function formatOfName(name: string | undefined): VectorFormat | undefined {
  const extension = /\.(\w+)$/.exec((name ?? "").replace(/[?#].*$/, "").replace(/\.gz$/i, ""))?.[1];
  return extension === undefined ? undefined : EXTENSIONS[extension.toLowerCase()];
}

function formatOfBytes(head: string): VectorFormat | undefined {
  return MARKS.find(([mark]) => head.startsWith(mark))?.[1];
}

/**
 * Opens a file of vectors. Rows are read as it is iterated, about a megabyte at a time: of .npy, .fvecs, .bvecs and .ivecs, each also gzip, as
 * they come, from a URL too; of .npz, Parquet (hyparquet), Arrow IPC (apache-arrow, a batch as a whole) where they lie, what is fetched in memory; of
 * .hdf5 (h5wasm) from a path, while from elsewhere all of it is in memory.
 * A .ivecs is read as vectors of its numbers. Errors: BAD_OPTION, BAD_FILE; those of the file system.
 */
export async function openVectors(file: FileLike, options: VectorOptions = {}): Promise<VectorFile> {
  known("openVectors", options, OPTIONS);
  const said = options.format === undefined ? undefined : oneOf("format", options.format, VECTOR_FORMATS);
  const packed = flag("packed", options.packed);
  const named =
    said ?? formatOfName(typeof file === "string" || file instanceof URL ? String(file) : (file as { name?: string })?.name);
  if (named !== undefined && (STREAMS as readonly string[]).includes(named)) {
    return begun(named, chunksOfOwn(await ByteReader.open(file), named, packed, options));
  }
  const source = await openBytes(file);
  try {
    const format = named ?? formatOfBytes(await beginOf(source));
    if (format === undefined) {
      throw badOption(
        `neither its name nor its first bytes tell the file's format: { format } says it, one of ${VECTOR_FORMATS.join(", ")}`,
      );
    }
    return await begun(format, chunksOf(source, format, packed, options));
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function* chunksOfOwn(
  reader: ByteReader,
  format: VectorFormat,
  packed: boolean,
  fields: FieldNames,
): AsyncGenerator<Chunk> {
  try {
    yield* chunksOfStream(reader, format, packed, fields);
  } finally {
    await reader.close();
  }
}

/** The same of what is read front to back already, as from a pipe, and stays open. */
export function chunksOfStream(
  reader: ByteReader,
  format: VectorFormat,
  packed: boolean,
  fields: FieldNames,
): AsyncGenerator<Chunk> {
  if (format === "npy") return readNpy(reader, packed);
  if (format === "fvecs") return readVecs(reader, F32, false);
  if (format === "bvecs") return readVecs(reader, U8, packed);
  if (format === "ivecs") return readVecs(reader, I32, false);
  return readArrow(reader, fields);
}

async function* chunksOf(
  source: ByteSource,
  format: VectorFormat,
  packed: boolean,
  options: VectorOptions,
): AsyncGenerator<Chunk> {
  const name = source.name ?? "the file";
  try {
    if (format === "parquet") yield* readParquet(name, source, options);
    else if (format === "arrow" && (await beginOf(source)).startsWith(ARROW_MARK)) yield* readArrowFile(name, source, options);
    else if (format === "hdf5") yield* readHdf5(name, source, options.array);
    else if (format === "npz") yield* readNpz(name, source, packed, options.array);
    else yield* chunksOfStream(await ByteReader.of(name, source.size, piecesOf(source, 0, source.size)), format, packed, options);
  } finally {
    await source.close();
  }
}

/** Of several arrays, those that are likely to hold the vectors. */
const LIKELY = ["train", "vectors", "embeddings", "arr_0"];

async function* readNpz(name: string, source: ByteSource, packed: boolean, array: string | undefined): AsyncGenerator<Chunk> {
  const entries = await zipEntries(source);
  const entry = entryOf(entries, array);
  yield* readNpy(await ByteReader.of(`${name}: ${entry.name}`, undefined, entryBytes(source, entry)), packed);
}

function entryOf(entries: readonly ZipEntry[], array: string | undefined): ZipEntry {
  const names = entries.map(({ name }) => name.replace(/\.npy$/, ""));
  const wanted = array ?? (names.length === 1 ? names[0] : LIKELY.find((name) => names.includes(name)));
  const entry = wanted === undefined ? undefined : entries[names.indexOf(wanted)];
  if (entry) return entry;
  if (names.length === 0) throw badFile(".npz", "there is no array in it");
  throw badOption(
    `${wanted === undefined ? "which array holds the vectors?" : `there is no array "${wanted}":`} { array } is one of ${names.slice(0, 16).join(", ")}`,
  );
}

/** Reads the first chunk, which tells what is to come. */
async function begun(format: VectorFormat, chunks: AsyncGenerator<Chunk>): Promise<VectorFile> {
  const first = await chunks.next();
  if (first.done) throw unreadable("the file holds no vectors");
  async function* all(): AsyncGenerator<Chunk> {
    try {
      yield first.value;
      yield* chunks;
    } finally {
      await chunks.return(undefined);
    }
  }
  const whole = all();
  return {
    format,
    dimensions: first.value.dimensions,
    total: first.value.total,
    [Symbol.asyncIterator]: () => whole,
    close: async () => void (await chunks.return(undefined)),
    async *rows() {
      for await (const { vectors } of whole) yield vectors;
    },
  };
}
