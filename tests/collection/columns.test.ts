// Columns against a map of documents: what passes, through changes, saving, and building while documents come and go.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bestPerValue } from "../../src/collection/columns/best-per-value.js";
import { Columns } from "../../src/collection/columns/columns.js";
import { Lists, packed } from "../../src/collection/columns/lists.js";
import type { Match } from "../../src/collection/columns/match.js";
import { columnsBytes, columnsFrom } from "../../src/collection/columns/saving.js";
import { beyond, type Expression } from "../../src/collection/where/expression.js";
import { atOnce } from "../../src/input/slices.js";
import { random } from "../support/data.js";
import { thrownBy } from "../support/errors.js";
import { thorough } from "../support/thorough.js";
import { conditions, documents, expectRefused, judge, judged, matching, passing, slotsOf } from "../support/where.js";

type Live = Map<number, unknown>;

const bytesOf = (columns: Columns): Uint8Array => atOnce(columnsBytes(columns.copy()));

function filled(given: readonly unknown[], columns = new Columns()): { columns: Columns; live: Live } {
  const live: Live = new Map(given.entries());
  for (const [slot, data] of live) columns.set(slot, data);
  return { columns, live };
}

async function expressionOf(columns: Columns, where: unknown, live: Live): Promise<Expression> {
  await passing(columns, where, live);
  return columns.parse(where);
}

const steps = fc.array(
  fc.oneof(
    { arbitrary: fc.record({ slot: fc.nat(70), data: documents }), weight: 5 },
    { arbitrary: fc.record({ slot: fc.nat(70) }), weight: 3 },
    { arbitrary: fc.constant("ask" as const), weight: 3 },
    { arbitrary: fc.constant("save" as const), weight: 1 },
  ),
  { maxLength: 60, size: "max" },
);

it("follows every change, also saved and loaded", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(conditions, { minLength: 1, maxLength: 4 }), steps, async (wheres, changes) => {
      let { columns, live } = filled([]);
      const seen = new Map<Match, { version: number; slots: Set<number> }>();
      for (const change of changes) {
        if (change === "save") columns = columnsFrom(bytesOf(columns));
        else if (change !== "ask") {
          if ("data" in change) {
            columns.set(change.slot, change.data);
            live.set(change.slot, change.data);
          } else {
            columns.remove(change.slot);
            live.delete(change.slot);
          }
          expect(columns.size).toBe(live.size);
        } else {
          for (const where of wheres) {
            expect(await passing(columns, where, live)).toEqual(judged(where, live));
            const match = columns.match(columns.parse(where));
            const { version, slots } = seen.get(match) ?? { version: match.version, slots: new Set(slotsOf(match.words)) };
            for (const slot of match.flippedSince(version)!) if (!slots.delete(slot)) slots.add(slot);
            expect([...slots].sort((a, b) => a - b)).toEqual(slotsOf(match.words));
            seen.set(match, { version: match.version, slots });
          }
        }
      }
    }),
    { seed: 1, numRuns: thorough(60, 600) },
  );
});

it("builds a column while documents come, change and go", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(documents, { minLength: 30, maxLength: 30 }),
      fc.array(fc.tuple(fc.nat(40), fc.option(documents)), { maxLength: 30 }),
      conditions,
      async (given, changes, where) => {
        const { columns, live } = filled(given);
        const expression = columns.parse(where);
        const old = [...live];
        const built = columns.build(expression, async (visit) => {
          for (const [slot, data] of old) {
            await undefined;
            visit(slot, data);
          }
        });
        // The second waits for the first, and scans only what that does not.
        const again = columns.build(expression, () => {
          throw new Error("scanned twice");
        });
        for (const [slot, data] of changes) {
          await undefined;
          if (data === null) {
            columns.remove(slot);
            live.delete(slot);
          } else {
            columns.set(slot, data);
            live.set(slot, data);
          }
        }
        await Promise.all([built, again]);
        expect(columns.lacks(expression)).toBe(false);
        expect(matching(columns, expression)).toEqual(judged(where, live));
      },
    ),
    { seed: 2, numRuns: thorough(60, 400) },
  );
});

