import type { ByteReader } from "../core.js";
import { badId, type Chunk, type FieldNames, findName, idNames, parseId, RowGatherer, vectorNames } from "../core.js";
import { InputError } from "../errors.js";

/** Reads one JSON object per line: { "id": 7, "vector": [0.1, ...] }; the id may be left out in all lines. */
export async function* readJsonl(reader: ByteReader, fields: FieldNames): AsyncGenerator<Chunk> {
  const gatherer = new RowGatherer();
  let line = 0;
  for await (const text of reader.lines()) {
    const where = `${reader.path}: line ${++line}`;
    if (text.trim() === "") continue;
    const record = parseObject(where, text);
    const present = Object.keys(record);
    const field = findName(present, vectorNames(fields));
    if (field === undefined) {
      const names = vectorNames(fields).map((name) => `"${name}"`);
      const found = present.slice(0, 8).join(", ") || "none";
      throw new InputError(`${where} has no field ${names.join(" or ")} (its fields: ${found})`);
    }
    const values = valuesOf(where, field, record[field]);
    const idField = findName(present, idNames(fields));
    const spelling = idField === undefined ? undefined : record[idField];
    const id = parseId(spelling);
    if (idField !== undefined && id === undefined) throw new InputError(badId(where, spelling));
    if (idField === undefined && fields.idField !== undefined) {
      throw new InputError(`${where} has no field "${fields.idField}"`);
    }
    const chunk = gatherer.push(where, values, id);
    if (chunk !== undefined) yield chunk;
  }
  const last = gatherer.flush();
  if (last !== undefined) yield last;
}

/** The numbers in an array, or in the object {"0": .., "1": ..} that JSON.stringify makes of a typed array. */
export function valuesOf(where: string, field: string, vector: unknown): number[] {
  const values = isObject(vector) && Object.keys(vector).every((key, i) => key === String(i)) ? Object.values(vector) : vector;
  if (!Array.isArray(values)) throw new InputError(`${where}: "${field}" is not an array but ${brief(vector)}`);
  const odd = values.findIndex((value) => typeof value !== "number");
  if (odd < 0) return values;
  throw new InputError(`${where}, value ${odd + 1} is ${explained(values[odd])}`);
}

function explained(value: unknown): string {
  if (value === NAN) return "NaN: not a finite number";
  if (value === null) return "null, not a number (JSON.stringify makes null of NaN and Infinity)";
  if (Array.isArray(value)) return `${brief(value)}, not a number: one vector per line, not an array of them`;
  return `${brief(value)}, not a number`;
}

/** What stands for NaN, which JSON has not. */
const NAN = "NaN";

/** The object in a line. Python's json.dumps writes NaN and Infinity as they are, so these may stand in any field. */
function parseObject(where: string, text: string): Record<string, unknown> {
  const value = parse(text) ?? parse(text.replace(/"(?:[^"\\]|\\.)*"|NaN|Infinity/g, inJson));
  if (isObject(value)) return value;
  const hint = /^\s*\[/.test(text) || text.trim() === "{" ? ' (jq -c ".[]" writes an array so)' : "";
  throw new InputError(`${where} is not a JSON object: ${text.slice(0, 60)}: each line must be one${hint}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A string as it is, NaN as a string, and Infinity as a number that is too large for any float. */
function inJson(token: string): string {
  if (token === "NaN") return JSON.stringify(NAN);
  return token === "Infinity" ? "1e999" : token;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function brief(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
