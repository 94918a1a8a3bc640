import { InputError } from "../errors.js";
import type { ByteReader } from "./bytes.js";
import { badId, type Chunk, parseId, RowGatherer } from "./chunk.js";
import { type Fields, ID_FIELD, VECTOR_FIELDS } from "./fields.js";

/** Reads one JSON object per line: { "id": 7, "vector": [0.1, ...] }; the id may be left out in all lines. */
export async function* readJsonl(reader: ByteReader, fields: Fields): AsyncGenerator<Chunk> {
  const idField = fields.idField ?? ID_FIELD;
  const vectorFields = fields.vectorField === undefined ? VECTOR_FIELDS : [fields.vectorField];
  const gatherer = new RowGatherer();
  let line = 0;
  for await (const text of reader.lines()) {
    const where = `${reader.path}: line ${++line}`;
    if (text.trim() === "") continue;
    const record = parseObject(text);
    if (record === undefined) throw new InputError(`${where} is not a JSON object: ${text.slice(0, 60)}`);
    const field = vectorFields.find((name) => record[name] !== undefined);
    if (field === undefined) {
      const found = Object.keys(record).slice(0, 8).join(", ") || "none";
      throw new InputError(
        `${where} has no field ${vectorFields.map((name) => `"${name}"`).join(" or ")} (its fields: ${found})`,
      );
    }
    const values = record[field];
    if (!Array.isArray(values)) throw new InputError(`${where}: "${field}" is not an array`);
    const odd = values.findIndex((value) => typeof value !== "number");
    if (odd >= 0) throw new InputError(`${where}, value ${odd + 1} is ${JSON.stringify(values[odd])}, not a number`);
    const spelling = record[idField];
    const id = parseId(spelling);
    if (spelling !== undefined && id === undefined) throw new InputError(badId(where, spelling));
    if (spelling === undefined && fields.idField !== undefined) throw new InputError(`${where} has no field "${idField}"`);
    const chunk = gatherer.push(where, values, id);
    if (chunk !== undefined) yield chunk;
  }
  const last = gatherer.flush();
  if (last !== undefined) yield last;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
