// Many vectors linked at once, in every layout that can: beside insertions one by one, into what is there, and in slices.
import { Flat, Hnsw, type HnswOptions, init, load } from "vicinal";
import { afterAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/border/engine.js";
import { expectSameBytes, measured } from "../support/answers.js";
import { allowRelaxed } from "../support/cases.js";
import { clustered, correlated, gaussians } from "../support/data.js";
import { expectError, thrownBy } from "../support/errors.js";
import { unreachable } from "../support/reach.js";
import { thorough } from "../support/thorough.js";

allowRelaxed();
afterAll(() => init({ variant: "simd" }));

type Options = Partial<HnswOptions> & { dimensions: number };
type Rows = readonly Float32Array[];

/** Fewer at a time are inserted one by one. */
const FEW = 500;
const D = 32;

const LAYOUTS: [string, Options][] = [
  ["f32, l2", { dimensions: D, metric: "l2", atOnce: true }],
  ["f32, cosine", { dimensions: D, metric: "cosine", atOnce: true }],
  ["f32, dot", { dimensions: D, metric: "dot", atOnce: true }],
  ["f32, dot, augmented", { dimensions: D, metric: "dot", mips: "augment", atOnce: true }],
  ["f32, m 4", { dimensions: D, metric: "l2", m: 4, atOnce: true }],
  ["f16", { dimensions: D, metric: "l2", codec: "f16", atOnce: true }],
  ["bf16", { dimensions: D, metric: "cosine", codec: "bf16", atOnce: true }],
  ["sq8", { dimensions: D, metric: "l2", codec: "sq8", atOnce: true }],
  ["sq8, rerank", { dimensions: D, metric: "cosine", codec: "sq8", rerank: true, atOnce: true }],
  ["f32, l1", { dimensions: D, metric: "l1", atOnce: true }],
  ["sq8, rerank, l1", { dimensions: D, metric: "l1", codec: "sq8", rerank: true, atOnce: true }],
  ["pq of 8 bits", { dimensions: D, metric: "l2", codec: { type: "pq", m: 16 }, atOnce: true }],
  ["pq of 4 bits, cosine", { dimensions: D, metric: "cosine", codec: { type: "pq", m: 32, bits: 4 }, atOnce: true }],
  ["pq of 4 bits, rerank", { dimensions: D, metric: "cosine", codec: { type: "pq", bits: 4 }, rerank: true, atOnce: true }],
  ["pq of 8 bits, dot", { dimensions: D, metric: "dot", codec: { type: "pq", m: 16 }, atOnce: true }],
  ["rabitq of 4 bits", { dimensions: D, metric: "l2", codec: { type: "rabitq", bits: 4 }, atOnce: true }],
  ["rabitq of 1 bit, cosine", { dimensions: D, metric: "cosine", codec: "rabitq", atOnce: true }],
  ["rabitq of 1 bit, rerank, dot", { dimensions: D, metric: "dot", codec: "rabitq", rerank: true, atOnce: true }],
  ["binary, rerank", { dimensions: D, metric: "cosine", codec: "binary", rerank: true, atOnce: true }],
  ["f32, fastScan", { dimensions: D, metric: "l2", fastScan: true }],
  ["f16, fastScan", { dimensions: D, metric: "cosine", codec: "f16", fastScan: true }],
  ["sq8, rerank, fastScan, dot", { dimensions: D, metric: "dot", codec: "sq8", rerank: true, fastScan: true }],
];

const engineOf = (index: Hnsw): Engine => (index as unknown as { engine: Engine }).engine;

/** What learns has learned from the first of the rows before any is added. */
async function made(options: Options, ...parts: Rows[]): Promise<Hnsw> {
  const index = await Hnsw.create(options);
  if (!index.trained) await index.train(parts[0].slice(0, FEW));
  for (const rows of parts) index.add(rows);
  return index;
}

const inFews = (rows: Rows): Rows[] =>
  Array.from({ length: Math.ceil(rows.length / FEW) }, (_, i) => rows.slice(i * FEW, (i + 1) * FEW));

/** Share of the ten nearest that are found, by distance, and the distances that it took. */
async function quality(index: Hnsw, options: Options, rows: Rows, queries: Rows, ef: number) {
  const flat = await Flat.create({ dimensions: options.dimensions, metric: options.metric });
  flat.add(rows);
  let near = 0;
  let distances = 0;
  for (const query of queries) {
    const ids = new Set(flat.search(query, { k: 10 }).map(({ id }) => id));
    near += index.search(query, { k: 10, ef }).filter(({ id }) => ids.has(id)).length;
    distances += index.lastStats.distances;
  }
  flat.close();
  return { recall: near / queries.length / 10, distances: distances / queries.length };
}

describe("links at once what insertions would", () => {
  const rows = correlated(thorough(2600, 5200), D, 10, 5);
  const queries = rows.splice(-100);
  const half = Math.floor(rows.length * 0.7);
  for (const [name, options] of LAYOUTS) {
    it(`${name}, and into what is there`, async () => {
      const single = await made(options, ...inFews(rows));
      const whole = await made(options, rows);
      const grown = await made(options, rows.slice(0, half), rows.slice(half));
      for (const [how, index] of Object.entries({ whole, grown })) {
        expect(index.stats().unreachable).toBe(0);
        expect(unreachable(index)).toBe(0);
        for (const ef of [16, 64]) {
          const [own, before] = [
            await quality(index, options, rows, queries, ef),
            await quality(single, options, rows, queries, ef),
          ];
          expect(measured(`${name}, ${how}, ef ${ef}`, own.recall)).toBeGreaterThan(measured("one by one", before.recall) - 0.03);
          expect(measured("distances", own.distances)).toBeLessThan(measured("one by one", before.distances) * 1.3);
        }
        expect(index.stats().levels).toEqual(single.stats().levels);
      }
    });
  }

  it("takes fewer distances than a graph of insertions has links where data is clustered, and loses nobody", async () => {
    const clouds = clustered(3000, D, 3, 60);
    const options = { dimensions: D, metric: "l2", atOnce: true } as const;
    const grown = await made(options, clouds.slice(0, 1000), clouds.slice(1000, 1600), clouds.slice(1600));
    expect(unreachable(grown)).toBe(0);
    const { recall } = await quality(grown, options, clouds, clouds.slice(0, 60), 32);
    expect(measured("clustered", recall)).toBeGreaterThan(0.95);
  });
});

describe("the same graph", () => {
  const rows = clustered(2600, 33, 3);
  for (const options of [
    { atOnce: true },
    { fastScan: true },
    { atOnce: true, codec: "sq8", m: 6 },
    { fastScan: true, metric: "dot" },
    { atOnce: true, metric: "l1" },
    { atOnce: true, codec: { type: "pq", m: 11 }, trainAt: 600 },
    { atOnce: true, codec: { type: "pq", bits: 4, rotate: "random" }, metric: "dot", trainAt: 1600 },
    { atOnce: true, codec: { type: "rabitq", bits: 2 }, metric: "cosine" },
    { atOnce: true, codec: "rabitq", rerank: true },
  ] as const) {
    const all = { dimensions: 33, metric: "l2", ...options } as const;
    const built = async (threads: number, sliced: boolean): Promise<Uint8Array> => {
      await init({ variant: "relaxed" });
      const index = await Hnsw.create({ ...all, threads });
      for (const part of [rows.slice(0, 1500), rows.slice(1500)]) {
        if (sliced) await index.addAll(part);
        else index.add(part);
      }
      const bytes = index.toBytes();
      index.close();
      return bytes;
    };
    it(`${JSON.stringify(options)}, by however many threads, and in slices`, async () => {
      const [one, sliced] = [await built(1, false), await built(1, true)];
      // What addAll learns from in its second call was there before, and is linked by itself.
      if (!("trainAt" in options) || options.trainAt === 600) expectSameBytes(sliced, one);
      for (const threads of [2, 3]) {
        expectSameBytes(await built(threads, false), one);
        expectSameBytes(await built(threads, true), sliced);
      }
    });
  }
});

describe("while vectors wait to be linked", () => {
  const rows = correlated(3050, D, 10, 8);
  const queries = rows.splice(3000);
  const OPTIONS = [
    { dimensions: D, metric: "l2", atOnce: true },
    { dimensions: D, metric: "l2", fastScan: true },
    { dimensions: D, metric: "cosine", codec: "sq8", rerank: true, atOnce: true },
    { dimensions: D, metric: "l2", codec: { type: "pq", bits: 4, m: 32 }, rerank: true, atOnce: true },
  ] as const;
  /** All that wait are found by a look at each, and none twice. */
  const checkFound = async (index: Hnsw, options: Options, from: number): Promise<void> => {
    for (const [i, row] of rows.slice(from, index.size).entries()) {
      if (i % 97) continue;
      const hits = index.search(row, { k: 20 });
      expect(hits.map(({ id }) => id)).toContain(from + i);
      expect(new Set(hits.map(({ id }) => id)).size).toBe(20);
    }
    const { recall } = await quality(index, options, rows.slice(0, index.size), queries, 100);
    expect(recall).toBeGreaterThan(0.97);
  };

  for (const options of OPTIONS) {
    it(`${JSON.stringify(options)}: searches between steps, whatever the step`, async () => {
      const index = await made(options, rows.slice(0, 1200));
      const engine = engineOf(index);
      // Waits for a signal that comes as soon as all are stored.
      const stop = new AbortController();
      const reason = new Error("enough");
      const over = index.addAll(rows.slice(1200), {
        signal: stop.signal,
        onProgress: ({ done }) => void (done === 1800 && stop.abort(reason)),
      });
      expect(await thrownBy(() => over)).toBe(reason);
      expect(index.size).toBe(3000);
      expect(engine.state("pending")).toBe(1800);
      let steps = 0;
      const { exports } = engine;
      for (let done = 0; !done; steps++) {
        done = engine.done(exports.linkPending?.(true) ?? 1);
        if (steps % 23 === 0) await checkFound(index, options, 1200);
      }
      expect(steps).toBeGreaterThan(50);
      expect(unreachable(index)).toBe(0);
      await checkFound(index, options, 1200);
      expectSameBytes(index.toBytes(), (await made(options, rows.slice(0, 1200), rows.slice(1200))).toBytes());
    });

    it(`${JSON.stringify(options)}: an abort in any slice keeps a whole index, which is saved, changed and linked later`, async () => {
      for (const after of thorough([3, 40], [1, 3, 10, 20, 40, 60, 90])) {
        const index = await made(options, rows.slice(0, 1000));
        const stop = new AbortController();
        let slices = 0;
        await thrownBy(() =>
          index.addAll(rows.slice(1000, 2500), {
            signal: stop.signal,
            onProgress: () => void (++slices === after && stop.abort()),
          }),
        );
        const size = index.size;
        await checkFound(index, options, 1000);
        const loaded = (await load(index.toBytes())) as Hnsw;
        expect(loaded.size).toBe(size);
        await checkFound(loaded, options, 1000);
        for (const one of [index, loaded]) {
          expect(one.remove([3, size - 1, size - 2])).toBe(3);
          one.add(
            rows.slice(size),
            Uint32Array.from(rows.slice(size), (_, i) => size + i),
          );
          expect(engineOf(one).state("pending")).toBe(0);
          expect(unreachable(one)).toBe(0);
        }
        expectSameBytes(loaded.toBytes(), index.toBytes());
        await index.compact();
        expect(index.size).toBe(rows.length - 3);
        expect(unreachable(index)).toBe(0);
      }
    });

    it(`${JSON.stringify(options)}: adds, removals, saves, filters and compact() between slices`, async () => {
      const index = await made(options, rows.slice(0, 1000));
      let slices = 0;
      let others = 0;
      let compacted: Promise<void> | undefined;
      await index.addAll(rows.slice(1000, 2600), {
        ids: rows.slice(1000, 2600).map((_, i) => 1000 + i),
        onProgress: () => {
          slices++;
          if (slices % 4 === 1 && others < 60) index.add([rows[2600 + others]], [5000 + others++]);
          if (slices % 5 === 2) index.remove([slices, 1000 + slices]);
          if (slices % 7 === 3) expect(index.toBytes().length).toBeGreaterThan(0);
          if (slices % 6 === 4) {
            const filter = index.prepareFilter((id) => id % 2 === 1);
            for (const { id } of index.search(queries[0], { filter })) expect(id % 2).toBe(1);
            filter.close();
          }
          if (slices === 6) compacted = index.compact();
        },
      });
      await compacted;
      expect(engineOf(index).state("pending")).toBe(0);
      expect(unreachable(index)).toBe(0);
      for (let i = 0; i < others; i++) expect(index.search(rows[2600 + i], { k: 1, ef: 100 })[0].id).toBe(5000 + i);
      const again = (await load(index.toBytes())) as Hnsw;
      expectSameBytes(again.toBytes(), index.toBytes());
    });
  }

  it("many equal and some removed while they wait", async () => {
    const options = OPTIONS[1];
    const crowd = Array.from({ length: 1500 }, (_, i) => (i % 3 ? rows[0].slice() : rows[i]));
    const index = await made(options, rows.slice(0, 700));
    const stop = new AbortController();
    await thrownBy(() =>
      index.addAll(crowd, { signal: stop.signal, onProgress: ({ done }) => void (done === 1500 && stop.abort()) }),
    );
    const { exports } = engineOf(index);
    for (let i = 0; i < 12; i++) exports.linkPending?.(true);
    expect(index.remove([0, 700, 701, 702, 703, 2199])).toBe(6);
    exports.stopLinking?.();
    expect((await load(index.toBytes())).size).toBe(index.size);
    expect(index.remove([704, 705])).toBe(2);
    index.add(rows.slice(700, 760));
    expect(index.size).toBe(2200 - 8 + 60);
    expect(unreachable(index)).toBe(0);
    expect(index.search(rows[0], { k: 900, ef: 900 }).filter(({ distance }) => distance === 0).length).toBeGreaterThan(890);
    index.remove(index.ids());
    expect(index.size).toBe(0);
    index.add(rows);
    expect(unreachable(index)).toBe(0);
  });
});

it("threads are for what links many, and files say what does", async () => {
  await expectError(
    () => Hnsw.create({ dimensions: 4, threads: 2 }),
    "BAD_OPTION",
    /threads build graphs with fastScan or atOnce/,
  );
  const index = await made({ dimensions: 4, atOnce: true }, gaussians(600, 4, 1));
  expect(index.stats().options.atOnce).toBe(true);
  expect(((await load(index.toBytes())) as Hnsw).stats().options.atOnce).toBe(true);
});
