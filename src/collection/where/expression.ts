// What a `where` means once it is checked: a tree in which expressions that mean the same by their form are the same.

/** What JSON holds. */
export type Scalar = string | number | boolean | null;
export type Json = Scalar | readonly Json[] | { readonly [name: string]: Json };

/** A field equals one of these; as `$eq` does, `gaps` being false, or as `$in` does: see columns/leaves.ts. */
export interface Among {
  readonly op: "among";
  readonly key: string;
  readonly path: string;
  /** In order of their JSON, none twice. */
  readonly values: readonly Scalar[];
  readonly gaps: boolean;
}

/** A field equals an array or object as a whole. */
export interface Whole {
  readonly op: "whole";
  readonly key: string;
  readonly path: string;
  readonly value: Json;
}

/** A field is on one side of a bound of its own type. */
export interface Range {
  readonly op: "range";
  readonly key: string;
  readonly path: string;
  readonly side: "$gt" | "$gte" | "$lt" | "$lte";
  readonly bound: string | number | boolean;
}

/** A field is there, be it null. */
export interface Exists {
  readonly op: "exists";
  readonly key: string;
  readonly path: string;
}

/** A field has a value, neither null nor an array or object, that is none of these: what is left when those have been seen. */
export interface Other {
  readonly op: "other";
  readonly key: string;
  readonly path: string;
  readonly values: readonly Scalar[];
}

export type Leaf = Among | Whole | Range | Exists | Other;

/** All of no parts is true, any of no parts is false. */
export interface Group {
  readonly op: "and" | "or";
  readonly key: string;
  readonly parts: readonly Expression[];
}

export interface Not {
  readonly op: "not";
  readonly key: string;
  readonly part: Expression;
}

/** The key is the same where the expression is: results are cached by it. */
export type Expression = Leaf | Group | Not;

/** A column that an expression is answered from: of the single values of a path, or of its arrays and objects as wholes. */
export interface Need {
  /** No other column's. */
  readonly name: string;
  readonly path: string;
  readonly of: "values" | "wholes";
}

/** JSON in which the same value has the same text: names in order, no -0. */
export function canonical(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value === 0 ? 0 : value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = value as { readonly [name: string]: Json };
  const texts = Object.keys(members)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(members[name])}`);
  return `{${texts.join(",")}}`;
}

/** JSON has no word for infinity, of which bounds may be made. */
const textOf = (value: Json): string => (Math.abs(value as number) === Infinity ? String(value) : canonical(value));

export function among(path: string, given: readonly Scalar[], gaps: boolean): Among {
  const texts = given.map(textOf);
  const order = distinct(texts);
  const values = order.map((i) => given[i]);
  // Only null meets a gap.
  const meets = gaps && given.includes(null);
  const key = `${JSON.stringify(path)} ${meets ? "in" : "="} [${order.map((i) => texts[i]).join(",")}]`;
  return { op: "among", key, path, values, gaps: meets };
}

/** Where each of the texts is, in their order. */
function distinct(texts: readonly string[]): number[] {
  if (texts.length < 2) return texts.map((_, i) => i);
  const places = new Map(texts.map((text, i) => [text, i]));
  return [...places.keys()].sort().map((text) => places.get(text)!);
}

export function whole(path: string, value: Json): Whole {
  return { op: "whole", key: `${JSON.stringify(path)} is ${canonical(value)}`, path, value };
}

export function range(path: string, side: Range["side"], bound: Range["bound"]): Range {
  return { op: "range", key: `${JSON.stringify(path)} ${side} ${textOf(bound)}`, path, side, bound };
}

export function exists(path: string): Exists {
  return { op: "exists", key: `${JSON.stringify(path)} exists`, path };
}

function other(path: string, values: readonly Scalar[]): Other {
  const these = among(path, values, false);
  return { op: "other", key: `other than ${these.key}`, path, values: these.values };
}

/** Groups in groups of the same kind are one; parts are in order of their keys, none twice; one part stands for itself. */
export function group(op: Group["op"], parts: readonly Expression[]): Expression {
  if (parts.length === 1) return parts[0];
  const flat = parts.some((part) => part.op === op) ? parts.flatMap((part) => (part.op === op ? part.parts : [part])) : parts;
  const keys = flat.map(({ key }) => key);
  const order = distinct(keys);
  if (order.length === 1) return flat[0];
  return { op, key: `${op}(${order.map((i) => keys[i]).join(", ")})`, parts: order.map((i) => flat[i]) };
}

export function not(part: Expression): Expression {
  return part.op === "not" ? part.part : { op: "not", key: `not(${part.key})`, part };
}

/** The expression, of documents that have yet another value at the path than these. */
export function beyond(expression: Expression, path: string, values: readonly Scalar[]): Expression {
  return group("and", [expression, other(path, values)]);
}

export function need(path: string, of: Need["of"]): Need {
  return { name: `${of} ${path}`, path, of };
}

const known = new WeakMap<Expression, readonly Need[]>();

/** Columns that the expression is answered from, none twice. */
export function needsOf(expression: Expression): readonly Need[] {
  const before = known.get(expression);
  if (before) return before;
  const needs = new Map<string, Need>();
  const visit = (part: Expression): void => {
    if (part.op === "not") visit(part.part);
    else if ("parts" in part) part.parts.forEach(visit);
    else {
      const one = need(part.path, part.op === "whole" ? "wholes" : "values");
      needs.set(one.name, one);
    }
  };
  visit(expression);
  const all = [...needs.values()];
  known.set(expression, all);
  return all;
}
