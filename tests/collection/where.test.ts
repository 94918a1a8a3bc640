// Conditions on documents mean what the package sift says they do, and what they cannot mean is refused.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Columns } from "../../src/collection/columns/columns.js";
import type { Fields } from "../../src/collection/where/fields.js";
import { thorough } from "../support/thorough.js";
import { conditions, documents, expectRefused, judged, passing } from "../support/where.js";

/** Documents that each condition is asked of. */
const DOCUMENTS = 25;

async function slotsOf(given: readonly unknown[], where: unknown): Promise<{ found: number[]; expected: number[] }> {
  const columns = new Columns();
  const live = new Map(given.entries());
  for (const [slot, data] of live) columns.set(slot, data);
  return { found: await passing(columns, where, live), expected: judged(where, live) };
}

it(`agrees with sift on ${thorough(2500, 10_000)} generated pairs`, async () => {
  let met = 0;
  const runs = thorough(2500, 10_000) / DOCUMENTS;
  await fc.assert(
    fc.asyncProperty(fc.array(documents, { minLength: DOCUMENTS, maxLength: DOCUMENTS }), conditions, async (given, where) => {
      const { found, expected } = await slotsOf(given, where);
      met += expected.length;
      expect(found).toEqual(expected);
    }),
    { seed: 1, numRuns: runs },
  );
  // Neither all nor none: 37 %.
  expect(met / runs / DOCUMENTS).toBeGreaterThan(0.25);
  expect(met / runs / DOCUMENTS).toBeLessThan(0.5);
});

describe("in particular", () => {
  const GIVEN = [
    { a: 1 },
    { a: "1" },
    { a: true },
    { a: null },
    {},
    { a: [] },
    { a: [1, null] },
    { a: [[1, 2], "é"] },
    { a: { b: 1, c: null } },
    { a: { c: null, b: 1 } },
    { a: [{ b: 1 }, { b: 5 }, {}] },
    { a: "" },
    { a: 2 ** 53 },
    { a: "2024-01-01T00:00:00.000Z" },
    { a: "2024-06-01" },
    { a: { b: 1, d: 2 } },
  ];

  const CASES: readonly (readonly [what: string, where: unknown, slots: readonly number[]])[] = [
    ["1 is neither a string nor true", { a: 1 }, [0, 6, 7]],
    ["a string is no number", { a: "1" }, [1]],
    ["null is also what is missing", { a: null }, [3, 4, 6]],
    ["which $exists tells apart", { a: null, $not: { a: { $exists: false } } }, [3, 6]],
    ["nothing equals none", { a: { $in: [] } }, []],
    ["an array as a whole", { a: [1, null] }, [6]],
    ["an array in an array", { a: [1, 2] }, [7]],
    ["members in any order", { a: { b: 1, c: null } }, [8, 9, 15]],
    ["any element for each of two bounds", { "a.b": { $gt: 3, $lt: 2 } }, [10]],
    ["not any element", { "a.b": { $ne: 5 } }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15]],
    ["a place in an array, or in a string", { "a.1": null }, [0, 1, 2, 3, 4, 6, 8, 9, 11, 12, 15]],
    ["a place beyond an array is not null", { "a.1": { $exists: false }, a: [] }, [5]],
    ["which $in takes for null", { "a.5": { $in: [null] }, a: { $gt: 0 } }, [0, 6, 7, 12]],
    ["and $ne", { "a.5": { $ne: null } }, [13, 14]],
    ["and equality does not", { "a.5": null, a: { $gt: 0 } }, [0, 12]],
    ["members of no elements are not null", { "a.b": { $ne: null } }, [5, 8, 9, 15]],
    ["a time exactly", { a: { $gt: new Date("2023-12-31T23:59:59.999Z"), $lte: new Date("2024-01-01") } }, [13]],
    ["a time, and not the next", { a: { $gt: new Date("2024-01-01"), $lt: new Date("2024-01-02") } }, []],
    ["empty strings", { a: { $lte: "" } }, [11]],
    ["large numbers", { a: { $gt: 2 ** 53 - 1 } }, [12]],
    ["a Date as its ISO string", { a: new Date("2024-01-01") }, [13]],
    ["dates in order of their strings", { a: { $gte: "2024-01-01", $lt: new Date("2024-07-01") } }, [13, 14]],
    ["all", {}, GIVEN.map((_, slot) => slot)],
    ["none", { $not: {} }, []],
  ];

  it.each(CASES)("%s", async (_, where, slots) => {
    const { found, expected } = await slotsOf(GIVEN, where);
    expect(found).toEqual(slots);
    expect(found).toEqual(expected);
  });
});