describe("columns that nobody has declared", () => {
  it("are kept for those that were asked last, and built again for others", async () => {
    const names = Array.from({ length: 80 }, (_, i) => `f${i}`);
    const given = [0, 1, 2].map((slot) => Object.fromEntries(names.map((name, i) => [name, (slot * i) % 3])));
    const { columns, live } = filled(given, new Columns({ f79: "number", f78: "number" }));
    const ask = async (name: string): Promise<void> => {
      const where = { [name]: 1 };
      expect(await passing(columns, where, live)).toEqual(judged(where, live));
    };
    const kept = (): string[] => columns.info().map(({ path }) => path);
    for (const name of names.slice(0, 70)) {
      await ask(name);
      await ask("f0");
      expect(kept()).toEqual(expect.arrayContaining(["f79", "f78", "f0", name]));
    }
    expect(kept().length).toBe(66);
    expect(kept()).not.toContain("f1");
    columns.set(1, { f1: 1 });
    live.set(1, { f1: 1 });
    for (const name of ["f1", "f2", "f0", "f79"]) await ask(name);
    // One condition may need more of them than are kept.
    const all = { $or: names.map((name) => ({ [name]: 2 })) };
    expect(await passing(columns, all, live)).toEqual(judged(all, live));
    expect(kept().length).toBe(80);
    await ask("f3");
    await columns.build(columns.parse({ g: 1 }), (visit) => {
      for (const [slot, data] of live) visit(slot, data);
    });
    expect(kept().length).toBe(66);
  });
});

describe("a scan that fails", () => {
  it("leaves nothing, and the next one builds", async () => {
    const { columns, live } = filled([{ a: 1 }, { a: 2 }]);
    const expression = columns.parse({ a: 2 });
    const failing = (): never => {
      throw new Error("disk");
    };
    expect(String(await thrownBy(() => columns.build(expression, failing)))).toContain("disk");
    expect(String(await thrownBy(() => columns.build(expression, (visit) => visit(0, { a: 1 }))))).toContain("slot 1");
    expect(columns.lacks(expression)).toBe(true);
    expect(await passing(columns, { a: 2 }, live)).toEqual([1]);
  });
});

