// What rows of a .csv hold, wherever they come from: nothing of node is used here.

import { badId, type Chunk, parseId, RowGatherer } from "../../interop/read/chunk.js";
import { InputError } from "../errors.js";
import { type Columns, type CsvOptions, columnsOf, type Row } from "./csv-columns.js";
import { localNumbers, toNumber } from "./numbers.js";

/** The first line tells the separator; of a longer one this much. */
export const HEAD_BYTES = 64 * 1024;

type ToNumber = (cell: unknown) => number | undefined;

/** For csv-parse. */
export const PARSING = {
  bom: true,
  info: true,
  relax_column_count: true,
  skip_empty_lines: true,
  trim: true,
} as const;

/** What csv-parse gives with these options. */
export interface Parsed {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/** The values of rows. */
export async function* valuesOf(
  path: string,
  rows: AsyncIterable<Row>,
  delimiter: string,
  options: CsvOptions,
): AsyncGenerator<Chunk> {
  // Where a comma parts the cells, it parts no number.
  const read = delimiter === "," ? toNumber : localNumbers();
  const gatherer = new RowGatherer();
  let columns: Columns | undefined;
  for await (const [row, next] of pairs(rows)) {
    if (columns === undefined) {
      columns = columnsOf(path, row, next, options);
      if (columns.names !== undefined) continue;
    }
    const where = `${path}: line ${row.line}`;
    const { id, values } = readRow(where, row.cells, columns, read);
    const chunk = gatherer.push(where, values, id);
    if (chunk !== undefined) yield chunk;
  }
  const last = gatherer.flush();
  if (last !== undefined) yield last;
}

/** What parts the cells, and the first line that has some: Excel takes a separator from a line "sep=;". */
export function separatorOf(head: Uint8Array): { delimiter: string; from: number } {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(head).replace(/^\uFEFF/, "");
  const said = /^"?sep=(.)"?\r?\n/i.exec(text)?.[1];
  if (said !== undefined) return { delimiter: said, from: 2 };
  const [line = ""] = /[^\r\n]+/.exec(text) ?? [];
  const outside = line.replace(/"[^"]*"|\[[^\]]*\]/g, "");
  return { delimiter: ["\t", ";"].find((one) => outside.includes(one)) ?? ",", from: 1 };
}

/** The rows, without the empty cells behind the first row's last and without the rows of empty cells behind the last. */
export async function* rowsFrom(path: string, parsed: AsyncIterable<Parsed> | Iterable<Parsed>): AsyncGenerator<Row> {
  let width = 0;
  let empty: number | undefined;
  for await (const { record, info } of parsed) {
    let length = record.length;
    while (length > width && record[length - 1] === "") length--;
    if (record.every((cell) => cell === "")) {
      empty ??= info.lines;
      continue;
    }
    if (empty !== undefined) throw new InputError(`${path}: line ${empty} has no values, and rows follow it`);
    width ||= length;
    yield { line: info.lines, cells: record.slice(0, length) };
  }
}

/** Every row with the next. */
async function* pairs(rows: AsyncIterable<Row>): AsyncGenerator<[row: Row, next: Row | undefined]> {
  let waiting: Row | undefined;
  for await (const row of rows) {
    if (waiting !== undefined) yield [waiting, row];
    waiting = row;
  }
  if (waiting !== undefined) yield [waiting, undefined];
}

function readRow(where: string, cells: readonly string[], columns: Columns, read: ToNumber) {
  const { names } = columns;
  if (names !== undefined && cells.length !== names.length) {
    throw new InputError(`${where} has ${cells.length} columns, the header has ${names.length}`);
  }
  if (names === undefined && cells.length !== columns.values.length) {
    throw new InputError(`${where} has ${cells.length} values, the first row has ${columns.values.length}`);
  }
  const spelling = cells[columns.id];
  const id = parseId(spelling);
  if (columns.id >= 0 && id === undefined) throw new InputError(badId(where, spelling));
  const isArray = columns.vector >= 0;
  const values = isArray ? parseArray(where, cells[columns.vector] as string) : columns.values.map((i) => cells[i]);
  const numbers = values.map(isArray ? toNumber : read);
  const odd = numbers.indexOf(undefined);
  if (odd >= 0) {
    const name = isArray ? undefined : names?.[columns.values[odd] as number];
    const place = name === undefined ? `value ${odd + 1}` : `column "${name}"`;
    throw new InputError(`${where}, ${place} is ${JSON.stringify(values[odd])}, not a number`);
  }
  return { id, values: numbers as number[] };
}

export function parseArray(where: string, cell: string): string[] {
  const inside = /^\[(.*)\]$/s.exec(cell)?.[1];
  if (inside === undefined)
    throw new InputError(`${where}: ${JSON.stringify(cell.slice(0, 40))} is not an array like [0.1, 0.2]`);
  const parts = inside.split(/\s*,\s*|\s+/).filter((part) => part !== "");
  if (parts.includes("...")) {
    throw new InputError(`${where}: numpy left out values of the array, "...": write vector.tolist()`);
  }
  return parts;
}
