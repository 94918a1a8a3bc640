// Filters that are prepared: what they answer is what the same filter answers when it is given anew, whatever becomes of the index.
import { type Explanation, Flat, Hnsw, Ivf, load, type PreparedFilter, type SearchOptions, type VectorIndex } from "vicinal";
import { describe, expect, it, vi } from "vitest";
import { expectSameBytes, expectSameHits } from "../support/answers.js";
import { type AnyOptions, create, EVERY_KIND_AND_CODEC, QUICK } from "../support/cases.js";
import { exactData, integers, random } from "../support/data.js";
import { expectError, thrownBy } from "../support/errors.js";
import { bitset, FORM_NAMES, FORMS } from "../support/filters.js";

const D = 16;
const ROWS = integers(400, D, 1, -20, 20);
const [QUERY, ...QUERIES] = integers(6, D, 2, -20, 20);
const L2 = { dimensions: D, metric: "l2" } as const;

type Of = (typeof EVERY_KIND_AND_CODEC)[number];

function learns({ kind, codec, metric }: Of): boolean {
  return kind === "ivf" || codec === "pq" || codec === "rabitq" || (kind === "lsh" && metric === "l2");
}

/** What learns does so from 100 vectors. */
function quick(of: Of): AnyOptions {
  const { kind, metric, own } = of;
  const codec = of.codec === "pq" ? ({ type: "pq", bits: 4 } as const) : of.codec;
  const lists = kind === "ivf" && { nlist: 4, nprobe: 2 };
  return { dimensions: D, metric, codec, ...QUICK[kind], ...lists, ...(learns(of) && { trainAt: 100 }), ...own };
}

/** Past the compiler. */
// biome-ignore lint/suspicious/noExplicitAny: bad input has no type
const any = (value: unknown): any => value;

async function flat(ids?: readonly number[]): Promise<VectorIndex> {
  const index = await Flat.create(L2);
  index.add(ROWS, ids);
  return index;
}

/** The filter must answer as those of `wanted` that are in the index. */
function expectPassing(index: VectorIndex, filter: PreparedFilter, wanted: (id: number) => boolean): void {
  const passing = index.ids().filter(wanted);
  expect(filter.size).toBe(passing.length);
  const found = index.search(QUERY, { k: index.size + 1, filter, exact: true });
  expect(found.map(({ id }) => id).sort((a, b) => a - b)).toEqual([...passing].sort((a, b) => a - b));
}

describe("every form, in every call", () => {
  const ways: [string, SearchOptions][] = [
    ["plain", { k: 7 }],
    ["exact", { k: 7, exact: true }],
    ["radius", { radius: 70 }],
    ["all", { k: 1000 }],
  ];
  const sorts = {
    "ids that are slots": undefined,
    "ids of one's own": ROWS.map((_, i) => (i * 37) % 4001),
    "large ids": ROWS.map((_, i) => 4294967294 - 1000 * i),
  };

  describe.each(Object.entries(sorts))("%s", (_, ids) => {
    it.each(FORM_NAMES)("%s", async (form) => {
      if (form === "bitset" && ids && ids[0] > 1e6) return; // 512 MiB
      for (const index of [await flat(ids), await Hnsw.create({ ...L2, ...QUICK.hnsw })]) {
        if (!index.size) index.add(ROWS, ids);
        for (const gone of [[], index.ids().slice(3, 9)]) {
          index.remove(gone);
          for (const every of [1, 2, 30]) {
            const some = index.ids().filter((_, i) => i % every === 0);
            const given = FORMS[form]([...some, ids ? 1 : 900]);
            const filter = index.prepareFilter(given);
            expect(filter.size).toBe(some.length);
            for (const [name, options] of ways) {
              const hits = index.search(QUERY, { ...options, filter });
              expectSameHits(hits, index.search(QUERY, { ...options, filter: given }), name);
              expectSameHits(hits, index.search(QUERY, { ...options, filter: some }), name);
              expectSameHits(await index.searchAsync(QUERY, { ...options, filter }), hits);
            }
            const batch = index.searchBatch(QUERIES, { k: 5, filter });
            expect(batch).toEqual(index.searchBatch(QUERIES, { k: 5, filter: some }));
            filter.close();
          }
        }
      }
    });
  });

  it("bitsets that are shorter, longer or of the very length, with bits of ids that are not there", async () => {
    for (const ids of [undefined, ROWS.map((_, i) => 3 * i + 1)]) {
      const index = await flat(ids);
      index.remove(index.ids()[398]);
      const next = random(7);
      for (const bytes of [0, 1, 7, 8, 49, 50, 51, 63, 64, 65, 150, 151, 1000]) {
        for (const share of [0.01, 0.5, 1]) {
          const bits = Uint8Array.from({ length: bytes }, () => (share === 1 ? 255 : next() < share ? 256 * next() : 0));
          const wanted = (id: number): boolean => ((bits[id >> 3] >> (id & 7)) & 1) === 1;
          const filter = index.prepareFilter(bits);
          expectPassing(index, filter, wanted);
          const found = index.search(QUERY, { k: 1000, filter: bits });
          expect(found.map(({ id }) => id).sort((a, b) => a - b)).toEqual([...index.ids().filter(wanted)].sort((a, b) => a - b));
          filter.close();
        }
      }
    }
  });

  it("of codes whose exact rows the caller has, also while the index changes", async () => {
    let meanwhile = (): unknown => undefined;
    const index = await Flat.create({
      ...L2,
      codec: "rabitq",
      rerank: {
        fetchVectors: async (ids) => {
          await meanwhile();
          return Array.from(ids, (id) => ROWS[id % 400]);
        },
      },
    });
    await index.train(ROWS);
    index.add(ROWS);
    const even = (id: number): boolean => id % 2 === 0;
    const filter = index.prepareFilter(even);
    const options = { k: 10, filter };
    expect(await index.searchAsync(QUERY, options)).toEqual(await index.searchAsync(QUERY, { k: 10, filter: even }));
    meanwhile = () => index.add(ROWS);
    for (const { id } of await index.searchAsync(QUERY, { filter, radius: 60 })) expect(id % 2).toBe(0);
    meanwhile = () => filter.close();
    await expectError(() => index.searchAsync(QUERY, { filter, radius: 100 }), "CLOSED", "the filter is closed");
  });
});