describe("many documents", () => {
  const COUNT = thorough(2000, 6000);
  const next = random(1);
  const pick = (many: number): number => Math.floor(next() ** 2 * many);
  const documentOf = (i: number): Record<string, unknown> => ({
    lang: `l${pick(12)}`,
    year: 1980 + pick(40),
    tags: Array.from({ length: pick(5) }, () => `t${pick(300)}`),
    flag: next() < 0.3,
    name: `name ${i}`,
    price: pick(1000) / 8,
    at: new Date(1.7e12 + 1000 * pick(1e6)).toISOString(),
    mixed: [null, i, `${i}`, [i, "x"], true][i % 5],
  });
  const WHERE: readonly unknown[] = [
    { lang: "l1", year: { $gte: 1990, $lt: 2000 }, tags: { $in: ["t1", "t2"] } },
    { year: { $gt: 5e4 } },
    { name: { $gte: "name 5" } },
    { name: { $in: ["name 1", "name 77", "none"] } },
    { price: { $gt: 3, $lte: 50.125 }, flag: { $ne: true } },
    { price: { $in: [0, 0.125, 7] } },
    { at: { $gte: new Date(1.7e12 + 5e8) }, $or: [{ lang: "l0" }, { tags: "t0" }] },
    { at: { $lt: "2023-11-20" } },
    { mixed: { $gt: 100 } },
    { mixed: null },
    { $nor: [{ mixed: { $exists: true } }, { flag: true }] },
  ];
  const FIELDS = { lang: "keyword", year: "number", tags: "keyword[]", flag: "boolean" } as const;

  it("pass as they should: codes of 8 and 16 bits, numbers of each width, and after half have changed", async () => {
    const { columns, live } = filled(Array.from({ length: COUNT }, (_, i) => documentOf(i)));
    for (const where of WHERE) expect(await passing(columns, where, live)).toEqual(judged(where, live));
    for (let turn = 0; turn < 3; turn++) {
      for (let slot = turn; slot < COUNT; slot += 2 + turn) {
        if (slot % 3 === 0) {
          columns.remove(slot);
          live.delete(slot);
        } else {
          const data = { ...documentOf(slot), year: [1e5, 2 ** 40, 0.5][turn] };
          columns.set(slot, data);
          live.set(slot, data);
        }
      }
      const bytes = bytesOf(columns);
      const loaded = columnsFrom(bytes);
      for (const where of WHERE) {
        const slots = judged(where, live);
        expect(await passing(columns, where, live)).toEqual(slots);
        expect(matching(loaded, loaded.parse(where))).toEqual(slots);
      }
      expect(Buffer.compare(bytesOf(loaded), bytes)).toBe(0);
      expect(loaded.info().map(({ bytes, ...rest }) => rest)).toEqual(
        columns.info().map(({ bytes, ...rest }) => ({ ...rest, kind: "inferred" })),
      );
    }
  });

  it("pass as they should: codes of 32 bits, alone and in lists", async () => {
    const dataOf = (i: number) => (i % 3 ? { a: `name ${i}` } : { a: [`name ${i}`, `name ${i + 1}`, i] });
    const made = new Columns();
    await made.build(made.parse({ a: 1 }), () => {});
    for (let i = 0; i < 70_000; i++) made.set(i, dataOf(i));
    for (const columns of [made, columnsFrom(bytesOf(made))]) {
      const slots = (where: unknown): number[] => matching(columns, columns.parse(where));
      for (const i of [0, 1, 255, 256, 65_535, 65_536, 65_537, 69_999]) {
        expect(slots({ a: `name ${i}` })).toEqual((i - 1) % 3 ? [i] : [i - 1, i]);
        expect(columns.valuesAt("a")(i)).toEqual(i % 3 ? [`name ${i}`] : [`name ${i}`, `name ${i + 1}`, i]);
      }
      expect(slots({ a: { $gte: 69_990 } })).toEqual([69_990, 69_993, 69_996, 69_999]);
      expect(slots({ a: { $gt: "name 9998" } })).toEqual([9999]);
    }
  });

  it("take less than 50 bytes each for four fields, and less than 64 bits each for all matches that are kept", () => {
    const { columns } = filled(
      Array.from({ length: 20_000 }, (_, i) => documentOf(i)),
      new Columns(FIELDS),
    );
    expect(columns.bytes / columns.size).toBeLessThan(20); // 16.6
    const own = columns.bytes;
    for (let i = 0; i < 2000; i++) columns.match(columns.parse({ year: { $gte: i }, lang: "l1" }));
    expect(columns.bytes - own).toBeLessThanOrEqual(2 ** 20);
    expect(columns.bytes - own).toBeGreaterThan(2 ** 19);
  });

  it("take no more when each value has been another many times", () => {
    const { columns } = filled(
      Array.from({ length: 1000 }, (_, i) => ({ lang: `a${i}`, tags: [`b${i}`, `c${i}`] })),
      new Columns(FIELDS),
    );
    const before = columns.bytes;
    for (let i = 0; i < 50_000; i++) columns.set(i % 1000, { lang: `d${i}`, tags: [`e${i}`, `f${i}`] });
    expect(columns.bytes).toBeLessThan(1.5 * before); // 1.32: lists are packed only when a third is waste
    expect(columns.info().map(({ cardinality }) => cardinality)).toEqual([1000, 0, 2000, 0]);
  });

  it("keep the matches that are asked for, and forget the others", () => {
    const { columns } = filled(
      Array.from({ length: 20_000 }, (_, i) => documentOf(i)),
      new Columns(FIELDS),
    );
    const used = columns.match(columns.parse({ lang: "l1" }));
    const unused = columns.match(columns.parse({ lang: "l2" }));
    for (let i = 0; i < 1000; i++) {
      columns.match(columns.parse({ year: { $gte: i } }));
      columns.match(columns.parse({ lang: "l1" }));
    }
    expect(columns.match(columns.parse({ lang: "l1" }))).toBe(used);
    expect(columns.match(columns.parse({ lang: "l2" }))).not.toBe(unused);
  });

  it("give a forgotten match another version only if others pass", () => {
    const { columns } = filled(
      Array.from({ length: 20_000 }, (_, i) => documentOf(i)),
      new Columns(FIELDS),
    );
    const expression = columns.parse({ year: { $gte: 1990 } });
    const forget = (from: number): void => {
      for (let i = 0; i < 1000; i++) columns.match(columns.parse({ year: { $lt: from + i } }));
    };
    const first = columns.match(expression);
    const { version } = first;
    columns.set(0, { year: 1985 });
    const before = columns.match(expression).version;
    forget(5000);
    const second = columns.match(expression);
    expect(second).not.toBe(first);
    expect(second.version).toBeGreaterThanOrEqual(before);
    expect(second.version).toBeGreaterThan(version);
    columns.set(0, { year: 1995 });
    forget(9000);
    expect(columns.match(expression).version).toBeGreaterThan(second.version);
  });
});

