// What a leaf of an expression asks of a column, made ready for many slots.
import { canonical, type Json, type Leaf, type Range, type Scalar } from "../where/expression.js";
import { CODE, type Column, type Value } from "./column.js";
import { FORMS, timeFrom, timeOf } from "./times.js";

/** Numbers, or times of a form: those from `low` to `high` that are in `some`, or not in it where `except`. */
export interface Numeric {
  readonly low: number;
  readonly high: number;
  readonly some?: ReadonlySet<number>;
  readonly except?: boolean;
}

export interface Probe {
  /** By code: 0 or 1, or UNASKED where `ask` has to say. */
  readonly table: Uint8Array;
  readonly ask?: (value: Value) => boolean;
  /** By code, from NUMBER on: what passes of numbers, and of times of each form. */
  readonly numeric: readonly Numeric[];
}

/** In a probe's table, until a slot with the code is met: of a field of many values most are not met where few slots are asked. */
export const UNASKED = 2;

const NONE: Numeric = { low: 1, high: 0 };
const EVERY: Numeric = { low: -Infinity, high: Infinity };

export function probe(column: Column, leaf: Leaf): Probe {
  switch (leaf.op) {
    case "among":
      return among(column, leaf.values, leaf.gaps);
    case "other":
      return other(column, leaf.values);
    case "range":
      return range(column, leaf.side, leaf.bound);
    case "whole":
      return whole(column, leaf.value);
    case "exists": {
      const table = tableOf(column, 1);
      table[CODE.NULL] = table[CODE.OBJECT] = 1;
      return { table, numeric: [EVERY, ...FORMS.map(() => EVERY)] };
    }
  }
}

/** Asks of every value. */
export function settle({ table, ask }: Probe, { dictionary }: Column): void {
  for (const [value, code] of dictionary.entries()) table[CODE.FIRST + code] = ask?.(value) ? 1 : 0;
}

/** How many documents may pass: no fewer do where no bound is asked for; where one is, a guess. */
export function estimateOf({ table, ask, numeric }: Probe, { marks, dictionary }: Column): number {
  const share = (range: Numeric): number => (range.low > range.high ? 0 : range.some ? 0.1 : 0.5);
  let sum = numeric.reduce((all, range, i) => all + marks[CODE.NUMBER + i] * share(range), 0);
  for (let code = 0; code < CODE.FIRST; code++) if (table[code] === 1) sum += marks[code];
  if (ask) return sum + dictionary.taken / 2;
  for (let code = CODE.FIRST; code < table.length; code++) if (table[code] === 1) sum += dictionary.countOf(code - CODE.FIRST);
  return sum;
}

/** For every code; those of values have the given entry. */
function tableOf(column: Column, entry: number): Uint8Array {
  return new Uint8Array(CODE.FIRST + column.dictionary.limit).fill(entry, CODE.FALSE);
}

function among(column: Column, values: readonly Scalar[], gaps: boolean): Probe {
  const table = tableOf(column, 0);
  if (gaps) table[CODE.GAP] = 1;
  for (const value of values) {
    if (value === null) table[CODE.ABSENT] = table[CODE.NULL] = 1;
    else set(table, column, value, 1);
  }
  return { table, numeric: numericOf(values).map(someOf) };
}

function other(column: Column, values: readonly Scalar[]): Probe {
  const table = tableOf(column, 1);
  for (const value of values) if (value !== null) set(table, column, value, 0);
  return { table, numeric: numericOf(values).map((these) => ({ ...EVERY, some: new Set(these), except: true })) };
}

function set(table: Uint8Array, { dictionary }: Column, value: Value, entry: number): void {
  if (typeof value === "boolean") table[value ? CODE.TRUE : CODE.FALSE] = entry;
  else {
    const code = dictionary.find(value);
    if (code !== undefined) table[CODE.FIRST + code] = entry;
  }
}

/** Numbers, and times of each form, that are among some values. */
function numericOf(values: readonly Scalar[]): number[][] {
  const times = values.flatMap((value) => (typeof value === "string" ? (timeOf(value) ?? []) : []));
  const ofForm = FORMS.map((_, form) => times.filter((time) => time.form === form).map(({ number }) => number));
  return [values.filter((value) => typeof value === "number"), ...ofForm];
}

function someOf(numbers: readonly number[]): Numeric {
  if (numbers.length === 0) return NONE;
  const ends = { low: numbers.reduce((a, b) => Math.min(a, b)), high: numbers.reduce((a, b) => Math.max(a, b)) };
  return ends.low === ends.high ? ends : { ...ends, some: new Set(numbers) };
}

function range(column: Column, side: Range["side"], bound: Range["bound"]): Probe {
  const ask = asker(side, bound);
  const below = side === "$lt" || side === "$lte";
  // "$gt" begins after the bound, and "$lte" ends before what is after it.
  const after = side === "$gt" || side === "$lte";
  const numbers =
    typeof bound !== "number"
      ? NONE
      : below
        ? { ...EVERY, high: side === "$lt" ? previous(bound) : bound }
        : { ...EVERY, low: after ? next(bound) : bound };
  const times = FORMS.map((_, form): Numeric => {
    if (typeof bound !== "string" || column.marks[CODE.TIME + form] === 0) return NONE;
    const from = timeFrom(form, bound, after);
    return below ? { ...EVERY, high: from - 1 } : { ...EVERY, low: from };
  });
  const table = tableOf(column, UNASKED);
  table[CODE.FALSE] = ask(false) ? 1 : 0;
  table[CODE.TRUE] = ask(true) ? 1 : 0;
  return { table, ask, numeric: [numbers, ...times] };
}

/** Other types than the bound's are on no side of it. */
function asker(side: Range["side"], bound: Range["bound"]): (value: Value) => boolean {
  const type = typeof bound;
  switch (side) {
    case "$gt":
      return (value) => typeof value === type && value > bound;
    case "$gte":
      return (value) => typeof value === type && value >= bound;
    case "$lt":
      return (value) => typeof value === type && value < bound;
    case "$lte":
      return (value) => typeof value === type && value <= bound;
  }
}

const bits = new DataView(new ArrayBuffer(8));

/** The least number above; NaN, which nothing reaches, above infinity. */
function next(number: number): number {
  if (number === 0) return Number.MIN_VALUE;
  bits.setFloat64(0, number);
  bits.setBigInt64(0, bits.getBigInt64(0) + (number > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}

function previous(number: number): number {
  return -next(-number);
}

function whole(column: Column, value: Json): Probe {
  const { dictionary } = column;
  const table = tableOf(column, 0);
  if (!hasNullMember(value)) {
    const code = dictionary.find(canonical(value));
    if (code !== undefined) table[CODE.FIRST + code] = 1;
  } else {
    for (const [text, code] of dictionary.entries()) if (equal(value, JSON.parse(text as string))) table[CODE.FIRST + code] = 1;
  }
  return { table, numeric: [NONE, ...FORMS.map(() => NONE)] };
}

function hasNullMember(value: Json): boolean {
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some((one) => (one === null && !Array.isArray(value)) || hasNullMember(one));
}

/** Equality in which a null in an object of the first may be missing from the second, if that has as many members. */
function equal(a: Json, b: Json | undefined): boolean {
  if (a === null) return b === null || b === undefined;
  if (typeof a !== "object" || b === null || typeof b !== "object") return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  const of = (owner: Json, name: string): Json | undefined =>
    Object.hasOwn(owner as object, name) ? (owner as { readonly [name: string]: Json })[name] : undefined;
  return names.length === Object.keys(b).length && names.every((name) => equal(of(a, name)!, of(b, name)));
}
