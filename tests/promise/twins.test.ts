// Crowds: rows that are equal, or that a walk cannot tell apart, hang on one node of a graph. Nobody may notice but by the time it takes:
// whatever comes and goes, a search answers as an exact one does, no row is out of reach, and a file says it all.
import { Hnsw, type HnswOptions, load } from "vicinal";
import { describe, expect, it } from "vitest";
import { expectSameBytes } from "../support/answers.js";
import { filled, gauss, integers, random, shuffled } from "../support/data.js";
import { DOOMED, VicFile } from "../support/vic.js";

const D = 8;
const copies = (n: number, row: ArrayLike<number>): Float32Array[] => Array.from({ length: n }, () => Float32Array.from(row));
const range = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => from + i);

/** A row and others so near to it that under cosine they are equal to a walk. */
function nearCopies(n: number, seed: number): Float32Array[] {
  const next = random(seed);
  const centre = filled(1, D, () => gauss(next))[0];
  return filled(n, D, (_, j) => centre[j] + 1e-5 * gauss(next));
}

/** Searches find what exact ones do, row for row, and nothing is out of reach. */
function expectTrue(index: Hnsw, queries: readonly ArrayLike<number>[], k = 10): void {
  for (const query of queries) expect(index.search(query, { k, ef: 400 })).toEqual(index.search(query, { k, exact: true }));
  expect(index.stats().unreachable).toBe(0);
}

const twinsIn = (index: Hnsw): number => {
  const file = new VicFile(index.toBytes());
  return range(file.slots).filter((slot) => file.stage(slot) && file.isTwin(slot)).length;
};

describe.each<[name: string, options: Partial<HnswOptions>]>([
  ["f32", {}],
  ["fastScan", { fastScan: true }],
  ["sq8", { codec: "sq8" }],
  ["sq8 with rerank", { codec: "sq8", rerank: true }],
  ["cosine", { metric: "cosine" }],
  ["augmented dot", { metric: "dot", mips: "augment" }],
])("%s", (_, options) => {
  const create = (more: Partial<HnswOptions> = {}): Promise<Hnsw> =>
    Hnsw.create({ dimensions: D, metric: "l2", m: 4, efConstruction: 32, ...options, ...more });
  const others = integers(200, D, 3, -9, 9);
  const crowd = copies(100, [1, 2, 3, 4, 5, 6, 7, 8]);

  it("finds 90 of 100 equal rows, by id, and who is behind them", async () => {
    const index = await create();
    index.add([...crowd, ...others]);
    expect(twinsIn(index)).toBeGreaterThanOrEqual(99);
    expect(index.search(crowd[0], { k: 90 })).toEqual(index.search(crowd[0], { k: 90, exact: true }));
    expectTrue(index, others.slice(0, 20));
    index.close();
  });

  it("loses no twin whose node goes, nor one that comes again", async () => {
    const index = await create();
    index.add([...crowd, ...others]);
    for (const from of [0, 33, 66]) {
      index.remove(range(33, from));
      expectTrue(index, [crowd[0], ...others.slice(0, 5)]);
    }
    expect(index.search(crowd[0], { k: 1 })[0].id).toBe(99);
    index.add(crowd.slice(0, 50), range(50));
    await index.compact();
    expectTrue(index, [crowd[0], ...others.slice(0, 5)]);
    index.remove([...range(50), 99]);
    index.remove(range(100, 100));
    await index.compact();
    expectTrue(index, [crowd[0], ...others.slice(100, 110)]);
    expect(index.size).toBe(100);
    index.close();
  });

  it("a file in the middle of a sweep is the index, also in what becomes of it", async () => {
    const index = await create();
    index.add([...crowd, ...others]);
    let removed = 0;
    for (const id of shuffled(range(300), 4)) {
      index.remove(id);
      removed++;
      if (removed > 60 && new VicFile(index.toBytes()).in(DOOMED).length) break;
    }
    const again = (await load(index.toBytes())) as Hnsw;
    for (const of of [index, again]) {
      of.add(crowd.slice(0, 40), range(40, 1000));
      of.remove(range(20, 1000));
    }
    expectSameBytes(again.toBytes(), index.toBytes());
    expectTrue(again, [crowd[0], ...others.slice(0, 5)]);
    again.close();
    index.close();
  });

  it("33 copies of a point leave the ways to two others", async () => {
    const index = await create({ dimensions: 2 });
    for (const row of [...copies(33, [0, 0]), [5, 5], [9, 9]]) index.add([row]);
    for (const query of [
      [5, 5],
      [9, 9],
      [0, 0],
    ]) {
      expect(index.search(query, { k: 5, ef: 5 })).toEqual(index.search(query, { k: 5, exact: true }));
    }
    expect(index.stats().unreachable).toBe(0);
    index.close();
  });
});

describe.each([false, true])("near-copies under cosine, fastScan %s", (fastScan) => {
  it("hang on some nodes, each at its own distance, and come and go", async () => {
    const index = await Hnsw.create({ dimensions: D, metric: "cosine", m: 4, efConstruction: 32, fastScan });
    const near = nearCopies(400, 1);
    const others = integers(200, D, 7, -9, 9);
    index.add([...near, ...others]);
    const far = (query: ArrayLike<number>): void => {
      const found = index.search(query, { k: 10, ef: 400 }).map(({ distance }) => distance);
      const exact = index.search(query, { k: 10, exact: true }).map(({ distance }) => distance);
      for (const [i, distance] of found.entries()) expect(Math.abs(distance - exact[i])).toBeLessThan(1e-6);
    };
    const check = (): void => {
      for (const query of [...near.slice(0, 5), ...others.slice(-20)]) far(query);
      expect(index.stats().unreachable).toBe(0);
    };
    check();
    expect(twinsIn(index)).toBeGreaterThan(200);
    for (const from of [0, 100, 200]) {
      index.remove(range(100, from));
      check();
    }
    const again = (await load(index.toBytes())) as Hnsw;
    expectSameBytes(again.toBytes(), index.toBytes());
    await index.compact();
    check();
    expect(index.size).toBe(300);
    again.close();
    index.close();
  });
});