it("strings of any length are told apart, and leave no more than they were", async () => {
  const long = [100, 127, 128, 16_383, 16_384, 2 ** 21 - 1, 2 ** 21].flatMap((length) => [
    "x".repeat(length),
    "é".repeat(length),
  ]);
  const { columns, live } = filled(long.map((a) => ({ a })));
  for (const [slot, a] of long.entries()) expect(await passing(columns, { a }, live)).toEqual([slot]);
  for (let turn = 0; turn < 3; turn++) {
    for (const slot of long.keys()) columns.remove(slot);
    for (const [slot, a] of long.toReversed().entries()) columns.set(slot, { a: `${a}${turn}` });
  }
  const loaded = columnsFrom(bytesOf(columns));
  for (const [slot, a] of long.toReversed().entries()) expect(matching(loaded, loaded.parse({ a: `${a}2` }))).toEqual([slot]);
});

it("lists are where they were after others have gone and all have been packed", () => {
  const lists = new Lists();
  const kept = new Map<number, number[]>();
  const next = random(2);
  for (let turn = 0; turn < 20_000; turn++) {
    const slot = Math.floor(300 * next());
    if (kept.delete(slot)) lists.drop(slot);
    if (next() < 0.3) continue;
    const codes = Array.from({ length: 2 + Math.floor(4 * next()) }, () => Math.floor(next() * (turn < 10_000 ? 200 : 70_000)));
    lists.put(slot, codes);
    kept.set(slot, codes);
  }
  const copy = lists.copy();
  const pool = atOnce(packed(copy));
  for (const [slot, codes] of kept) {
    expect([...lists.of(slot)]).toEqual(codes);
    const start = copy.starts[slot] + 1;
    expect([...pool.subarray(start, start + codes.length)]).toEqual(codes);
  }
  expect(pool.length).toBe([...kept.values()].reduce((sum, { length }) => sum + length + 1, 1));
});

