// What a walk through a graph costs, in lastStats' counts: narrow beams, wide answers, filters, and after much change.
import { Hnsw, load, type PreparedFilter, type SearchOptions, type SearchStats, type VectorIndex } from "vicinal";
import { beforeAll, describe, expect, it } from "vitest";
import { expectSameHits, measured } from "../support/answers.js";
import { clustered, correlated, gaussians, random } from "../support/data.js";
import { untimed } from "../support/untimed.js";

const N = 5000;
const D = 32;
/** Rows replaced in a round, of which there are ROUNDS. */
const REPLACED = N / 20;
const ROUNDS = 5;
const ASKED = 40;
/** What a walk may score before it is known to be in vain. */
const LOOKED_AT = 250; // measured 167

const DATA = {
  clusters: clustered(N + ROUNDS * REPLACED + ASKED, D, 1),
  "rows that lie near a space of 16": correlated(N + ROUNDS * REPLACED + ASKED, D, 16, 1),
};
const CASES = Object.entries(DATA).flatMap(([data, all]) =>
  [false, true].map((fastScan) => ({ name: `Hnsw${fastScan ? " with fastScan" : ""}, ${data}`, all, fastScan })),
);

const costOf = ({ distances, visited, reranked }: SearchStats): number => distances + visited + reranked;

