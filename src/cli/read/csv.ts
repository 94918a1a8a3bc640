import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import type { ByteReader, Chunk } from "../core.js";
import { InputError } from "../errors.js";
import type { CsvOptions, Row } from "./csv-columns.js";
import { HEAD_BYTES, PARSING, type Parsed, rowsFrom, separatorOf, valuesOf } from "./csv-values.js";

/**
 * Reads rows with commas, semicolons or tabs between their cells. With a header: a column "id", and either one column
 * "vector" or "embedding" that holds a JSON array, or one value in each other column. Without: every column is a value.
 */
export async function* readCsv(reader: ByteReader, options: CsvOptions): AsyncGenerator<Chunk> {
  await reader.expectUtf8();
  const { delimiter, from } = separatorOf(await reader.peek(HEAD_BYTES));
  yield* valuesOf(reader.path, rowsOf(reader, delimiter, from), delimiter, options);
}

export async function* rowsOf(reader: ByteReader, delimiter: string, from: number): AsyncGenerator<Row> {
  const parser = parse({ ...PARSING, delimiter, from_line: from });
  // An error of the file reaches this loop through `parser`; the callback only keeps it from being "unhandled".
  pipeline(Readable.from(reader.pieces()), parser, () => {});
  try {
    yield* rowsFrom(reader.path, parser as AsyncIterable<Parsed>);
  } catch (error) {
    throw error instanceof CsvError ? new InputError(`${reader.path}: ${error.message}`) : error;
  }
}
