import { stat } from "node:fs/promises";
import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { InputError } from "../errors.js";
import { type DocumentFile, type DocumentRow, documentOf } from "./document.js";
import type { Fields } from "./fields.js";

/** Rows decoded at a time: a row group may have a million. */
const ROWS = 2048;

type Hyparquet = typeof import("hyparquet");

/** A .parquet file, which has its table of contents at its end: no pipe can be read. */
export async function openParquet(path: string, fields: Fields): Promise<DocumentFile> {
  const info = await stat(path);
  if (!info.isFile()) throw new InputError(`${path}: a .parquet must be a file, which is read from its end`);
  const parquet = await import("hyparquet").catch(() => {
    throw new InputError(`${path}: to read .parquet, install the package hyparquet: npm install hyparquet`);
  });
  const file = await parquet.asyncBufferFromFile(path);
  const metadata = await reading(path, () => parquet.parquetMetadataAsync(file));
  const total = Number(metadata.num_rows);
  let done = 0;
  const count = (): void => {
    done++;
  };
  return {
    path,
    total,
    get done() {
      return done;
    },
    rows: rowsOf(path, parquet, file, metadata, fields, count),
  };
}

async function* rowsOf(
  path: string,
  parquet: Hyparquet,
  file: AsyncBuffer,
  metadata: FileMetaData,
  fields: Fields,
  count: () => void,
): AsyncGenerator<DocumentRow> {
  // Codecs beyond snappy, where the package is there.
  const { compressors } = await import("hyparquet-compressors").catch(() => ({ compressors: undefined }));
  const total = Number(metadata.num_rows);
  for (let from = 0; from < total; from += ROWS) {
    const range = { rowStart: from, rowEnd: Math.min(from + ROWS, total) };
    const records = await reading(path, () => parquet.parquetReadObjects({ file, metadata, compressors, ...range }));
    for (const [i, record] of records.entries()) {
      count();
      const where = `${path}: row ${from + i + 1}`;
      yield documentOf(where, plain(where, record) as Record<string, unknown>, fields);
    }
  }
}

async function reading<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { message } = error as Error;
    const remedy = message.includes("compression codec") ? ": install the package hyparquet-compressors" : "";
    throw new InputError(`${path}: not a .parquet file that can be read (${message})${remedy}`);
  }
}

/** Values of JSON: integers of 64 bits are numbers where these can hold them. */
function plain(where: string, value: unknown): unknown {
  if (typeof value === "bigint") {
    if (Number.isSafeInteger(Number(value))) return Number(value);
    throw new InputError(`${where} has the integer ${value}, which a number cannot hold exactly: write it as a string`);
  }
  if (value instanceof Uint8Array) throw new InputError(`${where} has a column of bytes, which JSON has not`);
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
  if (Array.isArray(value)) return value.map((element) => plain(where, element));
  if (value === null || typeof value !== "object" || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(where, member)]));
}