describe.each(CASES)("$name", ({ all, fastScan }) => {
  const rows = all.slice(0, N);
  const queries = all.slice(-ASKED);
  const create = async (): Promise<VectorIndex> =>
    untimed(await Hnsw.create({ dimensions: D, metric: "l2", m: 16, seed: 7, fastScan }));
  let index: VectorIndex;
  beforeAll(async () => {
    index = await create();
    index.add(rows);
  });

  /** Of all queries: recall by distance, costs on average and by the dearest, and how they were searched. */
  function ask(asked: VectorIndex, { k = 10, filter, ...effort }: SearchOptions) {
    let [found, cost, most] = [0, 0, 0];
    const plans = new Set<SearchStats["plan"]>();
    for (const query of queries) {
      const due = asked.search(query, { k, filter, exact: true });
      const hits = asked.search(query, { k, filter, ...effort });
      expect(hits).toHaveLength(due.length);
      found += hits.filter(({ distance }) => distance <= due[due.length - 1].distance).length / due.length;
      const own = costOf(asked.lastStats);
      cost += own;
      most = Math.max(most, own);
      plans.add(asked.lastStats.plan);
    }
    const what = `${k} by ef ${effort.ef}`;
    return {
      recall: measured(`recall of ${what}`, found / ASKED),
      cost: measured(`cost of ${what}`, cost / ASKED),
      most: measured(`most of ${what}`, most),
      plans: [...plans],
    };
  }

  it("a narrow beam among every other row", () => {
    const next = random(3);
    const filter = Uint32Array.from(rows.keys()).filter(() => next() < 0.5);
    const { recall, cost, plans } = ask(index, { ef: 10, filter });
    expect(plans).toEqual(["walk"]);
    expect(recall).toBeGreaterThanOrEqual(0.9);
    expect(cost).toBeLessThan(filter.length / 4);
  });

  it("a quarter replaced in five rounds", async () => {
    const changed = await create();
    changed.add(rows);
    for (let round = 0; round < ROUNDS; round++) {
      const ids = Uint32Array.from({ length: REPLACED }, (_, i) => 4 * (round * REPLACED + i));
      changed.remove(ids);
      changed.add(all.slice(N + round * REPLACED, N + (round + 1) * REPLACED), ids);
    }
    const fresh = await create();
    fresh.add(Array.from(rows.keys(), (id) => changed.get(id)!));
    const [now, then] = [ask(changed, { ef: 10 }), ask(fresh, { ef: 10 })];
    expect(now.plans).toEqual(["walk"]);
    expect(now.cost).toBeLessThanOrEqual(1.5 * then.cost);
    expect(now.recall).toBeGreaterThanOrEqual(then.recall - 0.05);
  });

  it("more are wanted than the beam is wide", () => {
    const wide = ask(index, { k: 100, ef: 100 });
    for (const ef of [10, 20, 40, 60]) {
      const { cost, most, plans } = ask(index, { k: 100, ef });
      expect(plans).toEqual(["walk"]);
      expect(cost).toBeLessThan(wide.cost);
      expect(most).toBeLessThan(N / 4);
    }
  });

  it("a filter that all pass costs nothing", () => {
    const filter = index.prepareFilter(() => true);
    for (const query of queries) {
      const hits = index.search(query, { ef: 10 });
      const { lastStats } = index;
      for (const all of [filter, () => true]) {
        expectSameHits(index.search(query, { ef: 10, filter: all }), hits);
        expect(index.lastStats).toEqual(lastStats);
      }
    }
    filter.close();
  });

  it("a filter of nothing that is near ends in a scan, and soon", () => {
    for (const query of queries.slice(0, 10)) {
      const ids = index.search(query, { k: N, exact: true }).map(({ id }) => id);
      for (const share of [0.1, 0.2, 0.5]) {
        const filter = ids.slice(-share * N);
        const due = index.search(query, { filter, exact: true });
        expectSameHits(index.search(query, { ef: 10, filter }), due);
        const { plan, distances, visited } = index.lastStats;
        expect(plan).toBe("walk, then scan");
        expect(Math.max(distances, visited)).toBeLessThanOrEqual(filter.length + LOOKED_AT);
      }
    }
  });

  /** Rows that lie together, as ids: which, and around what. */
  function* masks(asked: VectorIndex): Generator<[string, Float32Array, number[]]> {
    for (const query of queries.slice(0, 20)) {
      const ids = asked.search(query, { k: N, exact: true }).map(({ id }) => id);
      yield ["the nearest fifth", query, ids.slice(0, N / 5)];
      yield ["the farthest fifth", query, ids.slice(-N / 5)];
    }
    const own = new Map(Array.from({ length: 8 }, (_, i) => [600 * i, [] as number[]]));
    const square = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0);
    for (const [id, row] of rows.entries()) {
      const [nearest] = [...own.keys()].sort((a, b) => square(rows[a], row) - square(rows[b], row));
      own.get(nearest)!.push(id);
    }
    for (const ids of own.values()) yield ["a cluster", queries[20], ids];
  }

  it("prepared filters of what lies together, through changes", async () => {
    const changed = await create();
    changed.add(rows);
    const all = [...masks(changed)].map(([what, query, ids]) => ({
      ...{ what, query, ids },
      filter: changed.prepareFilter(ids),
    }));
    const check = (when: string): void => {
      const found = new Map<string, number[]>();
      for (const { what, query, ids, filter } of all) {
        const due = changed.search(query, { filter, exact: true });
        expectSameHits(due, changed.search(query, { filter: ids, exact: true }));
        // One that lasts gets its codes when they would have paid for some searches.
        for (let time = 0; time < 12; time++) expect(changed.search(query, { filter })).toHaveLength(due.length);
        const hits = changed.search(query, { filter });
        if (what === "the farthest fifth") expect(changed.lastStats.reranked > 0, "by codes").toBe(fastScan);
        const share = hits.filter(({ distance }) => distance <= due[due.length - 1].distance).length / due.length;
        found.set(what, [...(found.get(what) ?? []), share]);
      }
      for (const [what, shares] of found) {
        const recall = shares.reduce((sum, share) => sum + share) / shares.length;
        expect(measured(`${what}, ${when}`, recall), `${what}, ${when}`).toBeGreaterThanOrEqual(0.95);
      }
    };
    check("fresh");
    const some = Uint32Array.from(rows.keys()).filter((id) => id % 3 === 0);
    changed.remove(some);
    check("a third removed");
    changed.add(
      Array.from(some, (id) => rows[id]),
      some,
    );
    check("added again");
    changed.remove(some.filter((id) => id % 2));
    await changed.compact();
    untimed(changed);
    check("compacted");
    for (const { filter } of all) filter.close();
    changed.close();
  });

  it("prepared filters of any rows, whose codes are made once, through changes", async () => {
    const changed = await create();
    changed.add(rows);
    const tenth = (seed: number) => (id: number) => Math.imul(id + 1, 0x9e3779b1 + 2 * seed) >>> 0 < 2 ** 32 / 10;
    const filters = Array.from({ length: 8 }, (_, seed) => changed.prepareFilter(tenth(seed)));
    const check = (when: string): void => {
      let [found, scans] = [0, 0];
      for (const [f, filter] of filters.entries()) {
        for (const query of queries.slice(0, 10)) {
          const due = changed.search(query, { filter, exact: true });
          expectSameHits(due, changed.search(query, { filter: tenth(f), exact: true }));
          for (let time = 0; time < 3; time++) changed.search(query, { filter, ef: 400 });
          const hits = changed.search(query, { filter, ef: 400 });
          scans += Number(changed.lastStats.plan === "scan" && changed.lastStats.reranked > 0);
          found += hits.filter(({ distance }) => distance <= due[due.length - 1].distance).length / due.length;
        }
      }
      expect(measured(`scans of codes, ${when}`, scans)).toBe(fastScan ? 10 * filters.length : 0);
      expect(measured(`any rows, ${when}`, found / (10 * filters.length))).toBeGreaterThanOrEqual(0.99);
    };
    check("fresh");
    const some = Uint32Array.from(rows.keys()).filter((id) => id % 3 === 0);
    changed.remove(some);
    check("a third removed");
    // Others come where they were.
    changed.add(
      Array.from(some, (id) => rows[N - 1 - id].map((x) => -x)),
      some,
    );
    check("others added");
    changed.add(
      rows.map((row) => row.map((x) => 1 - x)),
      Uint32Array.from(rows.keys(), (id) => N + id),
    );
    check("as many again");
    await changed.compact();
    untimed(changed);
    check("compacted");
    for (const filter of filters) filter.close();
    changed.close();
  });

  it.runIf(fastScan)("a search so wide that it would look at all codes scans them, through changes", async () => {
    const changed = await create();
    changed.add(rows);
    const plans = (ef: number, when: string): Set<string | undefined> => {
      // Codes are made when they would have paid for some searches, a part at a time.
      for (let time = 0; time < 60; time++) changed.search(queries[time % ASKED], { k: 10, ef });
      const { recall, cost, plans } = ask(changed, { k: 10, ef });
      expect(recall, when).toBeGreaterThanOrEqual(ef > 100 ? 0.995 : 0.9);
      if (ef < 100) expect(cost, when).toBeLessThan(N / 8);
      return new Set(plans);
    };
    const wide = new Set(["scan"]);
    expect(plans(50, "narrow")).toEqual(new Set(["walk"]));
    expect(plans(600, "wide")).toEqual(wide);
    expect(plans(50, "narrow again")).toEqual(new Set(["walk"]));
    const some = Uint32Array.from(rows.keys()).filter((id) => id % 3 === 0);
    changed.remove(some);
    expect(plans(600, "a third removed")).toEqual(wide);
    changed.add(
      Array.from(some, (id) => rows[N - 1 - id].map((x) => -x)),
      some,
    );
    expect(plans(600, "others added")).toEqual(wide);
    changed.add(
      rows.map((row) => row.map((x) => 1 - x)),
      Uint32Array.from(rows.keys(), (id) => N + id),
    );
    expect(plans(900, "as many again")).toEqual(wide);
    await changed.compact();
    untimed(changed);
    expect(plans(900, "compacted")).toEqual(wide);
    changed.close();
  });

  it("narrow searches say nothing of what others cost", async () => {
    const fresh = await create();
    fresh.add(rows);
    for (let time = 0; time < 100; time++) fresh.search(queries[time % ASKED], { k: 1, ef: 1 });
    for (let time = 0; time < 100; time++) fresh.search(queries[time % ASKED], { k: 10, ef: 60 });
    expect(ask(fresh, { k: 10, ef: 60 }).plans).toEqual(["walk"]);
    fresh.close();
  });

  it("a file answers the same filtered searches", async () => {
    const loaded = untimed(await load(index.toBytes()));
    const some = (of: VectorIndex, ids: number[]): [number[], PreparedFilter] => [ids, of.prepareFilter(ids)];
    for (const [what, query, ids] of masks(index)) {
      const [own, others] = [some(index, ids), some(loaded, ids)];
      for (let time = 0; time < 3; time++) {
        own.forEach((filter, i) => {
          expectSameHits(loaded.search(query, { filter: others[i] }), index.search(query, { filter }), what);
          expect(loaded.lastStats, what).toEqual(index.lastStats);
        });
      }
      own[1].close();
      others[1].close();
    }
    loaded.close();
  });
});

// 128 dimensions have a block for every 32 slots, so that an index may have an odd number of them.
it("codes of an index that has grown by less than half lie where they have room", async () => {
  const all = gaussians(3000, 128, 3);
  const index = untimed(await Hnsw.create({ dimensions: 128, metric: "l2", m: 16, efConstruction: 40, seed: 7, fastScan: true }));
  let added = 0;
  const grow = (to: number): void => {
    index.add(all.slice(added, to));
    added = to;
  };
  const ask = (filter?: PreparedFilter): void => {
    for (let time = 0; time < 40; time++) index.search(all[time], { k: 10, ef: 400, filter });
  };
  grow(1504);
  ask(); // codes of all, and room for 752 more
  grow(1536);
  const filter = index.prepareFilter((id) => id < 100 || (id >= 2240 && id < 2256));
  grow(1568);
  ask(filter);
  grow(2272);
  const before = all.slice(0, added).map((_, id) => index.get(id));
  ask(filter);
  expect(all.slice(0, added).map((_, id) => index.get(id))).toEqual(before);
  expectSameHits(index.search(all[2250], { filter, k: 10, ef: 400 }), index.search(all[2250], { filter, k: 10, exact: true }));
  (await load(index.toBytes())).close();
  index.close();
});
