// Arrow IPC, streams and files: a file is a stream between a mark at its front and a footer that says where the batches are
// (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format). Files that apache-arrow writes have their schema in the footer alone.
import type { DataType, RecordBatch, Vector } from "apache-arrow";
import { VicinalError } from "../../words/errors.js";
import type { ByteSource } from "../bytes-of.js";
import { unreadable } from "../imported.js";
import { checkedStream, checkFile } from "./arrow-check.js";
import { type ByteReader, latin1 } from "./bytes.js";
import { badId, type Chunk, MAX_DIMENSIONS, notFinite, parseId, rowsPerChunk } from "./chunk.js";
import { columnsOf, missingPackage } from "./columns.js";
import type { FieldNames } from "./fields.js";

export const ARROW_MARK = "ARROW1";
/** The mark and what fills it up. */
const MARK_BYTES = 8;

type Arrow = typeof import("apache-arrow");

/** What of a FileHandle of node:fs apache-arrow reads files by; it takes what has a number as `fd` for one. */
interface Handle {
  readonly fd: number;
  stat(): Promise<{ size: number }>;
  read(into: Uint8Array, at: number, length: number, position: number): Promise<{ bytesRead: number; buffer: Uint8Array }>;
  close(): Promise<void>;
}

function handleOf(source: ByteSource): Handle {
  return {
    fd: -1,
    stat: async () => ({ size: source.size }),
    read: async (buffer, at, length, position) => {
      // Where nothing is to be had it would ask for ever.
      if (!(position >= 0 && position < source.size)) throw new Error(`it ends at byte ${source.size}`);
      const bytes = await source.read(position, Math.min(position + length, source.size));
      buffer.set(bytes, at);
      return { bytesRead: bytes.length, buffer };
    },
    close: async () => {},
  };
}

async function packageFor(path: string): Promise<Arrow> {
  return import("apache-arrow").catch(() => missingPackage(path, "Arrow IPC", "apache-arrow"));
}

/** Rows of a column of FixedSizeList, List or LargeList of numbers, and ids of one of whole numbers where there is one: of a stream, or what begins as one. */
export async function* readArrow(reader: ByteReader, fields: FieldNames): AsyncGenerator<Chunk> {
  const { path } = reader;
  const arrow = await packageFor(path);
  if (latin1(await reader.peek(ARROW_MARK.length)) === ARROW_MARK) await reader.take(MARK_BYTES);
  yield* chunksOf(path, arrow, checkedStream(reader), fields);
}

/** The same of a file, by its footer. */
export async function* readArrowFile(path: string, source: ByteSource, fields: FieldNames): AsyncGenerator<Chunk> {
  await checkFile(path, source);
  yield* chunksOf(path, await packageFor(path), handleOf(source), fields);
}

async function* chunksOf(
  path: string,
  arrow: Arrow,
  from: AsyncIterable<Uint8Array> | Handle,
  fields: FieldNames,
): AsyncGenerator<Chunk> {
  let first = 0;
  let width: number | undefined;
  try {
    const batches = await arrow.RecordBatchReader.from(from as AsyncIterable<Uint8Array>);
    for await (const batch of batches) {
      for (const chunk of rowsOf(path, arrow, batch, fields, first, width)) {
        width = chunk.dimensions;
        yield chunk;
      }
      first += batch.numRows;
    }
  } catch (error) {
    if (error instanceof VicinalError) throw error;
    throw unreadable(`${path}: not an Arrow file that can be read (${(error as Error).message})`);
  }
}

/** A batch's rows, of as many values as those of the batches before have, where there are such. */
function* rowsOf(
  path: string,
  arrow: Arrow,
  batch: RecordBatch,
  fields: FieldNames,
  first: number,
  before: number | undefined,
): Generator<Chunk> {
  const names = batch.schema.fields.map(({ name }) => name);
  const { vector, id } = columnsOf(path, names, fields);
  const column = batch.getChild(vector) as Vector;
  const ids = id === undefined ? undefined : (batch.getChild(id) as Vector);
  const own = widthOf(path, arrow, column, vector, first);
  if (batch.numRows === 0) return;
  const width = before ?? own;
  const rows = rowsPerChunk(width);
  for (let from = 0; from < batch.numRows; from += rows) {
    const count = Math.min(rows, batch.numRows - from);
    const vectors = new Float32Array(count * width);
    const numbers = ids && new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const where = `${path}: row ${first + from + i + 1}`;
      copyRow(where, column.get(from + i), vectors, i * width, width);
      if (numbers) numbers[i] = idIn(where, (ids as Vector).get(from + i));
    }
    yield { rows: count, dimensions: width, vectors, ...(numbers && { ids: numbers }) };
  }
}

/** Values of a row: of the type, or of lists of any length of the first. */
function widthOf(path: string, arrow: Arrow, column: Vector, name: string, first: number): number {
  const { DataType } = arrow;
  const type = column.type as DataType;
  // Older versions of apache-arrow have no large lists.
  const isList = DataType.isFixedSizeList(type) || DataType.isList(type) || DataType.isLargeList?.(type);
  const inner = isList ? (type.children?.[0]?.type as DataType | undefined) : undefined;
  if (!inner || !(DataType.isFloat(inner) || DataType.isInt(inner))) {
    throw unreadable(`${path}: column "${name}" is ${type}, not a FixedSizeList, List or LargeList of numbers`);
  }
  if (column.length === 0) return 0;
  const row = column.get(0);
  if (row === null) throw unreadable(`${path}: row ${first + 1} is null`);
  const width = row.length;
  if (!(width >= 1 && width <= MAX_DIMENSIONS)) throw unreadable(`${path}: column "${name}" has rows of ${width} values`);
  return width;
}

function copyRow(where: string, row: Vector | null, into: Float32Array, at: number, width: number): void {
  if (row === null) throw unreadable(`${where} is null`);
  if (row.length !== width) throw unreadable(`${where} has ${row.length} values, the first row has ${width}`);
  for (let i = 0; i < width; i++) {
    const value = row.get(i);
    if (typeof value !== "number" && typeof value !== "bigint")
      throw unreadable(`${where}, value ${i + 1} is ${value}, not a number`);
    into[at + i] = Number(value);
    if (!Number.isFinite(into[at + i])) throw unreadable(notFinite(where, i, Number(value)));
  }
}

function idIn(where: string, given: unknown): number {
  const id = parseId(typeof given === "bigint" ? String(given) : given);
  if (id === undefined) throw unreadable(badId(where, String(given)));
  return id;
}
