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

type Holds = (value: unknown) => boolean;
const isString: Holds = (value) => typeof value === "string";
const isNumber: Holds = (value) => typeof value === "number" && !Number.isNaN(value);

/** What a value that is not null may be, alone or in an array. */
const HOLDS: Readonly<Record<FieldKind, { readonly holds: Holds; readonly what: string }>> = {
  keyword: { holds: isString, what: "a string" },
  "keyword[]": { holds: isString, what: "a string, or an array of such" },
  number: { holds: isNumber, what: "a number" },
  "number[]": { holds: isNumber, what: "a number, or an array of such" },
  boolean: { holds: (value) => typeof value === "boolean", what: "true or false" },
  date: {
    holds: (value) => typeof value === "string" && ISO.test(value) && !Number.isNaN(Date.parse(value)),
    what: "a Date or a string of ISO 8601",
  },
  stored: { holds: () => true, what: "anything" },
};

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
  for (const declared in fields) {
    if (fields[declared] === "stored" && (path === declared || path.startsWith(`${declared}.`))) {
      throw new VicinalError("BAD_WHERE", `${at} asks for ${declared}, which is declared as stored: it cannot be asked for`);
    }
  }
  if (!Object.hasOwn(fields, path)) return;
  const kind = fields[path];
  const { holds, what } = HOLDS[kind];
  const check = (value: unknown): void => {
    if (Array.isArray(value) && kind.endsWith("[]")) value.forEach(check);
    else if (value !== null && !holds(value)) {
      throw new VicinalError("BAD_WHERE", `${at} compares with ${show(value)}; ${path} is declared as ${kind}: ${what}`);
    }
  };
  values.forEach(check);
}

/** Why a value cannot be in a declared field; undefined where it can. Elements of an array are asked one by one, and so is the array. */
export function misfit(kind: FieldKind, value: unknown): string | undefined {
  if (kind === "stored" || value === null || value === undefined) return undefined;
  const { holds, what } = HOLDS[kind];
  if (Array.isArray(value) ? kind.endsWith("[]") : holds(value)) return undefined;
  return `${show(value)}; the field is declared as ${kind}: ${what}`;
}
