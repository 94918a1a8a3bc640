// From what a caller writes to an expression, or to an error that says where in it and what is wrong.
import { show, VicinalError } from "../../words/errors.js";
import { among, type Expression, exists, group, type Json, not, type Range, range, type Scalar, whole } from "./expression.js";
import { checkAsked, type Fields } from "./fields.js";
import { isDate, isPlain, under } from "./json.js";
import { keysOf } from "./path.js";

/** What a field is compared with; a Date stands for its ISO string, as in JSON. */
export type Comparable = Json | Date;

/** Several in one object must all hold, each by any element of an array. */
export interface Operators {
  readonly $eq?: Comparable;
  readonly $ne?: Comparable;
  readonly $gt?: string | number | boolean | Date;
  readonly $gte?: string | number | boolean | Date;
  readonly $lt?: string | number | boolean | Date;
  readonly $lte?: string | number | boolean | Date;
  readonly $in?: readonly Comparable[];
  readonly $nin?: readonly Comparable[];
  readonly $exists?: boolean;
  readonly $not?: Operators;
}

/**
 * Which documents: `{ lang: "en", year: { $gte: 2020, $lt: 2024 }, $or: [{ tags: { $in: ["x", "y"] } }, { "author.name": "Ada" }] }`.
 * Names are paths into the document's data, all of which must hold; `$and`, `$or` and `$nor` take an array of such objects, `$not` takes one.
 *
 * It means what it does in MongoDB as the package sift reads it: an array meets a condition by any element, or as a whole where it is
 * compared with an array; null also equals what is missing, which `$exists` tells apart; values of other types are neither equal
 * nor more or less; strings are in order of their UTF-16 code units, and so are dates, which are ISO strings. Where sift differs from
 * MongoDB it is followed: arrays in arrays are searched at any depth; `a.5` of a shorter array equals null for `$in`, `$nin` and `$ne`
 * and not for `$eq`; strings and arrays have a `length`; objects are equal in whatever order their members are, and a member that
 * is compared with null may be missing if another stands in its place. Other than in sift, names that are inherited from
 * JavaScript's prototypes are no members of anything.
 */
export type Where = { readonly [path: string]: Comparable | Operators | Where | readonly Where[] };

const MOST_DEPTH = 64;
const MOST_VALUES = 100_000;

const SIDES: readonly string[] = ["$gt", "$gte", "$lt", "$lte"] satisfies Range["side"][];
const OPERATORS = ["$eq", "$ne", ...SIDES, "$in", "$nin", "$exists", "$not"];
const GROUPS = ["$and", "$or", "$nor", "$not"];

function wrong(message: string): VicinalError {
  return new VicinalError("BAD_WHERE", message);
}

const isOperator = (name: string): boolean => name.startsWith("$");

/** One reading of one expression. */
class Reading {
  readonly #fields: Fields;
  #values = 0;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  /** Conditions on a document. */
  document(where: unknown, at: string, depth: number): Expression {
    if (!isPlain(where))
      throw wrong(`${at} is ${show(where)}; it must be an object such as { lang: "en", year: { $gte: 2020 } }`);
    this.#count(at, depth);
    const parts = Object.keys(where).map((name) => {
      const here = under(at, name);
      if (!isOperator(name)) return this.#field(name, where[name], here, depth + 1);
      if (GROUPS.includes(name)) return this.#group(name, where[name], here, depth + 1);
      throw unknown(
        name,
        here,
        OPERATORS.includes(name) ? "needs a field before it" : `is no operator; there are ${GROUPS.join(", ")}`,
      );
    });
    return group("and", parts);
  }

