// Graphs whose nodes keep the codes of their neighbours: `Hnsw.create({ fastScan: true })`.

import { factory, Hnsw, type HnswOptions, init, load } from "vicinal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectSameBytes, measured, nearest, numbered, recallOf, truthOf } from "../support/answers.js";
import { allowRelaxed, VARIANTS } from "../support/cases.js";
import { clustered, correlated, DIMENSIONS, gaussians, integers } from "../support/data.js";
import { expectError } from "../support/errors.js";

allowRelaxed();

const METRICS = ["l2", "cosine", "dot"] as const;
const FAST = { fastScan: true } as const;

async function graph(options: HnswOptions, rows: readonly Float32Array[]): Promise<Hnsw> {
  const index = await Hnsw.create({ ...FAST, ...options });
  index.add(rows);
  return index;
}

describe("finds what a graph without codes finds, from a fraction of the rows", () => {
  for (const metric of METRICS) {
    it(metric, async () => {
      const rows = correlated(4100, 96, 24, 1);
      const queries = rows.splice(4000);
      const truth = await truthOf(metric, numbered(rows), queries);
      const [plain, fast] = await Promise.all([false, true].map((fastScan) => graph({ dimensions: 96, metric, fastScan }, rows)));
      const [before, after] = [plain, fast].map((index) => recallOf(index, queries, truth, { ef: 64 }));
      expect(measured(`${metric} fast-scan`, after)).toBeGreaterThan(measured(`${metric} plain`, before) - 0.02);
      expect(fast.lastStats.distances).toBeLessThan(plain.lastStats.distances / 2);
    });
  }
});

describe("every length of vector, in every variant", () => {
  let first: Uint8Array[] | undefined;
  afterAll(() => init({ variant: "simd" }));
  for (const variant of VARIANTS) {
    describe(variant, () => {
      beforeAll(async () => {
        await init({ variant });
      });
      it("guides the walk", async () => {
        const files: Uint8Array[] = [];
        for (const dimensions of DIMENSIONS) {
          const rows = clustered(220, dimensions, dimensions, 8);
          const queries = rows.splice(200);
          const index = await graph({ dimensions, metric: "l2", m: 4, efConstruction: 32 }, rows);
          const truth = await truthOf("l2", numbered(rows), queries);
          expect(recallOf(index, queries, truth, { ef: 40 }), `${dimensions} dimensions`).toBeGreaterThan(0.9);
          if (dimensions > 4) expect(index.lastStats.distances).toBeLessThan(150);
          files.push(index.toBytes());
          index.close();
        }
        // Relaxed builds may round distances otherwise, and so link otherwise.
        if (variant === "scalar") first = files;
        if (variant === "simd") for (const [i, file] of files.entries()) expectSameBytes(file, (first as Uint8Array[])[i]);
      });
    });
  }
});

it("more links than one group of codes holds", async () => {
  const rows = correlated(1550, 48, 16, 3);
  const queries = rows.splice(1500);
  const truth = await truthOf("l2", numbered(rows), queries);
  for (const m of [2, 8, 17, 24, 40]) {
    const index = await graph({ dimensions: 48, metric: "l2", m }, rows);
    expect(measured(`m ${m}`, recallOf(index, queries, truth, { ef: 100 }))).toBeGreaterThan(m === 2 ? 0.7 : 0.97);
    index.close();
  }
});

describe("codes follow every change of the graph", () => {
  for (const codec of ["f32", "f16", "bf16", "sq8"] as const) {
    it(codec, async () => {
      const rows = clustered(2050, 40, 7);
      const queries = rows.splice(2000);
      const index = await graph({ dimensions: 40, metric: "l2", codec, m: 8 }, rows.slice(0, 1200));
      index.remove(Array.from({ length: 700 }, (_, i) => i));
      index.add(
        rows.slice(1200),
        Uint32Array.from({ length: 800 }, (_, i) => 1200 + i),
      );
      const live = numbered(
        rows.slice(700),
        Uint32Array.from({ length: 1300 }, (_, i) => 700 + i),
      );
      const truth = await truthOf("l2", live, queries);
      const recall = (of: Hnsw): number => recallOf(of, queries, truth, { ef: 80 });
      const grown = recall(index);
      expect(measured(`${codec} after changes`, grown)).toBeGreaterThan(0.95);
      // What is kept is what a load or a compaction finds.
      const again = (await load(index.toBytes())) as Hnsw;
      expect(recall(again)).toBe(grown);
      await again.compact();
      expect(measured(`${codec} compacted`, recall(again))).toBeGreaterThan(0.95);
    });
  }
});

it("neighbours as near as rounding, and all alike", async () => {
  const at = gaussians(1, 64, 1)[0];
  const shift = gaussians(300, 64, 2, 1e-4);
  const rows = shift.map((row) => row.map((x, j) => x + at[j]));
  rows.push(...Array.from({ length: 100 }, () => at.slice()));
  const index = await graph({ dimensions: 64, metric: "l2" }, rows);
  const query = at.map((x, j) => x + shift[5][j] * 1.01);
  expect(index.search(query, { k: 1 })[0].id).toBe(5);
  expect(index.search(at, { k: 10 }).map(({ distance }) => distance)).toEqual(new Array(10).fill(0));
});