describe("through every change", () => {
  it.each(EVERY_KIND_AND_CODEC)("$name", async (of) => {
    const rows = exactData(of.metric, 700, D, 3);
    const index = await create(of.kind, quick(of));
    const wanted = (id: number): boolean => id % 3 === 0;
    const all = Array.from({ length: 5000 }, (_, id) => id).filter(wanted);
    // From the empty index on.
    const filters = FORM_NAMES.map((form) => index.prepareFilter(FORMS[form](all)));
    const agree = (): void => {
      for (const filter of filters) {
        expect(filter.size).toBe(index.ids().filter(wanted).length);
        const found = index.search(rows[5], { k: 4000, filter, exact: true });
        expect(found.map(({ id }) => id).sort((a, b) => a - b)).toEqual([...index.ids().filter(wanted)].sort((a, b) => a - b));
        for (const { id } of index.search(rows[5], { k: 5, filter })) expect(wanted(id)).toBe(true);
      }
    };
    agree();
    index.add(rows.slice(0, 50));
    agree();
    index.add(rows.slice(50, 200)); // has what learns learn
    expect(index.trained).toBe(true);
    agree();
    index.remove(index.ids().filter((id) => id % 2));
    agree();
    index.add(
      rows.slice(0, 40),
      Array.from({ length: 40 }, (_, i) => 2 * i + 1),
    );
    agree();
    await index.compact();
    agree();
    await index.addAll(rows.values());
    agree();
    if (learns(of)) await index.train();
    agree();
    index.remove(index.ids());
    agree();
    for (let i = 0; i < 30; i++) index.add([rows[i]], [3000 + i]);
    agree();
    await index.compact();
    agree();
    filters.pop()?.close();
    agree();
  });

  it("while train() is under way", async () => {
    const index = await Ivf.create({ ...L2, nlist: 8, trainAt: 400 });
    index.add(ROWS.slice(0, 300));
    const filter = index.prepareFilter((id) => id % 5 === 0);
    const training = index.train(ROWS);
    index.remove([0, 5, 6]);
    index.add([ROWS[5]], [5]);
    index.add(ROWS.slice(300, 350));
    await training;
    expect(index.trained).toBe(true);
    expectPassing(index, filter, (id) => id % 5 === 0);
  });

  it("while its memory is given up for others", async () => {
    const index = await flat();
    const filter = index.prepareFilter([3, 5, 500]);
    any(index).engine.park();
    expectPassing(index, filter, (id) => id === 3 || id === 5);
    any(index).engine.park();
    index.add(ROWS);
    expectPassing(index, filter, (id) => [3, 5, 500].includes(id));
  });
});