  #group(name: string, value: unknown, at: string, depth: number): Expression {
    if (name === "$not") return not(this.document(value, at, depth));
    if (!Array.isArray(value)) throw wrong(`${at} is ${show(value)}; it must be an array of conditions`);
    if (value.length === 0) throw wrong(`${at} is empty; it must have a condition at least`);
    const parts = Array.from(value, (part, i) => this.document(part, `${at}[${i}]`, depth));
    if (name === "$nor") return not(group("or", parts));
    return group(name === "$or" ? "or" : "and", parts);
  }

  /** What one path must meet: a plain value, or operators all of which must hold. */
  #field(path: string, value: unknown, at: string, depth: number): Expression {
    keysOf(path, at, "BAD_WHERE");
    if (!isPlain(value) || !Object.keys(value).some(isOperator)) return this.#equal(path, [[value, at]], at, depth, false);
    return this.#operators(path, value, at, depth);
  }

  #operators(path: string, value: Record<string, unknown>, at: string, depth: number): Expression {
    this.#count(at, depth);
    const parts = Object.keys(value).map((name) => {
      const here = under(at, name);
      if (!isOperator(name))
        throw wrong(`${here} stands beside operators; members of a field are asked for as ${show(`${path}.${name}`)}`);
      return this.#operator(path, name, value[name], here, depth + 1);
    });
    return parts.length === 1 ? parts[0] : group("and", parts);
  }

  #operator(path: string, name: string, value: unknown, at: string, depth: number): Expression {
    switch (name) {
      case "$eq":
        return this.#equal(path, [[value, at]], at, depth, false);
      case "$ne":
        return not(this.#equal(path, [[value, at]], at, depth, true));
      case "$in":
      case "$nin": {
        if (!Array.isArray(value)) throw wrong(`${at} is ${show(value)}; it must be an array of values`);
        const each = Array.from(value, (one, i) => [one, `${at}[${i}]`] as const);
        const some = this.#equal(path, each, at, depth, true);
        return name === "$in" ? some : not(some);
      }
      case "$exists":
        if (typeof value !== "boolean") throw wrong(`${at} is ${show(value)}; it must be true or false`);
        checkAsked(this.#fields, path, at, []);
        return value ? exists(path) : not(exists(path));
      case "$not":
        if (isPlain(value) && Object.keys(value).some(isOperator)) return not(this.#operators(path, value, at, depth));
        throw wrong(`${at} is ${show(value)}; it must be an object of operators, such as { $gte: 2020 }`);
    }
    if (SIDES.includes(name)) return this.#range(path, name as Range["side"], value, at);
    throw unknown(name, at, `is no operator of a field; there are ${OPERATORS.join(", ")}`);
  }

  #range(path: string, side: Range["side"], value: unknown, at: string): Expression {
    const bound = isDate(value) ? isoOf(value, at) : value;
    if (typeof bound !== "string" && typeof bound !== "number" && typeof bound !== "boolean") {
      throw wrong(`${at} is ${show(value)}; it must be a number, a string, a Date, true or false`);
    }
    if (Number.isNaN(bound)) throw wrong(`${at} is NaN, which nothing is more or less than`);
    checkAsked(this.#fields, path, at, [bound]);
    return range(path, side, bound);
  }

  /** Any of the values, each alone or as a whole. */
  #equal(
    path: string,
    given: readonly (readonly [value: unknown, at: string])[],
    at: string,
    depth: number,
    gaps: boolean,
  ): Expression {
    const values = given.map(([value, here]) => this.#value(value, here, depth + 1));
    checkAsked(this.#fields, path, at, values);
    const isWhole = (value: Json): boolean => value !== null && typeof value === "object";
    const wholes = values.filter(isWhole).map((value) => whole(path, value));
    if (wholes.length > 0 && wholes.length === values.length) return group("or", wholes);
    const scalars = values.filter((value) => !isWhole(value)) as Scalar[];
    return group("or", [among(path, scalars, gaps), ...wholes]);
  }

  /** A value of JSON, in copy. */
  #value(value: unknown, at: string, depth: number): Json {
    this.#count(at, depth);
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number" && !Number.isNaN(value)) return value === 0 ? 0 : value;
    if (isDate(value)) return isoOf(value, at);
    if (Array.isArray(value)) return Array.from(value, (element, i) => this.#value(element, `${at}[${i}]`, depth + 1));
    if (isPlain(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([name, member]) => {
          const here = under(at, name);
          if (isOperator(name))
            throw wrong(`${here}: an operator within a value; a member of a field is asked for by its path, "a.b"`);
          return [name, this.#value(member, here, depth + 1)];
        }),
      );
    }
    if (value instanceof RegExp) throw wrong(`${at} is a regular expression; fields are not matched by patterns`);
    throw wrong(`${at} is ${show(value)}; it must be a value of JSON or a Date`);
  }

  /** Circles end here too. */
  #count(at: string, depth: number): void {
    if (depth > MOST_DEPTH) throw wrong(`${at.slice(0, 80)}... is nested more than ${MOST_DEPTH} deep`);
    if (++this.#values > MOST_VALUES) throw wrong(`where has more than ${MOST_VALUES} values and conditions`);
  }
}

function unknown(name: string, at: string, why: string): VicinalError {
  if (name === "$regex" || name === "$options") return wrong(`${at}: fields are not matched by patterns`);
  return wrong(`${at}: ${show(name)} ${why}`);
}

function isoOf(date: Date, at: string): string {
  if (Number.isNaN(date.getTime())) throw wrong(`${at} is an invalid Date`);
  return date.toISOString();
}

/**
 * Checks a where against the fields that are declared. Nothing of what was given is kept.
 * Errors: BAD_WHERE, with the place in the expression and the value there.
 */
export function parse(where: unknown, fields: Fields = {}): Expression {
  return new Reading(fields).document(where, "where", 0);
}
