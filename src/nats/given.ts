// Documents and queries as callers hand them in, checked, their vectors as bytes.
import type { DocumentInput } from "../collection/changing.js";
import { embedded } from "../collection/embedding.js";
import { checkDocumentId, type DocumentId } from "../collection/keys.js";
import type { Embed } from "../collection/options.js";
import { rowsOfBytes } from "../collection/rows.js";
import { rowsOf, type Shape, type Vector, type Vectors } from "../input/vectors.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { known } from "../words/options.js";
import { bytesOfRows } from "./changes.js";

/** Ids, none twice, of objects that have nothing but these names. */
export function checkDocuments(list: readonly { readonly id: DocumentId }[], names: readonly string[]): void {
  const seen = new Set<DocumentId>();
  list.forEach((one, i) => {
    known(`documents[${i}]`, one, names);
    const id = checkDocumentId(one.id, `documents[${i}].id`);
    if (seen.has(id)) throw new VicinalError("DUPLICATE_ID", `documents[${i}].id is ${show(id)}, which is in this call before`);
    seen.add(id);
  });
}

export function checkData(data: unknown, i: number): object {
  if (data !== null && typeof data === "object" && !Array.isArray(data)) return data;
  throw badOption(`documents[${i}].data is ${show(data)}; it must be an object`);
}

export async function vectorsOf(
  documents: readonly DocumentInput[],
  shape: Shape,
  embed: Embed | undefined,
): Promise<Uint8Array[]> {
  const texts: string[] = [];
  documents.forEach(({ vector, text }, i) => {
    if ((vector === undefined) === (text === undefined))
      throw badOption(`documents[${i}] must have a vector or a text to make one of, and not both`);
    if (text !== undefined) texts.push(text);
  });
  const made = texts.length > 0 ? await embedded(embed, texts, shape, {}) : [];
  let next = 0;
  const vectors = documents.map(({ vector }) => vector ?? made[next++]);
  return bytesOfRows(rowsOf(vectors, shape, "vectors"), shape);
}

export interface Queries {
  readonly rows: readonly Uint8Array[];
  /** As they were asked: texts, or vectors. */
  readonly asked: readonly (Vector | string)[];
}

export async function queriesOf(
  given: Vectors | readonly (Vector | string)[],
  shape: Shape,
  embed: Embed | undefined,
  signal: AbortSignal | undefined,
): Promise<Queries> {
  const list = given as readonly (Vector | string)[];
  const texts = Array.isArray(given) ? list.filter((one): one is string => typeof one === "string") : [];
  const made = texts.length > 0 ? await embedded(embed, texts, shape, { ...(signal && { signal }) }) : [];
  let next = 0;
  const vectors = texts.length > 0 ? list.map((one) => (typeof one === "string" ? made[next++] : one)) : given;
  const rows = bytesOfRows(rowsOf(vectors, shape, "queries"), shape);
  return { rows, asked: rows.map((bytes, i) => (typeof list[i] === "string" ? list[i] : rowsOfBytes(bytes, shape))) };
}
