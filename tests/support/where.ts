// Documents and conditions on them, of few values, so that they meet.
import fc from "fast-check";
import siftModule from "sift";
import { expect } from "vitest";
import { eachSlot } from "../../src/collection/columns/bits.js";
import type { Columns } from "../../src/collection/columns/columns.js";
import type { Expression } from "../../src/collection/where/expression.js";
import type { ErrorCode } from "../../src/words/errors.js";
import { thrownBy } from "./errors.js";

const sift = siftModule as unknown as (where: unknown) => (document: unknown) => boolean;

/** Whether a document meets a condition; Dates are strings to both, as in JSON. */
export function judge(where: unknown): (document: unknown) => boolean {
  return sift(dated(where));
}

function dated(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(dated);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, dated(member)]));
}

const strings = fc.constantFrom("", "1", "a", "b", "ab", "é", "\u{1f600}", "\uffff", "\ud800", "true", "null", "2024");
const times = fc.constantFrom(
  ...["2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.001Z", "2024-05-01T12:00:00.000Z", "0000-01-01T00:00:00.000Z"],
  ...["9999-12-31T23:59:59.999Z", "2024-01-01", "2024-01-01T00:00:00Z", "2024-02-30T00:00:00.000Z", "2024-01-01T00:00:00.000z"],
);
const numbers = fc.constantFrom(0, -0, 1, 2, -1, 2.5, 255, 256, 40000, 70000, 2 ** 31, 2 ** 53, 1e300, 5e-324, -1e300);
export const scalars = fc.oneof(
  { arbitrary: fc.constant(null), weight: 2 },
  { arbitrary: fc.constantFrom(0, 1, "1", "a", "b", true, false), weight: 6 },
  { arbitrary: strings, weight: 2 },
  { arbitrary: numbers, weight: 2 },
  { arbitrary: times, weight: 2 },
);

const names = ["a", "b", "0", "1", "length"] as const;

/** Arrays in arrays, objects in arrays, arrays in objects. */
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { arbitrary: scalars as fc.Arbitrary<unknown>, weight: 5 },
    { arbitrary: fc.array(tie("value"), { maxLength: 3 }), weight: 3 },
    { arbitrary: fc.dictionary(fc.constantFrom("a", "b", "c", "0"), tie("value"), { maxKeys: 2 }), weight: 3 },
  ),
})).value;

/** As JSON.parse makes them. */
export const documents: fc.Arbitrary<Record<string, unknown>> = fc
  .dictionary(fc.constantFrom("a", "b", "c"), values, { maxKeys: 3, noNullPrototype: true })
  .map((document) => JSON.parse(JSON.stringify(document)));

const paths = fc.oneof(
  fc.constantFrom("a", "b", "a.b"),
  fc
    .tuple(fc.constantFrom("a", "b", "c"), fc.array(fc.constantFrom(...names), { maxLength: 2 }))
    .map(([first, rest]) => [first, ...rest].join(".")),
);

const dates = times.filter((text) => text.length === 24 && text.endsWith("Z")).map((text) => new Date(text));
const compared = fc.oneof(
  { arbitrary: scalars as fc.Arbitrary<unknown>, weight: 8 },
  { arbitrary: values, weight: 3 },
  { arbitrary: dates, weight: 1 },
);
const bounds = fc.oneof(
  scalars.filter((value) => value !== null),
  dates,
  fc.constantFrom(Infinity, -Infinity),
);

const operators = fc.letrec<{ some: Record<string, unknown> }>((tie) => ({
  some: fc
    .array(
      fc.oneof(
        { maxDepth: 2 },
        { arbitrary: fc.tuple(fc.constantFrom("$eq", "$ne"), compared), weight: 4 },
        { arbitrary: fc.tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte"), bounds as fc.Arbitrary<unknown>), weight: 5 },
        { arbitrary: fc.tuple(fc.constantFrom("$in", "$nin"), fc.array(compared, { maxLength: 4 })), weight: 4 },
        { arbitrary: fc.tuple(fc.constant("$exists"), fc.boolean()), weight: 2 },
        { arbitrary: fc.tuple(fc.constant("$not"), tie("some")), weight: 2 },
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((entries) => Object.fromEntries(entries)),
})).some;

export const conditions: fc.Arbitrary<Record<string, unknown>> = fc.letrec<{ where: Record<string, unknown> }>((tie) => {
  const several = fc.array(tie("where"), { minLength: 1, maxLength: 3 });
  return {
    where: fc
      .array(
        fc.oneof(
          { maxDepth: 3 },
          { arbitrary: fc.tuple(paths, fc.oneof(compared, operators)), weight: 6 },
          { arbitrary: fc.tuple(fc.constantFrom("$and", "$or", "$nor"), several), weight: 3 },
          { arbitrary: fc.tuple(fc.constant("$not"), tie("where")), weight: 1 },
        ),
        { minLength: 0, maxLength: 3 },
      )
      .map((entries) => Object.fromEntries<unknown>(entries)),
  };
}).where;

/** Slots that pass, by a column built now where there is none. */
export async function passing(columns: Columns, where: unknown, live: ReadonlyMap<number, unknown>): Promise<number[]> {
  const expression = columns.parse(where);
  if (columns.lacks(expression)) {
    await columns.build(expression, (visit) => {
      for (const [slot, data] of live) visit(slot, data);
    });
  }
  return matching(columns, expression);
}

export function matching(columns: Columns, expression: Expression): number[] {
  const match = columns.match(expression);
  const slots = slotsOf(match.words);
  if (slots.length !== match.count) throw new Error(`${slots.length} pass, and the count is ${match.count}`);
  return slots;
}

export function slotsOf(words: Uint32Array): number[] {
  const slots: number[] = [];
  eachSlot(words, (slot) => {
    slots.push(slot);
  });
  return slots;
}

export function judged(where: unknown, live: ReadonlyMap<number, unknown>): number[] {
  const meets = judge(where);
  return [...live].flatMap(([slot, data]) => (meets(data) ? [slot] : [])).sort((a, b) => a - b);
}

/** `work` must throw the sources' own VicinalError, which is another class than that of the package. */
export async function expectRefused(work: () => unknown, code: ErrorCode, saying: string): Promise<void> {
  expect(await thrownBy(work)).toMatchObject({ name: "VicinalError", code, message: expect.stringContaining(saying) });
}