describe("what is asked of a predicate", () => {
  it("each id once, when it comes", async () => {
    const index = await Ivf.create({ ...L2, nlist: 4, trainAt: 300 });
    index.add(ROWS.slice(0, 100));
    const asked: number[] = [];
    const filter = index.prepareFilter((id) => {
      asked.push(id);
      return id < 50 || id >= 100;
    });
    const since = (): number[] => asked.splice(0).sort((a, b) => a - b);
    const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
    expect(since()).toEqual(upTo(0, 100));
    index.search(QUERY, { filter });
    index.searchBatch(QUERIES, { filter });
    expect(since()).toEqual([]);
    index.add(ROWS.slice(100, 150));
    expect(since()).toEqual(upTo(100, 150));
    index.remove([7, 8]);
    expect(since()).toEqual([]);
    index.add([ROWS[7]], [7]);
    expect(since()).toEqual([7]);
    await index.addAll(ROWS.slice(150).values());
    expect(since()).toEqual(upTo(150, 400));
    expect(index.trained).toBe(true);
    await index.train();
    await index.compact();
    expect(since()).toEqual([]);
    expectPassing(index, filter, (id) => id < 50 || id >= 100);
    filter.close();
    index.add([ROWS[8]], [8]);
    expect(since()).toEqual([]);
  });

  it("what it throws is thrown, and nothing has changed", async () => {
    const index = await flat();
    const fail = new Error("no");
    const before = index.toBytes();
    expect(await thrownBy(() => index.prepareFilter(() => any(Promise.resolve(true))))).toMatchObject({ code: "BAD_OPTION" });
    const filter = index.prepareFilter((id) => {
      if (id === 402) throw fail;
      return true;
    });
    expect(await thrownBy(() => index.add(ROWS.slice(0, 5)))).toBe(fail);
    expectSameBytes(index.toBytes(), before);
    expectPassing(index, filter, () => true);
    index.add(ROWS.slice(0, 2));
    expect(filter.size).toBe(402);
    expect(await thrownBy(() => index.prepareFilter(() => any({})))).toMatchObject({ code: "BAD_OPTION" });
  });

  it("what it does to the index is refused or comes true", async () => {
    const index = await flat();
    const adds = (): boolean => index.add([ROWS[0]]).length > 0;
    await expectError(() => index.prepareFilter(adds), "BAD_OPTION", "reads what its caller gave");
    await expectError(() => index.prepareFilter(() => any(index.prepareFilter([1]))), "BAD_OPTION", "reads what its caller gave");
    const removes = index.prepareFilter((id) => {
      index.remove(id === 50 ? [50, 51] : []);
      return true;
    });
    expectPassing(index, removes, () => true);
    const closes = index.prepareFilter((id) => {
      if (id >= 400) closes.close();
      return true;
    });
    index.add([ROWS[0]]);
    await expectError(() => closes.size, "CLOSED", "the filter is closed");
    expect(removes.size).toBe(399);
    await expectError(() => index.prepareFilter(() => any(index.close())), "CLOSED", "closed");
  });
});

describe("what is given is copied", () => {
  it.each(["Uint32Array", "bitset", "array", "Set"] as const)("%s", async (form) => {
    const index = await flat();
    const given = FORMS[form]([1, 2, 401]);
    const filter = index.prepareFilter(given);
    if (given instanceof Set) given.add(3);
    else any(given).fill(3);
    index.add(ROWS.slice(0, 4));
    expectPassing(index, filter, (id) => [1, 2, 401].includes(id));
  });
});

