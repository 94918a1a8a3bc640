// plan(): bytes are those of real builds, counts of work and recall come near, and what it says of numbers too large to build follows from them.
import { createIndex, factory } from "vicinal";
import { type PlanOptions, plan } from "vicinal/guide";
import { describe, expect, it } from "vitest";
import { bytesOf, DESIGNS, effortFor, listsOf, recallAt, workOf } from "../../src/guide/plan/laws.js";
import type { Metric } from "../../src/words/kinds.js";
import { correlated } from "../support/data.js";
import { expectError } from "../support/errors.js";
import { often } from "../support/thorough.js";

const nameOf = (i: number): string => DESIGNS[i].factory(64, 1).replace(/IVF1\b/, "IVF");

describe("formulas", () => {
  const N = often(6000, 12_000);
  const CELLS: readonly [d: number, metric: Metric][] = [
    [32, "l2"],
    [96, "cosine"],
  ];

  it.each(DESIGNS.map((_, i) => [nameOf(i), i] as const))("%s: bytes and work of a real build", async (_, i) => {
    const design = DESIGNS[i];
    for (const [d, metric] of CELLS) {
      const rows = correlated(N + 50, d, 24, 7);
      const options = { dimensions: d, metric, ...(design.way === "graph" && !design.fastScan && { atOnce: true }) };
      const index = await factory(design.factory(d, listsOf(N)), options);
      await index.addAll(rows.slice(0, N));
      if (!index.trained) await index.train();
      // Of lists as short as these a group more or less, which is as the slices of the build were, is a fifth to a third.
      const { total } = bytesOf(design, N, d, metric);
      const within = design.way === "lists" ? 0.35 : 0.06;
      expect(Math.abs(total - index.bytes)).toBeLessThan(within * index.bytes + 2 ** 16); // memory comes in pages
      const effort = design.way === "scan" ? 0 : 16;
      const told = design.way === "graph" ? { ef: effort } : design.way === "lists" ? { nprobe: effort } : {};
      let work = 0;
      for (const query of rows.slice(N)) {
        index.search(query, told);
        work += design.way === "graph" ? index.lastStats.visited : index.lastStats.distances;
      }
      const { units } = workOf(design, N, { effort, candidates: 100 });
      expect(units / (work / 50)).toBeGreaterThan(0.66);
      expect(units / (work / 50)).toBeLessThan(1.5);
      index.close();
    }
  });

  it.each(DESIGNS.map((_, i) => [nameOf(i), i] as const))(
    "%s: the effort for a recall is the least that has it by the law",
    (_, i) => {
      const design = DESIGNS[i];
      for (const n of [10_000, 1_000_000, 20_000_000]) {
        for (const wanted of [0.6, 0.9, 0.98]) {
          const found = effortFor(design, n, wanted);
          if (wanted > design.best) {
            expect(found).toBeUndefined();
            continue;
          }
          if (!found) throw new Error(`${n} ${wanted}`);
          expect(found.recall).toBeGreaterThan(wanted - 0.005);
          if (found.effort > 11) {
            expect(recallAt(design, n, found.effort - 1, found.candidates)).toBeLessThan(wanted + 0.005);
          }
        }
      }
    },
  );
});

describe("createIndex and plan say the same", () => {
  const CELLS: readonly [n: number, d: number, metric: Metric, maxBytes: number][] = [
    [1e6, 128, "l2", 2 ** 32],
    [1e6, 128, "l2", 900 * 2 ** 20],
    [1e6, 384, "cosine", 2 ** 32],
    [5e6, 128, "dot", 2 ** 32],
  ];

  it.each(CELLS)("%d vectors of %d values, %s, in %d bytes", async (n, dimensions, metric, maxBytes) => {
    const index = await createIndex({ dimensions, metric, expected: n, maxBytes });
    const [, mebibytes] = /(?:about|with fastScan it would be) ([\d.]+) MiB/.exec(index.why ?? "") ?? [];
    const fast = DESIGNS.find(({ fastScan }) => fastScan);
    if (!fast) throw new Error("no design with fastScan");
    const { total, spare } = bytesOf(fast, n, dimensions, metric);
    // plan() adds what builds leave free.
    expect((Number(mebibytes) * 2 ** 20) / (total - spare)).toBeCloseTo(1, 2);
    expect(index.stats().factory).toBe(total - spare <= maxBytes ? fast.factory(dimensions, 1) : "HNSW16,Flat");
    index.close();
  });
});

const BILLION: PlanOptions = { vectors: 1e9, dimensions: 128, recall: 0.95, ramBytes: 500e9, machines: 1, cores: 16 };

