// Exact search through a prefilter: `Flat.create({ prefilter: true })` answers what Flat answers, to the bit.

import fc from "fast-check";
import { Flat, factory, type Hit, init, load, type SearchOptions } from "vicinal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Metric } from "../../src/words/kinds.js";
import { expectSameBytes, measured } from "../support/answers.js";
import { allowRelaxed, VARIANTS } from "../support/cases.js";
import { clustered, correlated, DIMENSIONS, filled, gauss, gaussians, integers, random, shuffled } from "../support/data.js";
import { expectError } from "../support/errors.js";
import { thorough } from "../support/thorough.js";

allowRelaxed();
afterAll(() => init({ variant: "simd" }));

const METRICS = ["l2", "cosine", "dot"] as const;

/** The same rows without a prefilter and with one. */
async function both(metric: Metric, rows: readonly Float32Array[], ids?: number[]): Promise<[Flat, Flat]> {
  const made = async (prefilter: boolean): Promise<Flat> => {
    const index = await Flat.create({ dimensions: rows[0].length, metric, prefilter });
    index.add(rows, ids);
    return index;
  };
  return [await made(false), await made(true)];
}

/** Same ids, same bits. */
function same([plain, fast]: readonly [Flat, Flat], query: Float32Array, options?: SearchOptions): Hit[] {
  const expected = plain.search(query, options);
  const hits = fast.search(query, options);
  const wrong =
    hits.length !== expected.length ||
    hits.some(({ id, distance }, i) => {
      return id !== expected[i].id || !Object.is(distance, expected[i].distance);
    });
  if (wrong) expect(hits).toEqual(expected);
  return expected;
}

/** For every row a search that ends with it: each is found only if its bound is no more than its distance. */
function everyBound(indices: readonly [Flat, Flat], query: Float32Array): void {
  const all = same(indices, query, { k: indices[0].size });
  for (const { distance } of all) same(indices, query, { k: indices[0].size, radius: Math.max(distance, 0) });
  for (let k = 1; k < all.length; k += 1 + (k >> 2)) same(indices, query, { k });
}

/** What codes and bounds find hard, n rows of d values. */
const HARD: Readonly<Record<string, (n: number, d: number, seed: number) => Float32Array[]>> = {
  gaussian: (n, d, seed) => gaussians(n, d, seed),
  clusters: (n, d, seed) => clustered(n, d, seed),
  integers: (n, d, seed) => integers(n, d, seed, -60, 60),
  "wide integers": (n, d, seed) => integers(n, d, seed, -30_000, 30_000),
  // Every value half a step from two codes.
  "between codes": (n, d, seed) => {
    const next = random(seed);
    return filled(n, d, (_, j) => (j === 0 ? 0 : j === 1 ? 127 : Math.floor(next() * 127) + 0.5));
  },
  "near ties": (n, d, seed) => {
    const [centre] = gaussians(1, d, seed, 10);
    const next = random(seed);
    return filled(n, d, (_, j) => centre[j] * (1 + (Math.floor(next() * 3) - 1) * 2 ** -22));
  },
  // The mean is no f32, and half a step of the last bit is half of all there is.
  "one bit apart": (n, d) => filled(n, d, (i, j) => 1 + ((j * j + i) % (2 + (i % 3)) === 0 ? 2 ** -23 : 0)),
  "far from the origin": (n, d, seed) => gaussians(n, d, seed).map((row) => row.map((x) => x + 1e5)),
  duplicates: (n, d, seed) => {
    const rows = gaussians(3, d, seed);
    return Array.from({ length: n }, (_, i) => rows[(i * i) % 3]);
  },
  "all equal": (n, d, seed) => new Array(n).fill(gaussians(1, d, seed)[0]),
  constant: (n, d) => filled(n, d, (i) => i - 3),
  zeros: (n, d, seed) => gaussians(n, d, seed).map((row, i) => (i % 3 ? row : new Float32Array(d))),
  "one large value": (n, d, seed) => {
    return gaussians(n, d, seed, 1e-3).map((row, i) => row.map((x, j) => (j === i % d ? 1e6 : x)));
  },
  huge: (n, d, seed) => gaussians(n, d, seed, 1e18 / Math.sqrt(d)),
  tiny: (n, d, seed) => gaussians(n, d, seed, 2 ** -76),
  denormal: (n, d, seed) => gaussians(n, d, seed, 2 ** -146),
  "all sizes": (n, d, seed) => {
    const next = random(seed);
    return Array.from({ length: n }, () => {
      const size = 2 ** Math.floor(next() * 180 - 125);
      return Float32Array.from({ length: d }, () => gauss(next) * size);
    });
  },
};

