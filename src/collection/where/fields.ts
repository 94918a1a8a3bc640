// What fields are declared to hold; the rest hold anything.
import { badOption, show, VicinalError } from "../../words/errors.js";
import { keysOf } from "./path.js";

const KINDS = ["keyword", "keyword[]", "number", "number[]", "boolean", "date", "stored"] as const;

/**
 * `keyword`: a string. `number`: a finite number. `boolean`. `date`: a Date, or a string of ISO 8601 ("2024-05-01", "2024-05-01T12:00:00Z"),
 * kept and compared as a string. `keyword[]`, `number[]`: one such or an array of them. Each may be missing or null.
 * `stored`: anything; it comes back with the document and cannot be asked for.
 */
export type FieldKind = (typeof KINDS)[number];

/** Paths ("lang", "author.name") with what they hold. */
export type Fields = Readonly<Record<string, FieldKind>>;

const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** Whether a value that is not null may be in a field, or in the arrays of one. */
const HOLDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  keyword: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && !Number.isNaN(value),
  boolean: (value) => typeof value === "boolean",
  date: (value) => typeof value === "string" && ISO.test(value) && !Number.isNaN(Date.parse(value)),
};

const NAMES: Readonly<Record<string, string>> = {
  keyword: "a string",
  number: "a number",
  boolean: "true or false",
  date: "a Date or a string of ISO 8601",
};

const singly = (kind: FieldKind): string => kind.replace("[]", "");

/** Errors: BAD_OPTION, where a name is no path or a kind is none. */
export function checkFields(fields: unknown): Fields {
  if (fields === undefined) return {};
  if (fields === null || typeof fields !== "object" || Array.isArray(fields)) {
    throw badOption(`fields is ${show(fields)}; it must be an object such as { lang: "keyword", year: "number" }`);
  }
  for (const [path, kind] of Object.entries(fields)) {
    keysOf(path, `fields[${JSON.stringify(path)}]`, "BAD_OPTION");
    if (!KINDS.includes(kind))
      throw badOption(`fields[${JSON.stringify(path)}] is ${show(kind)}; it must be one of ${KINDS.join(", ")}`);
  }
  return { ...fields };
}

/** Throws where a where asks for what is only stored, or compares with what the field cannot hold. */
export function checkAsked(fields: Fields, path: string, at: string, values: readonly unknown[]): void {
  for (const [declared, kind] of Object.entries(fields)) {
    if (kind === "stored" && (path === declared || path.startsWith(`${declared}.`))) {
      throw new VicinalError("BAD_WHERE", `${at} asks for ${declared}, which is declared as stored: it cannot be asked for`);
    }
  }
  if (!Object.hasOwn(fields, path)) return;
  const kind = singly(fields[path]);
  for (const value of values.flat()) {
    if (value === null || HOLDS[kind](value)) continue;
    throw new VicinalError(
      "BAD_WHERE",
      `${at} compares with ${show(value)}; ${path} is declared as ${fields[path]}: ${NAMES[kind]}`,
    );
  }
}

/** Why a value cannot be in a declared field; undefined where it can. Elements of an array are asked one by one, and so is the array. */
export function misfit(kind: FieldKind, value: unknown): string | undefined {
  if (kind === "stored" || value === null || value === undefined) return undefined;
  const many = kind.endsWith("[]");
  if (Array.isArray(value) ? many : HOLDS[singly(kind)](value)) return undefined;
  return `${show(value)}; the field is declared as ${kind}: ${NAMES[singly(kind)]}${many ? ", or an array of such" : ""}`;
}
