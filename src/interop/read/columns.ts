// Rows of files of columns: Parquet and Arrow.
import { unreadable } from "../imported.js";
import { type FieldNames, findName, idNames, vectorNames } from "./fields.js";

/** The columns of vectors and, where there is one, of ids. */
export function columnsOf(
  path: string,
  present: readonly string[],
  fields: FieldNames,
): { vector: string; id: string | undefined } {
  const vector = findName(present, vectorNames(fields));
  const id = findName(present, idNames(fields));
  const missing =
    vector === undefined ? vectorNames(fields) : fields.idField !== undefined && id === undefined ? [fields.idField] : [];
  if (missing.length === 0) return { vector: vector as string, id };
  const wanted = missing.map((name) => `"${name}"`).join(" or ");
  throw unreadable(`${path}: no column ${wanted} (it has ${present.slice(0, 8).join(", ") || "none"})`);
}

/** What needs a package that is not there. */
export function missingPackage(path: string, format: string, name: string): never {
  throw unreadable(`${path}: to read ${format}, install the package ${name}: npm install ${name}`);
}
