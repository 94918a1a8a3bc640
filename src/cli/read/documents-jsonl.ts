import type { ByteReader, FieldNames } from "../core.js";
import { InputError } from "../errors.js";
import { type DocumentRow, documentOf } from "./document.js";
import { brief, isObject } from "./jsonl.js";

/** Reads one JSON object per line: { "id": "a1", "vector": [0.1, ...], "lang": "en", ... }. */
export async function* readJsonlDocuments(reader: ByteReader, fields: FieldNames): AsyncGenerator<DocumentRow> {
  let line = 0;
  for await (const text of reader.lines()) {
    const where = `${reader.path}: line ${++line}`;
    if (text.trim() !== "") yield documentOf(where, parse(where, text), fields);
  }
}

function parse(where: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${where} is not JSON (${(error as Error).message})`);
  }
  if (isObject(value)) return value;
  throw new InputError(`${where} is not a JSON object but ${brief(value)}: each line must be one`);
}