describe("bytes", () => {
  it("that are damaged are refused", async () => {
    const { columns, live } = filled(
      Array.from({ length: 40 }, (_, i) => ({ a: i % 3 ? i : "x", b: ["u", "v", i], c: "2024-01-01T00:00:00.000Z" })),
    );
    await expressionOf(columns, { a: 1, b: "u", c: { $gt: "" }, d: ["x"] }, live);
    const bytes = bytesOf(columns);
    for (let length = 0; length < bytes.length; length++) {
      await expectRefused(() => columnsFrom(bytes.subarray(0, length)), "BAD_FILE", "columns");
    }
    const longer = new Uint8Array(bytes.length + 8);
    longer.set(bytes);
    await expectRefused(() => columnsFrom(longer), "BAD_FILE", "there are");
    for (let bit = 0; bit < 8 * bytes.length; bit += thorough(3, 1)) {
      const flipped = bytes.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      await expectRefused(() => columnsFrom(flipped), "BAD_FILE", "columns");
    }
    expect(bytesOf(columnsFrom(bytes))).toEqual(bytes);
  });

  it("may have been saved with other fields declared", async () => {
    const { columns, live } = filled([{ a: 1 }, { b: 2 }], new Columns({ a: "number" }));
    const other = columnsFrom(bytesOf(columns), { b: "number" });
    expect(other.lacks(other.parse({ b: 2 }))).toBe(true);
    expect(await passing(other, { b: 2, a: null }, live)).toEqual([1]);
  });
});

describe("the best per value", () => {
  const data = [
    { doc: "a", tags: ["x", "y"] },
    { doc: "a", tags: ["y"] },
    { doc: 1 },
    { doc: "1", tags: [] },
    { doc: null, tags: "z" },
    {},
    { doc: { a: 1 }, tags: [null, ["z"]] },
    { doc: "2024-01-01T00:00:00.000Z" },
    { doc: "b" },
  ];

  async function grouped(path: string, k: number): Promise<[unknown, number][]> {
    const { columns, live } = filled(data);
    await passing(columns, { [path]: null }, live);
    const hits = data.map((_, slot) => ({ slot }));
    return bestPerValue(hits, k, ({ slot }) => columns.valuesAt(path)(slot)).map(({ value, hit }) => [value, hit.slot]);
  }

  it("is the first hit of each", async () => {
    expect(await grouped("doc", 9)).toEqual([
      ["a", 0],
      [1, 2],
      ["1", 3],
      ["2024-01-01T00:00:00.000Z", 7],
      ["b", 8],
    ]);
    expect(await grouped("doc", 2)).toEqual([
      ["a", 0],
      [1, 2],
    ]);
    expect(await grouped("tags", 9)).toEqual([
      ["x", 0],
      ["y", 0],
      ["z", 4],
    ]);
    expect(await grouped("nothing", 9)).toEqual([]);
  });

  it("is looked for beyond the values that have been seen", async () => {
    const { columns, live } = filled(data);
    const all = await expressionOf(columns, { tags: { $ne: "q" } }, live);
    await passing(columns, { doc: null }, live);
    expect(matching(columns, beyond(all, "tags", ["x", "z"]))).toEqual([0, 1]);
    expect(matching(columns, beyond(all, "tags", ["x", "y", "z"]))).toEqual([]);
    expect(matching(columns, beyond(all, "doc", ["a", 1, "2024-01-01T00:00:00.000Z"]))).toEqual([3, 8]);
    expect(matching(columns, beyond(all, "doc", ["b", "1"]))).toEqual([0, 1, 2, 7]);
  });
});

it("what is asked of a field is known of it", async () => {
  const { columns, live } = filled(
    [{ a: "x" }, { a: ["x", 3] }, { a: 3 }, { a: null }, {}, { a: [] }],
    new Columns({ a: "stored", c: "date" }),
  );
  expect(columns.info().map(({ path, kind }) => [path, kind])).toEqual([["c", "date"]]);
  const free = new Columns();
  for (const [slot, one] of live) free.set(slot, one);
  await passing(free, { a: 3 }, live);
  expect(free.info()).toMatchObject([{ path: "a", kind: "inferred", cardinality: 2, documents: 3 }]);
  expect(judge({ a: 3 })(live.get(2))).toBe(true);
});
