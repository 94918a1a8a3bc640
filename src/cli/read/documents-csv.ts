import type { ByteReader, DocumentId } from "../core.js";
import { type FieldNames, findName, idNames, vectorNames } from "../core.js";
import { InputError } from "../errors.js";
import { rowsOf } from "./csv.js";
import { HEAD_BYTES, parseArray, separatorOf } from "./csv-values.js";
import { type DocumentRow, documentOf } from "./document.js";
import { toNumber } from "./numbers.js";

/** As JSON writes numbers: no zeros in front, which are those of codes and postcodes. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const INTEGER = /^(0|-?[1-9]\d*)$/;

/**
 * Reads rows below a header: a column "vector" or "embedding" that holds a JSON array, one "id", and fields. A cell that is written as a
 * number, true, false, an array or an object of JSON is that, an empty one is left out, and any other is a string.
 */
export async function* readCsvDocuments(reader: ByteReader, fields: FieldNames): AsyncGenerator<DocumentRow> {
  await reader.expectUtf8();
  const { delimiter, from } = separatorOf(await reader.peek(HEAD_BYTES));
  let names: readonly string[] | undefined;
  for await (const { line, cells } of rowsOf(reader, delimiter, from)) {
    if (names === undefined) {
      names = cells;
      const twice = cells.find((name, i) => cells.indexOf(name) < i);
      if (twice !== undefined) throw new InputError(`${reader.path}: the header has two columns "${twice}"`);
      continue;
    }
    const where = `${reader.path}: line ${line}`;
    if (cells.length > names.length) throw new InputError(`${where} has ${cells.length} columns, the header has ${names.length}`);
    const vectorField = findName(names, vectorNames(fields));
    const idField = findName(names, idNames(fields));
    const record = Object.fromEntries(
      names.flatMap((name, i): [string, unknown][] => {
        const cell = cells[i] ?? "";
        if (name === vectorField) return [[name, vectorOf(where, cell)]];
        if (cell === "") return [];
        return [[name, name === idField ? idOf(cell) : contentOf(cell)]];
      }),
    );
    yield documentOf(where, record, fields);
  }
}

function vectorOf(where: string, cell: string): number[] {
  const values = parseArray(where, cell).map(toNumber);
  const odd = values.indexOf(undefined);
  if (odd >= 0) throw new InputError(`${where}, value ${odd + 1} of the vector is not a number`);
  return values as number[];
}

function idOf(cell: string): DocumentId {
  return INTEGER.test(cell) && Number.isSafeInteger(Number(cell)) ? Number(cell) : cell;
}

function contentOf(cell: string): unknown {
  if (cell === "true" || cell === "false") return cell === "true";
  if (NUMBER.test(cell) && Number.isFinite(Number(cell))) return Number(cell);
  if (!/^(\[.*\]|\{.*\})$/s.test(cell)) return cell;
  try {
    return JSON.parse(cell);
  } catch {
    return cell;
  }
}
