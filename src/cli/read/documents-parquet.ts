import { stat } from "node:fs/promises";
import { type FieldNames, openBytes, openParquet as openColumns, type Parquet } from "../core.js";
import { InputError } from "../errors.js";
import { type DocumentFile, type DocumentRow, documentOf } from "./document.js";

/** Rows decoded at a time: a row group may have a million. */
const ROWS = 2048;

/** A .parquet file, which has its table of contents at its end: no pipe can be read. */
export async function openParquet(path: string, fields: FieldNames): Promise<DocumentFile> {
  const info = await stat(path);
  if (!info.isFile()) throw new InputError(`${path}: a .parquet must be a file, which is read from its end`);
  const source = await openBytes(path);
  const parquet = await openColumns(path, source).catch(async (error) => {
    await source.close();
    throw error;
  });
  let done = 0;
  const count = (): void => {
    done++;
  };
  return {
    path,
    total: parquet.total,
    get done() {
      return done;
    },
    rows: closing(rowsOf(path, parquet, fields, count), source),
  };
}

async function* closing(rows: AsyncGenerator<DocumentRow>, source: { close(): Promise<void> }): AsyncGenerator<DocumentRow> {
  try {
    yield* rows;
  } finally {
    await source.close();
  }
}

async function* rowsOf(
  path: string,
  { total, rows }: Parquet,
  fields: FieldNames,
  count: () => void,
): AsyncGenerator<DocumentRow> {
  for (let from = 0; from < total; from += ROWS) {
    for (const [i, record] of (await rows(from, Math.min(from + ROWS, total))).entries()) {
      count();
      const where = `${path}: row ${from + i + 1}`;
      yield documentOf(where, plain(where, record) as Record<string, unknown>, fields);
    }
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
