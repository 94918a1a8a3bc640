import type { AsyncBuffer, FileMetaData } from "hyparquet";
import type { ByteSource } from "../bytes-of.js";
import { unreadable } from "../imported.js";
import { badId, type Chunk, parseId, RowGatherer } from "./chunk.js";
import { columnsOf, missingPackage } from "./columns.js";
import type { FieldNames } from "./fields.js";

type Hyparquet = typeof import("hyparquet");
type Compressors = Parameters<Hyparquet["parquetReadObjects"]>[0]["compressors"];

/** Rows decoded at a time: a row group may have a million. */
const ROWS = 2048;

/** A .parquet opened: its table of contents is read. */
export interface Parquet {
  readonly total: number;
  readonly columns: readonly string[];
  /** Rows from..to of some columns, or of all. */
  rows(from: number, to: number, columns?: readonly string[]): Promise<Record<string, unknown>[]>;
}

export async function openParquet(path: string, source: ByteSource): Promise<Parquet> {
  const parquet = await import("hyparquet").catch(() => missingPackage(path, ".parquet", "hyparquet"));
  // Codecs beyond snappy, where the package is there.
  const { compressors } = await import("hyparquet-compressors").catch(() => ({ compressors: undefined as Compressors }));
  const file: AsyncBuffer = {
    byteLength: source.size,
    slice: async (from, to = source.size) => {
      const bytes = await source.read(Math.max(from, 0), Math.min(to, source.size));
      return bytes.slice().buffer as ArrayBuffer;
    },
  };
  const metadata = await reading(path, () => parquet.parquetMetadataAsync(file));
  const total = checked(path, metadata, source.size);
  return {
    total,
    columns: metadata.schema
      .slice(1)
      .flatMap(({ name, repetition_type }, i) => (isTop(metadata, i + 1) && repetition_type ? [name] : [])),
    rows: (rowStart, rowEnd, columns) =>
      reading(path, () =>
        parquet.parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd, ...(columns && { columns: [...columns] }) }),
      ),
  };
}

/** Whether element i of the schema, a tree written depth first, is right below its root. */
function isTop({ schema }: FileMetaData, i: number): boolean {
  for (let at = 1; at <= i; at = behind(schema, at)) if (at === i) return true;
  return false;
}

/** Where what follows the element and all below it begins. */
function behind(schema: FileMetaData["schema"], at: number): number {
  let next = at + 1;
  for (let left = schema[at]?.num_children ?? 0; left > 0 && next < schema.length; left--) next = behind(schema, next);
  return next;
}

/** Rows of the file: as many as its groups have, whose columns lie in it. */
function checked(path: string, { num_rows, row_groups }: FileMetaData, bytes: number): number {
  const total = Number(num_rows);
  let rows = 0;
  for (const { num_rows, columns } of row_groups) {
    rows += Number(num_rows);
    for (const { meta_data } of columns) {
      const at = Number(meta_data?.dictionary_page_offset ?? meta_data?.data_page_offset ?? 0);
      const size = Number(meta_data?.total_compressed_size ?? 0);
      if (!(at >= 0 && size >= 0 && at + size <= bytes))
        throw unreadable(`${path}: not a .parquet file that can be read (a column of ${size} bytes at ${at})`);
    }
  }
  if (rows !== total || !Number.isSafeInteger(total) || total < 0) {
    throw unreadable(`${path}: not a .parquet file that can be read (${rows} rows in its groups, ${total} in all)`);
  }
  return total;
}

async function reading<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { message } = error as Error;
    const remedy = message.includes("compression codec") ? ": install the package hyparquet-compressors" : "";
    throw unreadable(`${path}: not a .parquet file that can be read (${message})${remedy}`);
  }
}

/** A column of lists of numbers as vectors, and one of whole numbers as ids where there is one. */
export async function* readParquet(path: string, source: ByteSource, fields: FieldNames): AsyncGenerator<Chunk> {
  const { total, columns, rows } = await openParquet(path, source);
  const { vector, id } = columnsOf(path, columns, fields);
  const gatherer = new RowGatherer();
  for (let from = 0; from < total; from += ROWS) {
    const records = await rows(from, Math.min(from + ROWS, total), id === undefined ? [vector] : [vector, id]);
    if (records.length === 0) throw unreadable(`${path}: no rows from ${from + 1} of ${total} on`);
    for (const [i, record] of records.entries()) {
      const where = `${path}: row ${from + i + 1}`;
      const given = id === undefined ? undefined : record[id];
      const own = parseId(typeof given === "bigint" ? String(given) : given);
      if (id !== undefined && own === undefined) throw unreadable(badId(where, String(given)));
      const chunk = gatherer.push(where, numbersOf(where, vector, record[vector]), own);
      if (chunk) yield { ...chunk, total };
    }
  }
  const last = gatherer.flush();
  if (last) yield { ...last, total };
}

function numbersOf(where: string, column: string, value: unknown): number[] {
  const list = ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
  if (!Array.isArray(list)) throw unreadable(`${where}: "${column}" is no list of numbers`);
  const odd = list.findIndex((one) => typeof one !== "number" && typeof one !== "bigint");
  if (odd >= 0) throw unreadable(`${where}: value ${odd + 1} of "${column}" is ${String(list[odd])}, not a number`);
  // Integers of 64 bits are bigints.
  return typeof list[0] === "bigint" ? list.map(Number) : list;
}