describe("refused, by name", () => {
  const BAD: [string, unknown, string][] = [
    ["nothing", undefined, "filter is undefined; it must be a Set or array of ids"],
    ["null", null, "filter is null"],
    ["text", "even", 'filter is "even"'],
    ["floats", new Float32Array(3), "filter is [Float32Array]"],
    ["an object", { a: 1 }, "filter is [Object]"],
  ];
  it.each(BAD)("%s", async (_, source, saying) => {
    const index = await flat();
    await expectError(() => index.prepareFilter(any(source)), "BAD_OPTION", saying);
  });

  it("one that is prepared already", async () => {
    const index = await flat();
    const filter = index.prepareFilter([1]);
    await expectError(() => index.prepareFilter(any(filter)), "BAD_OPTION", "filter is ");
  });

  it("another index's, also that of the file", async () => {
    const index = await flat();
    const filter = index.prepareFilter([1]);
    for (const other of [await flat(), await load(index.toBytes())]) {
      await expectError(() => other.search(QUERY, { filter }), "BAD_OPTION", "filter was prepared by another index");
      await expectError(() => other.searchBatch(QUERIES, { filter }), "BAD_OPTION", "filter was prepared by another index");
      await expectError(() => other.explain(QUERY, { filter }), "BAD_OPTION", "filter was prepared by another index");
      expect(other.search(QUERY)).toHaveLength(10);
    }
    expect(index.search(QUERY, { filter })).toHaveLength(1);
  });

  it("one that is closed, or whose index is", async () => {
    const index = await flat();
    const [filter, other] = [index.prepareFilter([1]), index.prepareFilter([2])];
    filter.close();
    filter.close();
    for (const use of [
      () => index.search(QUERY, { filter }),
      () => index.search(QUERY, { filter, radius: 9 }),
      () => index.searchBatch(QUERIES, { filter }),
      () => index.searchAsync(QUERY, { filter }),
      () => filter.size,
    ]) {
      await expectError(use, "CLOSED", "the filter is closed");
    }
    expect(index.search(QUERY, { filter: other })).toHaveLength(1);
    index.close();
    await expectError(() => index.search(QUERY, { filter: other }), "CLOSED", "this flat index is closed");
    await expectError(() => other.size, "CLOSED", "this flat index is closed");
    await expectError(() => index.prepareFilter([1]), "CLOSED", "this flat index is closed");
    other.close();
  });

  it("`using` closes it, where there is such a thing", async () => {
    const index = await flat();
    const filter = index.prepareFilter([1]);
    if (!Symbol.dispose) return;
    filter[Symbol.dispose]();
    await expectError(() => filter.size, "CLOSED", "the filter is closed");
  });
});

describe("memory", () => {
  it("of closed filters is for those that follow", async () => {
    const index = await flat();
    index.prepareFilter([1]).close();
    const { bytes } = index;
    for (let i = 0; i < 2000; i++) {
      const filter = index.prepareFilter((id) => id % 7 === i % 7);
      expect(filter.size).toBe(index.ids().filter((id) => id % 7 === i % 7).length);
      filter.close();
    }
    expect(index.bytes).toBe(bytes);
  });

  it("of open ones grows with the index, not with how often it does", async () => {
    const index = await Flat.create({ dimensions: 512, metric: "l2" });
    const plain = await Flat.create({ dimensions: 512, metric: "l2" });
    const filters = Array.from({ length: 50 }, (_, i) => index.prepareFilter((id) => id % 50 === i));
    for (let i = 0; i < 100; i++) {
      index.add(new Float32Array(512 * 64));
      plain.add(new Float32Array(512 * 64));
    }
    for (const filter of filters) expect(filter.size).toBe(128);
    // 50 of 800 bytes and as much again, with what they left behind; memory grows by a 32nd.
    expect(index.bytes - plain.bytes).toBeLessThanOrEqual(50 * 4 * 800 + plain.bytes / 32);
  });

  const FULL = EVERY_KIND_AND_CODEC.filter(({ codec, own }) => ["f32", "rabitq"].includes(codec) && !own.fastScan);
  it.each(FULL)("that is full refuses, and all is as it was: $name", async (of) => {
    for (const pages of [6, 9]) {
      const maxBytes = pages * 65536;
      const index = await create(of.kind, { ...quick(of), maxBytes });
      const rows = exactData(of.metric, 50, D, 4);
      const filters: PreparedFilter[] = [];
      const wanted = (id: number): boolean => id % 4 === 0;
      const check = (): void => {
        const passing = index.ids().filter(wanted).length;
        for (const filter of filters) expect(filter.size).toBe(passing);
        const [filter] = filters;
        if (filter) expect(index.search(rows[0], { k: 5, filter, exact: true })).toHaveLength(Math.min(passing, 5));
      };
      const tried = async (call: () => unknown): Promise<boolean> => {
        const before = index.toBytes();
        const error = await thrownBy(call);
        if (error === undefined) return true;
        expect(error).toMatchObject({ name: "VicinalError", code: "OUT_OF_MEMORY" });
        expectSameBytes(index.toBytes(), before);
        check();
        return false;
      };
      for (let i = 0, fitted = true; fitted; i++) {
        if (i % 4 === 0)
          await tried(() => filters.push(index.prepareFilter(i % 8 ? wanted : bitset([...Array(40_000).keys()].filter(wanted)))));
        const next = Math.max(-1, ...index.ids()) + (i % 3 === 2 ? 9 : 1);
        fitted = await tried(() =>
          index.add(
            rows,
            rows.map((_, j) => next + j),
          ),
        );
      }
      check();
      for (let fitted = true; fitted; ) fitted = await tried(() => filters.push(index.prepareFilter(wanted)));
      await thrownBy(() => index.compact());
      check();
      if (learns(of)) await thrownBy(() => index.train());
      check();
      filters.splice(1).forEach((filter) => {
        filter.close();
      });
      index.remove(index.ids().filter((id) => id % 3 === 0));
      check();
      await tried(() => filters.push(index.prepareFilter(wanted)));
      check();
    }
  });
});