describe("plan", () => {
  it("10^9 x 128 in 500 GB: raw rows and links do not fit, codes in lists do", async () => {
    const { designs, refused, advice } = await plan(BILLION);
    const raw = refused.find(({ factory }) => factory === "HNSW16,Flat");
    expect(raw).toMatchObject({ breaks: "ram" });
    expect(raw?.why).toMatch(/^512\.0 GB of raw rows and 144\.3 GB of links: with all else \d+\.\d GB, which takes 2 machines/);
    const lists = designs.find(({ factory }) => /^IVF\d+,PQ64x4,Refine\(SQ8\)$/.test(factory));
    if (!lists) throw new Error(JSON.stringify(refused));
    expect(lists.bytes).toBeLessThan(500e9);
    expect(lists.shard.bytes.total).toBeLessThan(4 * 2 ** 30);
    expect(lists.shards * lists.shard.vectors).toBeGreaterThanOrEqual(1e9);
    expect(lists.recall).toBeGreaterThan(0.945);
    expect(lists.why).toMatch(
      /32\.0 GB of codes and 144\.0 GB of rows to re-score by: \d+ shards of .* lists probed in each, .* candidates re-scored/,
    );
    const codes = refused.find(({ factory }) => factory.endsWith("RaBitQ4"));
    expect(codes).toMatchObject({ breaks: "recall" });
    expect(codes?.why).toContain("its codes find 0.93 at most, 0.95 is asked");
    expect(advice).toMatch(/^Least memory: .* Fastest: HNSW16,SQ8, \d+\.\d GB/);
  });

  it("as many machines as it takes are as many as search in time", async () => {
    const { machines: _, ...asked } = BILLION;
    const [slow, fast] = [await plan(asked), await plan({ ...asked, cores: 1, p99Ms: 50 })];
    const [few, many] = [slow, fast].map(({ designs }) => designs.find(({ factory }) => factory === "HNSW16,SQ8"));
    if (!few || !many) throw new Error(fast.advice);
    expect(few.machines).toBe(1);
    expect(many.p99Ms).toBeLessThanOrEqual(50);
    // One core searches the shards of its machine one after the other.
    expect(many.machines).toBe(Math.ceil(many.shards / Math.floor(50 / (many.p99Ms / Math.ceil(many.shards / many.machines)))));
    const none = await plan({ ...asked, cores: 1, p99Ms: 1e-3 });
    expect(none.designs).toEqual([]);
    const nearest = none.refused.filter(({ breaks }) => breaks === "p99").toSorted((a, b) => a.p99Ms - b.p99Ms)[0];
    expect(none.advice).toContain(`Nearest is ${nearest.factory}: `);
  });

  it("exact searches alone are sure of all, and one vector is no matter", async () => {
    const all = await plan({ vectors: 5000, dimensions: 16, recall: 1 });
    expect(all.designs.map(({ factory }) => factory).toSorted()).toEqual(["Flat", "Flatpf"]);
    expect(all.refused.find(({ factory }) => factory === "HNSW16,Flat")?.why).toContain(
      "it is no exact search: 0.9999 at most, 1 is asked",
    );
    const one = await plan({ vectors: 1, dimensions: 1 });
    expect(one.designs.map(({ factory }) => factory)).toContain("HNSW16fs,Flat");
    for (const { p99Ms, qps } of [...one.designs, ...one.refused]) expect([p99Ms, qps].every(Number.isFinite)).toBe(true);
  });

  it("all limits break, and each is named", async () => {
    const few = await plan({ vectors: 5000, dimensions: 16 });
    expect(few.designs.length).toBeGreaterThan(5);
    for (const { bytes, shards, machines, p50Ms, p99Ms, qps, recall } of few.designs) {
      expect([shards, machines]).toEqual([1, 1]);
      expect(bytes).toBeLessThan(20e6);
      expect(p99Ms).toBeGreaterThan(p50Ms);
      expect(qps).toBeGreaterThan(0);
      expect(recall).toBeGreaterThanOrEqual(0.945);
    }
    const sorted = few.designs.map(({ bytes }) => bytes);
    expect(sorted).toEqual(sorted.toSorted((a, b) => a - b));
    const late = await plan({ vectors: 5000, dimensions: 16, p99Ms: 1e-6 });
    expect(late.designs).toEqual([]);
    expect(late.advice).toMatch(/^Nothing fits\. Nearest is /);
    expect(new Set(late.refused.map(({ breaks }) => breaks))).toEqual(new Set(["p99", "recall"]));
    const small = await plan({ vectors: 1e6, dimensions: 16, ramBytes: 2 ** 21, machines: 3 });
    expect(small.refused.some(({ breaks }) => breaks === "machines")).toBe(true);
  });

  it("replicas, updates and filters are counted", async () => {
    const one = await plan({ vectors: 5000, dimensions: 16 });
    const more = await plan({ vectors: 5000, dimensions: 16, replicas: 3, updatesPerSecond: 10, filterShare: 0.1 });
    const [flat, flats] = [one, more].map(({ designs }) => designs.find(({ factory }) => factory === "Flat"));
    if (!flat || !flats) throw new Error("Flat fits");
    expect(flats.bytes).toBe(3 * flat.bytes);
    expect(flats.p50Ms).toBeLessThan(flat.p50Ms);
    expect(flats.logBytesPerDay).toBe(10 * 86_400 * (64 + 40));
    const lists = more.designs.find(({ factory }) => factory.endsWith("RFlat"));
    expect(lists?.rebuildDays).toBeCloseTo(2500 / 10 / 86_400, 6);
    expect(lists?.updateCores).toBeGreaterThan(0);
  });

  it("refuses what it does not know", async () => {
    await expectError(() => plan({ vectors: 0, dimensions: 4 }), "BAD_OPTION", "vectors is 0");
    await expectError(() => plan({ vectors: 10, dimensions: 4, metric: "hamming" }), "BAD_OPTION", "not hamming");
    await expectError(
      () => plan({ vectors: 10, dimensions: 4, ram: 5 } as unknown as PlanOptions),
      "BAD_OPTION",
      'no option "ram"',
    );
  });
});