describe.each(VARIANTS)("%s", (variant) => {
  beforeAll(async () => {
    await init({ variant });
  });

  it("no bound is above its distance, at every length of vector", async () => {
    const names = Object.keys(HARD);
    for (const d of DIMENSIONS) {
      for (const metric of METRICS) {
        const rows = HARD[names[(d + METRICS.indexOf(metric)) % names.length]](19, d, d);
        const queries = [gaussians(1, d, d + 1, Math.max(...rows[1].map(Math.abs)) || 1)[0], rows[5]];
        const indices = await both(metric, rows);
        for (const query of queries) everyBound(indices, query);
        for (const index of indices) index.close();
      }
    }
  });

  it.each(Object.keys(HARD))("%s", async (name) => {
    for (const [d, metric] of [24, 130, 391].flatMap((d, i) =>
      thorough([METRICS[(i + name.length) % 3]], METRICS).map((metric) => [d, metric] as const),
    )) {
      const rows = HARD[name](80, d, d);
      const queries = rows.splice(76);
      const indices = await both(metric, rows);
      for (const query of [...queries, rows[3], new Float32Array(d)]) everyBound(indices, query);
      for (const index of indices) index.close();
    }
  });

  it("whatever numbers there are", async () => {
    const value = fc.oneof(
      fc.float({ noNaN: true, min: -(2 ** 20), max: 2 ** 20 }),
      fc.constantFrom(0, -0, 1, -1, 2 ** -149, 127.5),
    );
    const shape = fc.integer({ min: 1, max: 20 }).chain((d) => {
      const row = fc.array(value, { minLength: d, maxLength: d }).map((values) => Float32Array.from(values));
      return fc.record({ rows: fc.array(row, { minLength: 1, maxLength: 40 }), query: row, metric: fc.constantFrom(...METRICS) });
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ rows, query, metric }) => {
        const indices = await both(metric, rows);
        everyBound(indices, query);
        for (const index of indices) index.close();
      }),
      { seed: 7, numRuns: thorough(15, 40) },
    );
  });

  it("few rows are read", async () => {
    for (const metric of METRICS) {
      const rows = correlated(4020, 192, 24, 5);
      const queries = rows.splice(4000);
      const indices = await both(metric, rows);
      let read = 0;
      for (const query of queries) {
        same(indices, query, { k: 10 });
        const { distances, visited, reranked } = indices[1].lastStats;
        expect([distances, visited]).toEqual([4000, 4000]);
        read += reranked;
      }
      // Of 4000, ten are the answer. Measured 11 to 25, dot the most.
      expect(measured(`${metric} rows read`, read / queries.length)).toBeLessThan(40);
    }
  });

  it("the longest vectors add up without overflow", async () => {
    const d = 65536;
    const rows = [1, -1].flatMap((sign) => [filled(1, d, (_, j) => (j % 2 ? sign : 0))[0], filled(1, d, () => sign)[0]]);
    for (const metric of METRICS) {
      const indices = await both(metric, [...rows, ...rows, ...rows]);
      for (const query of rows) everyBound(indices, query);
    }
  });
});