describe("explain", () => {
  it("tells what passes, and what the search did", async () => {
    const index = await flat();
    const filter = index.prepareFilter((id) => id % 4 === 0);
    for (const [options, passing] of [
      [{}, 400],
      [{ filter }, 100],
      [{ filter: [1, 2, 3, 999] }, 3],
      [{ filter: bitset([7]) }, 1],
      [{ filter: (id: number) => id < 200, radius: 30 }, 200],
      [{ filter: [] }, 0],
    ] as [SearchOptions, number][]) {
      const { microseconds, localShare, ...told } = index.explain(QUERY, options);
      expect(told).toMatchObject({ passing, share: passing / 400, plan: "scan", distances: passing });
      expect(told).toMatchObject(index.lastStats);
      expect(microseconds).toBeGreaterThanOrEqual(0);
      expect(localShare).toBeUndefined();
      expect(Object.keys(told.cost)).toEqual(["walk", "scan"]);
    }
    expect(await Flat.create(L2).then((empty) => empty.explain(QUERY))).toMatchObject({ passing: 0, share: 1 });
    await expectError(() => index.explain([1]), "BAD_DIMENSION", "query has 1 values");
  });

  it.each([false, true])("what either way was thought to take, of a graph, fastScan %s", async (fastScan) => {
    const rows = integers(2400, D, 9, -20, 20);
    const index = await Hnsw.create({ ...L2, fastScan });
    index.add(rows);
    const nothing = { cost: { walk: undefined, scan: undefined }, localShare: undefined };
    expect(index.explain(QUERY)).toMatchObject({ ...nothing, plan: "walk" });
    const half = index.prepareFilter((id) => id % 2 === 0);
    const costs: Explanation["cost"][] = [];
    for (const filter of [half, half, [...index.ids()].filter((id) => id % 2), [3, 5, 7]]) {
      const { plan, cost, localShare } = index.explain(QUERY, { filter, ef: 10 });
      costs.push(cost);
      expect(Math.min(cost.walk!, cost.scan!)).toBeGreaterThan(0);
      expect(Math.max(cost.walk!, cost.scan!)).toBeLessThan(Infinity);
      if (plan === "scan") expect(localShare).toBeUndefined();
      else expect(localShare! >= 0 && localShare! <= 1, `${localShare}`).toBe(true);
    }
    expect(index.lastStats.plan).toBe("scan");
    // Steps are timed once. Of a filter that lasts it is known from the first walk on what walks take.
    expect(costs[2]!.walk).toBe(costs[0]!.walk);
    for (const filter of [undefined, () => true, index.ids()]) {
      expect(index.explain(QUERY, { filter })).toMatchObject({ ...nothing, plan: "walk" });
    }
  });

  it("by a clock that stands still, or that jumps", async () => {
    const rows = integers(1200, D, 9, -20, 20);
    const filter = Array.from({ length: 600 }, (_, i) => 2 * i);
    const next = random(5);
    for (const clock of [() => 0, () => 1e9 * next(), () => -1e9 * next()]) {
      const index = await Hnsw.create({ ...L2, fastScan: true });
      index.add(rows);
      const now = vi.spyOn(performance, "now").mockImplementation(clock);
      try {
        const { cost } = index.explain(QUERY, { filter });
        expect(cost.walk! > 0 && cost.scan! > 0 && cost.walk! + cost.scan! < 1e6, `${cost.walk}, ${cost.scan}`).toBe(true);
        expect(now.mock.calls.length).toBeGreaterThan(2);
        const due = index.search(QUERY, { filter, exact: true });
        expectSameHits(index.search(QUERY, { filter, ef: 600 }), due);
      } finally {
        now.mockRestore();
      }
    }
  });

  it("of codes whose rows the caller has too", async () => {
    const index = await Flat.create({
      ...L2,
      codec: "rabitq",
      rerank: { fetchVectors: (ids) => Array.from(ids, (id) => ROWS[id]) },
    });
    await index.train(ROWS);
    index.add(ROWS);
    const filter = index.prepareFilter((id) => id % 4 === 0);
    expect(index.explain(QUERY, { filter })).toMatchObject({ ...index.lastStats, passing: 100, share: 0.25, plan: "scan" });
  });
});
