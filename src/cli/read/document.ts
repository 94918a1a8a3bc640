import type { DocumentId } from "../core.js";
import { type FieldNames, findName, idNames, vectorNames } from "../core.js";
import { InputError } from "../errors.js";
import { brief, valuesOf } from "./jsonl.js";

/** A document as a file has it. */
export interface DocumentRow {
  /** As errors name it: "docs.jsonl: line 17". */
  readonly where: string;
  readonly id: DocumentId | undefined;
  readonly vector: readonly number[];
  /** All fields but the id and the vector. */
  readonly data: Record<string, unknown>;
}

/** A file of documents being read. */
export interface DocumentFile {
  /** As errors name it. */
  readonly path: string;
  /** What there is to read, and what has been, in the same unit; of a pipe nobody knows. */
  readonly total: number | undefined;
  readonly done: number;
  readonly rows: AsyncIterable<DocumentRow>;
}

/** The document in a record, whose fields are data but for its id and its vector. */
export function documentOf(where: string, record: Record<string, unknown>, fields: FieldNames): DocumentRow {
  const present = Object.keys(record);
  const field = findName(present, vectorNames(fields));
  if (field === undefined) {
    const names = vectorNames(fields).map((name) => `"${name}"`);
    const found = present.slice(0, 8).join(", ") || "none";
    throw new InputError(`${where} has no field ${names.join(" or ")} (its fields: ${found}): --vector-field names it`);
  }
  const vector = valuesOf(where, field, record[field]);
  const idField = findName(present, idNames(fields));
  if (idField === undefined && fields.idField !== undefined) throw new InputError(`${where} has no field "${fields.idField}"`);
  const data = Object.fromEntries(Object.entries(record).filter(([name]) => name !== field && name !== idField));
  return { where, id: idField === undefined ? undefined : idOf(where, record[idField]), vector, data };
}

function idOf(where: string, id: unknown): DocumentId {
  if (typeof id === "string" || Number.isSafeInteger(id)) return id as DocumentId;
  throw new InputError(`${where}: the id is ${brief(id)}: it must be a string or an integer`);
}