it("puts times of each form where their strings are", async () => {
  const around = [0, 1, 999, 1000, 1001, 60_000].flatMap((ms) => {
    const text = new Date(Date.UTC(2024, 1, 29, 23, 59, 59) + ms).toISOString();
    return [text, `${text.slice(0, 19)}Z`, `${text.slice(0, 19)}+00:00`, text.slice(0, 10)];
  });
  const given = around.map((a) => ({ a }));
  for (const bound of [...around, "2024-02-29T23:59:59.", "2024-02-29T23:59:59.5", "2024-03-01T00:00:00ZZ", "", "z", "2024"]) {
    for (const where of [
      { $gt: bound },
      { $gte: bound },
      { $lt: bound },
      { $lte: bound },
      { $eq: bound },
      { $nin: [bound, around[1]] },
    ]) {
      const { found, expected } = await slotsOf(given, { a: where });
      expect(found).toEqual(expected);
    }
  }
});

it("gives what means the same by its form the same key", () => {
  const columns = new Columns();
  const key = (where: unknown): string => columns.parse(where).key;
  expect(key({ a: 1, b: { $in: ["x", "y", "x"] } })).toBe(key({ $and: [{ b: { $in: ["y", "x"] } }, { a: { $eq: 1 } }] }));
  expect(key({ a: { $ne: 0 } })).toBe(key({ a: { $not: { $in: [-0] } } }));
  expect(key({ a: { c: 1, b: 2 } })).toBe(key({ a: { $eq: { b: 2, c: 1 } } }));
  expect(key({ a: new Date(0) })).toBe(key({ a: "1970-01-01T00:00:00.000Z" }));
  expect(key({ $nor: [{ a: 1 }] })).toBe(key({ $not: { a: 1 } }));
  const different = [
    { a: 1 },
    { a: "1" },
    { a: [1] },
    { a: ["1"] },
    { a: null },
    { a: { $in: [null] } },
    { a: { $lt: 1 } },
    { a: { $lt: Infinity } },
  ];
  expect(new Set(different.map(key)).size).toBe(different.length);
});

describe("what has been parsed", () => {
  it("is told from what only looks the same", async () => {
    const columns = new Columns();
    const a = { x: {}, y: [1, "2", null], z: new Date(5) };
    const { key } = columns.parse(a);
    expect(columns.parse({ x: {}, y: [1, "2", null], z: new Date(5) })).toBe(columns.parse(a));
    const others = [
      { ...a, y: [1, 2, null] },
      { ...a, y: [1, "2"] },
      { ...a, y: { 0: 1, 1: "2", 2: null } },
      { ...a, x: [] },
      { ...a, x: { x: 1 } },
      { ...a, z: new Date(6) },
      { ...a, z: 5 },
      { ...a, more: null },
      { x: {}, y: [1, "2", null] },
    ];
    for (const other of others) expect(columns.parse(other).key).not.toBe(key);
    const refused = [
      { ...a, x: new Map() },
      { ...a, x: undefined },
      { ...a, y: [1, "2", undefined] },
      { ...a, z: new Date(Number.NaN) },
    ];
    for (const other of refused) await expectRefused(() => columns.parse(other), "BAD_WHERE", "where.");
    a.y[0] = 7;
    expect(columns.parse(a).key).not.toBe(key);
    for (let i = 0; i < 40; i++) expect(columns.parse({ x: i % 20 }).key).toBe(`"x" = [${i % 20}]`);
  });
});