it("filters, few or many passing", async () => {
  const rows = clustered(700, 40, 3);
  const indices = await both("l2", rows);
  const some = shuffled(rows.keys(), 1);
  for (const n of [0, 1, 5, 40, 300, 700]) {
    for (const query of rows.slice(0, 5)) {
      const hits = same(indices, query, { k: 20, filter: some.slice(0, n) });
      expect(hits).toHaveLength(Math.min(n, 20));
    }
  }
  // A row alone among 32 is sooner read than its group's codes.
  indices[1].search(rows[0], { k: 3, filter: [5, 300] });
  expect(indices[1].lastStats).toMatchObject({ distances: 0, visited: 2, reranked: 2 });
});

it("follows every change", async () => {
  const rows = clustered(900, 33, 9);
  const ids = shuffled(rows.keys(), 2).map((id) => 3 * id);
  const indices = await both("cosine", rows.slice(0, 500), ids.slice(0, 500));
  const check = (): void => {
    for (const query of rows.slice(0, 12)) everyOther(query);
  };
  const everyOther = (query: Float32Array): void => {
    for (const k of [1, 10, 2000]) same(indices, query, { k });
  };
  check();
  for (const index of indices) index.remove(ids.slice(0, 200));
  check();
  for (const index of indices) index.add(rows.slice(600, 700), ids.slice(0, 100)); // other rows under old ids
  check();
  for (const index of indices) await index.compact();
  check();
  for (const index of indices) index.add(rows.slice(700), ids.slice(700));
  check();
  for (const index of indices) index.remove(index.ids());
  check();
  for (const index of indices) index.add(rows.slice(0, 40), ids.slice(0, 40));
  check();
});

it("batches give what searches give", async () => {
  const rows = clustered(330, 48, 4);
  const [plain, fast] = await both("l2", rows);
  const queries = rows.slice(0, 20);
  expect(fast.searchBatch(queries, { k: 7 })).toEqual(plain.searchBatch(queries, { k: 7 }));
});

describe("a file", () => {
  it("holds no codes: the same sections, and loaded the same answers and bytes", async () => {
    const rows = clustered(300, 50, 6);
    const [plain, fast] = await both("cosine", rows);
    fast.remove([7, 8]);
    plain.remove([7, 8]);
    const file = fast.toBytes();
    expect(file.length).toBe(plain.toBytes().length);
    const again = (await load(file)) as Flat;
    expect(again.stats()).toMatchObject({ options: { prefilter: true }, factory: "Flatpf" });
    for (const query of rows.slice(0, 20)) everyBound([plain, again], query);
    expect(again.lastStats.distances).toBeGreaterThan(0);
    expectSameBytes(again.toBytes(), file);
  });
});

it("says in its words and options what it is", async () => {
  const index = await factory("Flatpf", { dimensions: 8, metric: "dot" });
  expect(index.stats()).toMatchObject({ options: { prefilter: true }, factory: "Flatpf", codec: "f32", kind: "flat" });
  expect((await factory("Flat", { dimensions: 8 })).stats().options).not.toHaveProperty("prefilter");
  await expectError(() => factory("Flatpf", { dimensions: 8, prefilter: true }), "BAD_OPTION", "prefilter is said twice");
  await expectError(() => factory("HNSW16,Flatpf", { dimensions: 8 }), "BAD_OPTION", "is misplaced");
});

it("refuses what it cannot be", async () => {
  const of = (options: object) => () => Flat.create({ dimensions: 8, prefilter: true, ...options });
  for (const codec of ["sq8", "f16", "bf16", "pq", "rabitq"])
    await expectError(of({ codec }), "BAD_OPTION", `prefilter is for f32 rows under l2, cosine, dot, not codec "${codec}"`);
  for (const metric of ["hamming", "l1"]) await expectError(of({ metric }), "BAD_OPTION", `under metric "${metric}"`);
  await expectError(of({ prefilter: 1 }), "BAD_OPTION", "true or false");
});
