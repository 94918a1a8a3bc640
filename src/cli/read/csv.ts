import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { InputError } from "../errors.js";
import type { ByteReader } from "./bytes.js";
import { badId, type Chunk, parseId, RowGatherer } from "./chunk.js";
import { type Fields, ID_FIELD, VECTOR_FIELDS } from "./fields.js";

/** Where the id and the values of a row lie. */
interface Columns {
  readonly names: readonly string[] | undefined;
  readonly id: number;
  /** The column holding the whole vector as a JSON array, or -1: every column but the id holds one value. */
  readonly vector: number;
}

/**
 * Reads comma-separated rows. With a header: a column "id", and either one column "vector" or "embedding" that holds a
 * JSON array, or one value in each other column. Without: every column is a value.
 */
export async function* readCsv(reader: ByteReader, fields: Fields): AsyncGenerator<Chunk> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true });
  // An error of the file reaches this loop through `parser`; the callback only keeps it from being "unhandled".
  pipeline(Readable.from(reader.pieces()), parser, () => {});
  const gatherer = new RowGatherer();
  let columns: Columns | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const where = `${reader.path}: line ${info.lines}`;
      if (columns === undefined) {
        columns = layout(reader.path, record, fields);
        if (columns.names !== undefined) continue;
      }
      const { id, values } = readRecord(where, record, columns);
      const chunk = gatherer.push(where, values, id);
      if (chunk !== undefined) yield chunk;
    }
  } catch (error) {
    throw error instanceof CsvError ? new InputError(`${reader.path}: ${error.message}`) : error;
  }
  const last = gatherer.flush();
  if (last !== undefined) yield last;
}

/** The first row is a header when any of its cells is not a number. */
function layout(path: string, cells: readonly string[], { idField, vectorField }: Fields): Columns {
  if (cells.every((cell) => toNumber(cell) !== undefined)) {
    if (idField !== undefined || vectorField !== undefined) {
      throw new InputError(`${path}: the first line is no header, so no column is named "${idField ?? vectorField}"`);
    }
    return { names: undefined, id: -1, vector: -1 };
  }
  for (const name of [idField, vectorField]) {
    if (name !== undefined && !cells.includes(name)) {
      throw new InputError(`${path}: no column "${name}" (the header has ${cells.slice(0, 8).join(", ")})`);
    }
  }
  const vectorNames = vectorField === undefined ? VECTOR_FIELDS : [vectorField];
  return {
    names: cells,
    id: cells.indexOf(idField ?? ID_FIELD),
    vector: cells.findIndex((cell) => vectorNames.includes(cell)),
  };
}

function readRecord(where: string, cells: readonly string[], { names, id: idColumn, vector }: Columns) {
  if (names !== undefined && cells.length !== names.length) {
    throw new InputError(`${where} has ${cells.length} columns, the header has ${names.length}`);
  }
  const spelling = cells[idColumn];
  const id = parseId(spelling);
  if (idColumn >= 0 && id === undefined) throw new InputError(badId(where, spelling));
  const values = vector >= 0 ? parseArray(where, cells[vector] as string) : cells.filter((_, i) => i !== idColumn);
  const numbers = values.map(toNumber);
  const odd = numbers.indexOf(undefined);
  if (odd >= 0) {
    const column = vector >= 0 ? undefined : names?.filter((_, i) => i !== idColumn)[odd];
    const place = column === undefined ? `value ${odd + 1}` : `column "${column}"`;
    throw new InputError(`${where}, ${place} is ${JSON.stringify(values[odd])}, not a number`);
  }
  return { id, values: numbers as number[] };
}

function parseArray(where: string, cell: string): unknown[] {
  const inside = /^\[(.*)\]$/s.exec(cell)?.[1];
  if (inside === undefined)
    throw new InputError(`${where}: ${JSON.stringify(cell.slice(0, 40))} is not an array like [0.1, 0.2]`);
  return inside.split(/\s*,\s*|\s+/).filter((part) => part !== "");
}

function toNumber(cell: unknown): number | undefined {
  if (typeof cell !== "string" || cell === "") return undefined;
  const value = Number(cell);
  return Number.isNaN(value) && cell.toLowerCase() !== "nan" ? undefined : value;
}