it("lengths near the largest there are", async () => {
  const rows = gaussians(400, 24, 5).map((row) => row.map((x) => x * 1e17));
  const index = await graph({ dimensions: 24, metric: "l2" }, rows);
  for (const query of rows.slice(0, 20)) {
    const found = index.search(query, { k: 5, ef: 400 }).map(({ id }) => id);
    expect(found).toEqual(nearest(numbered(rows), query, "l2", 5).map(({ id }) => id));
  }
});

it("a search may ask for less than k, and still returns k", async () => {
  const rows = correlated(4050, 64, 16, 12);
  const queries = rows.splice(4000);
  const index = await graph({ dimensions: 64, metric: "l2" }, rows);
  for (const k of [1, 10, 40, 100, 4000]) {
    const truth = await truthOf("l2", numbered(rows), queries, k);
    const recalls = [1, 5, 20, 200].map((ef) => {
      const recall = recallOf(index, queries, truth, { ef });
      expect(index.search(queries[0], { k, ef })).toHaveLength(k);
      return measured(`k ${k}, ef ${ef}`, recall);
    });
    expect(recalls[0]).toBeGreaterThan(0.3);
    expect(recalls[3]).toBeGreaterThan(0.97);
    // The index's own ef is for any k.
    if (k === 100) expect(recallOf(index, queries, truth)).toBeGreaterThan(0.95);
  }
  index.search(queries[0], { k: 10, ef: 10 });
  const { distances } = index.lastStats;
  index.search(queries[0], { k: 10, ef: 3 });
  expect(index.lastStats.visited).toBeLessThan(distances);
});

it("filters still return k", async () => {
  const rows = correlated(3010, 32, 12, 9);
  const queries = rows.splice(3000);
  const index = await graph({ dimensions: 32, metric: "cosine" }, rows);
  for (const every of [2, 10, 100, 1000]) {
    const ids = Uint32Array.from({ length: 3000 / every }, (_, i) => i * every);
    const passing = numbered(
      Array.from(ids, (id) => rows[id]),
      ids,
    );
    const truth = await truthOf("cosine", passing, queries, Math.min(10, ids.length));
    expect(recallOf(index, queries, truth, { ef: 100, filter: ids }), `one in ${every}`).toBeGreaterThan(0.9);
  }
});

it.each(METRICS)(
  "%s: the codes' bound cuts off none that passes, where all lies in one direction and close together",
  async (metric) => {
    let [found, asked] = [0, 0];
    for (const [d, wide] of [
      [16, 1e-3],
      [67, 3e-4],
    ]) {
      for (let seed = 1; seed <= 6; seed++) {
        const [at] = gaussians(1, d, seed);
        const rows = gaussians(640, d, 100 + seed, wide).map((row) => row.map((x, j) => x + at[j]));
        const queries = rows.splice(600);
        const index = await graph({ dimensions: d, metric }, rows);
        const filter = index.prepareFilter((id) => id % 4 === 0);
        for (const query of queries) {
          const [[now], [right]] = [false, true].map((exact) => index.search(query, { k: 1, filter, exact }));
          found += Number(now.distance <= right.distance);
          asked++;
        }
        index.close();
      }
    }
    // Two standard deviations: one in 44. .63 of l2 and .88 of cosine before the rounding of tables was counted.
    expect(found / asked).toBeGreaterThan(0.975);
  },
);

it("takes a bit per dimension and two floats for each of 2m links", async () => {
  // So many that a page of memory, of which either may have one more, counts little beside the codes.
  for (const [d, m, n] of [
    [100, 16, 6000],
    [384, 32, 1500],
  ]) {
    const rows = gaussians(n, d, 4);
    const [plain, fast] = await Promise.all(
      [false, true].map(async (fastScan) => {
        const index = await Hnsw.create({ dimensions: d, metric: "l2", m, fastScan });
        // Building at once takes scratch: bulk.test.ts.
        for (let i = 0; i < rows.length; i += 300) index.add(rows.slice(i, i + 300));
        return index;
      }),
    );
    const more = fast.stats().bytesPerVector - plain.stats().bytesPerVector;
    const codes = 2 * m * (Math.ceil(d / 16) * 2 + 8);
    expect(measured(`d ${d}, m ${m}, above ${codes}`, more - codes)).toBeLessThan(0.1 * codes);
  }
});

it("is said in words, and read back", async () => {
  const index = await factory("HNSW8fs,SQ8,RFlat", { dimensions: 32, metric: "l2" });
  index.add(integers(50, 32, 1, 0, 255));
  const again = await load(index.toBytes());
  for (const one of [index, again]) {
    expect(one.stats().factory).toBe("HNSW8fs,SQ8,RFlat");
    expect(one.stats().options).toMatchObject({ m: 8, fastScan: true });
  }
  expect((await factory("HNSW8,SQ8", { dimensions: 32 })).stats().options).not.toHaveProperty("fastScan");
});

it("refuses what has no rows of numbers", async () => {
  const of =
    (options: Partial<HnswOptions>): (() => Promise<Hnsw>) =>
    () =>
      Hnsw.create({ dimensions: 64, ...FAST, ...options });
  for (const metric of ["hamming", "l1"] as const) {
    await expectError(of({ metric }), "BAD_OPTION", `under metric "${metric}"`);
  }
  await expectError(of({ codec: { type: "pq", m: 8 } }), "BAD_OPTION", 'not codec "pq"');
  await expectError(of({ codec: "binary" }), "BAD_OPTION", 'not codec "binary"');
  await expectError(of({ fastScan: 1 as never }), "BAD_OPTION", "true or false");
});