describe("refused", () => {
  const circle: Record<string, unknown> = {};
  circle.$not = circle;
  const round: unknown[] = [];
  round.push(round);
  const deep = (levels: number): unknown => (levels === 0 ? { a: 1 } : { $and: [deep(levels - 1)] });
  const FIELDS: Fields = { lang: "keyword", year: "number", tags: "keyword[]", flag: "boolean", at: "date", body: "stored" };

  const CASES: readonly (readonly [where: unknown, saying: string])[] = [
    [undefined, "where is undefined; it must be an object"],
    [null, "where is null"],
    ["lang = 'en'", "where is \"lang = 'en'\""],
    [[{ a: 1 }], "where is [Array]"],
    [new Map([["a", 1]]), "where is [Map]"],
    [() => true, "where is [Function]"],
    [{ $eq: 1 }, 'where.$eq: "$eq" needs a field before it'],
    [{ $where: "1" }, 'where.$where: "$where" is no operator; there are $and, $or, $nor, $not'],
    [{ a: { $like: "x%" } }, 'where.a.$like: "$like" is no operator of a field; there are $eq, $ne'],
    [{ a: { $regex: "^x" } }, "where.a.$regex: fields are not matched by patterns"],
    [{ a: /x/ }, "where.a is a regular expression"],
    [{ a: { $in: [1, /x/] } }, "where.a.$in[1] is a regular expression"],
    [{ a: { $gt: 1, b: 2 } }, 'where.a.b stands beside operators; members of a field are asked for as "a.b"'],
    [{ a: { b: { $gt: 1 } } }, "where.a.b.$gt: an operator within a value"],
    [{ $or: [{ a: 1 }, { b: { $gt: null } }] }, "where.$or[1].b.$gt is null; it must be a number, a string, a Date"],
    [{ a: { $gt: [1] } }, "where.a.$gt is [Array]"],
    [{ a: { $lt: Number.NaN } }, "where.a.$lt is NaN"],
    [{ a: Number.NaN }, "where.a is NaN"],
    [{ a: undefined }, "where.a is undefined; it must be a value of JSON"],
    [{ a: { $in: [undefined] } }, "where.a.$in[0] is undefined"],
    [{ a: 1n }, "where.a is 1n"],
    [{ a: Symbol("x") }, "where.a is Symbol(x)"],
    [{ a: new Uint8Array(2) }, "where.a is [Uint8Array]"],
    [{ a: new Date(Number.NaN) }, "where.a is an invalid Date"],
    [{ a: { $in: "x" } }, 'where.a.$in is "x"; it must be an array'],
    [{ a: { $nin: { x: 1 } } }, "where.a.$nin is [Object]; it must be an array"],
    [{ a: { $in: [{ $gt: 1 }] } }, "where.a.$in[0].$gt: an operator within a value"],
    [{ a: { $exists: 1 } }, "where.a.$exists is 1; it must be true or false"],
    [{ a: { $not: 5 } }, "where.a.$not is 5; it must be an object of operators"],
    [{ a: { $not: { b: 1 } } }, "where.a.$not is [Object]"],
    [{ a: { $or: [{ $gt: 1 }] } }, 'where.a.$or: "$or" is no operator of a field'],
    [{ $or: [] }, "where.$or is empty"],
    [{ $and: { a: 1 } }, "where.$and is [Object]; it must be an array of conditions"],
    [{ $or: [1] }, "where.$or[0] is 1"],
    [{ $not: [{ a: 1 }] }, "where.$not is [Array]"],
    [{ "": 1 }, "has an empty name"],
    [{ "a..b": 1 }, 'where["a..b"]: the path "a..b" has an empty name'],
    [{ "a.": 1 }, "has an empty name"],
    [{ "a.$gt": 1 }, 'names "$gt", which begins as operators do'],
    [
      JSON.parse('{"__proto__": 1}'),
      'where.__proto__: the path "__proto__" names "__proto__", which every JavaScript object has',
    ],
    [{ "a.constructor": 1 }, 'names "constructor"'],
    [{ [`a${".a".repeat(40)}`]: 1 }, "has 41 names; at most 32 can be asked for"],
    [{ ["a".repeat(2000)]: 1 }, "is 2000 characters long"],
    [circle, "is nested more than 64 deep"],
    [{ a: round }, "is nested more than 64 deep"],
    [deep(5000), "is nested more than 64 deep"],
    [{ a: { $in: Array(100_001).fill(1) } }, "where has more than 100000 values"],
    [{ body: "x" }, "where.body asks for body, which is declared as stored"],
    [{ "body.title": { $exists: true } }, 'where["body.title"].$exists asks for body'],
    [{ year: "2020" }, 'where.year compares with "2020"; year is declared as number: a number'],
    [{ $or: [{ lang: { $in: ["en", 3] } }] }, "where.$or[0].lang.$in compares with 3; lang is declared as keyword: a string"],
    [{ lang: ["en", "de"] }, "where.lang compares with [Array]"],
    [{ tags: ["x", 1] }, "where.tags compares with 1; tags is declared as keyword[]"],
    [{ flag: { $ne: "true" } }, "true or false"],
    [{ at: { $gt: "yesterday" } }, "a Date or a string of ISO 8601"],
    [{ at: { $gt: 1.7e12 } }, "a Date or a string of ISO 8601"],
  ];

  it.each(CASES.map(([where, saying]) => [saying, where] as const))("%s", async (saying, where) => {
    await expectRefused(() => new Columns(FIELDS).parse(where), "BAD_WHERE", saying);
  });

  it("and what is declared is accepted", () => {
    const columns = new Columns(FIELDS);
    columns.parse({ lang: { $in: ["en", null] }, year: { $gte: 2020, $ne: null }, tags: ["x", "y"], flag: false });
    columns.parse({ at: { $gte: new Date(), $lt: "2030-01-01T00:00Z" }, tags: { $exists: true }, lang: { $lt: "z" } });
  });

  it.each([
    ["en", "fields is"],
    [["lang"], "fields is [Array]"],
    [{ lang: "text" }, 'fields["lang"] is "text"; it must be one of keyword, keyword[], number'],
    [{ "a..b": "keyword" }, 'fields["a..b"]: the path'],
    [{ a: ["keyword"] }, 'fields["a"] is [Array]'],
  ])("fields %j", async (fields, saying) => {
    await expectRefused(() => new Columns(fields as Fields), "BAD_OPTION", saying);
  });

  const DATA: readonly (readonly [unknown, string])[] = [
    [undefined, "data is undefined; it must be an object"],
    [[1], "data is [Array]"],
    [{ a: { b: [1, Number.NaN] } }, "data.a.b[1] is NaN"],
    [{ a: 1n }, "data.a is 1n"],
    [{ a: () => 1 }, "data.a is [Function]"],
    [{ "odd name": new Set() }, 'data["odd name"] is [Set]'],
    [{ a: new Date(Number.NaN) }, "data.a is [Date]"],
    [{ a: { toJSON: () => 1 } }, "data.a is [Object]"],
    [{ a: [1, undefined] }, "data.a[1] is undefined"],
    [{ a: round }, "too deep; data may be nested 64 deep"],
    [{ lang: 1 }, "data.lang is 1; the field is declared as keyword: a string"],
    [{ lang: ["en"] }, "data.lang is [Array]"],
    [{ year: "2020" }, 'data.year is "2020"'],
    [{ tags: ["x", 1] }, "data.tags is 1; the field is declared as keyword[]: a string, or an array of such"],
    [{ flag: 1 }, "data.flag is 1"],
    [{ at: "yesterday" }, 'data.at is "yesterday"'],
  ];
  it.each(DATA.map(([data, saying]) => [saying, data] as const))("%s", async (saying, data) => {
    await expectRefused(() => new Columns(FIELDS).check(data), "BAD_FIELD", saying);
  });

  it("and data of JSON is accepted, with null and nothing in any field", () => {
    const columns = new Columns(FIELDS);
    columns.check({});
    columns.check({ lang: null, year: undefined, tags: [], flag: null, at: new Date(), body: { any: ["thing", null] } });
    columns.check({ lang: "", year: -1e300, tags: "x", flag: true, at: "2024-01-01", other: [[{}]] });
  });
});
