// Graphs built at once: many vectors added to `Hnsw.create({ fastScan: true })` in one call.
import { Flat, Hnsw, type HnswOptions, init, load } from "vicinal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/border/engine.js";
import { expectSameBytes, measured, numbered, recallOf, truthOf } from "../support/answers.js";
import { allowRelaxed, VARIANTS } from "../support/cases.js";
import { clustered, correlated, DIMENSIONS, gauss, gaussians, random } from "../support/data.js";
import { expectError } from "../support/errors.js";
import { thorough } from "../support/thorough.js";
import { tightest } from "../support/tightest.js";

allowRelaxed();
afterAll(() => init({ variant: "simd" }));

const METRICS = ["l2", "cosine", "dot"] as const;
const FAST = { fastScan: true, metric: "l2" } as const;
/** Fewer at a time are inserted one by one. */
const FEW = 500;

type Options = Partial<HnswOptions> & { dimensions: number };

async function atOnce(options: Options, rows: readonly Float32Array[]): Promise<Hnsw> {
  const index = await Hnsw.create({ ...FAST, ...options });
  index.add(rows);
  return index;
}

/** By insertions. */
async function oneByOne(options: Options, rows: readonly Float32Array[]): Promise<Hnsw> {
  const index = await Hnsw.create({ ...FAST, ...options });
  for (let i = 0; i < rows.length; i += FEW) index.add(rows.slice(i, i + FEW));
  return index;
}

describe("distances within a leaf", () => {
  for (const variant of VARIANTS) {
    describe(variant, () => {
      beforeAll(async () => {
        await init({ variant });
      });
      it.each(["l2", "l1"] as const)("of every length of vector, up to rounding, %s", async (metric) => {
        const own = { m: 4, efConstruction: 8, ...(metric === "l1" && { metric, fastScan: false, atOnce: true }) };
        for (const dimensions of DIMENSIONS) {
          for (const n of [2, 3, 7, 18, 37]) {
            const rows = gaussians(n, dimensions, dimensions + n, 3).map((row) => row.map((x, j) => x + 100 * j));
            const index = await oneByOne({ dimensions, ...own }, rows);
            const { engine } = index as unknown as { engine: Engine };
            const padded = (n + 3) & ~3;
            engine.scope(() => {
              const slots = engine.writeU32(Uint32Array.from(rows, (_, i) => i));
              const out = engine.alloc(padded * padded * 4);
              const scale = engine.exports.distancesOfLeaf?.(slots, n, out) ?? 0;
              const found = new Int32Array(engine.u32().buffer, out, padded * padded);
              for (let i = 0; i < n; i++) {
                for (let j = 0; j < n; j++) {
                  const differences = rows[i].map((x, at) => Math.abs(x - rows[j][at]));
                  const exact = metric === "l1" ? differences.reduce((sum, x) => sum + x, 0) : Math.hypot(...differences);
                  const distance = metric === "l1" ? found[i * padded + j] : Math.sqrt(found[i * padded + j]);
                  // Each value is off by half at most.
                  const most = metric === "l1" ? dimensions : Math.sqrt(dimensions);
                  const off = Math.abs(distance - exact * scale);
                  expect(off, `${dimensions} dimensions, ${n} rows, ${i} to ${j}`).toBeLessThanOrEqual(most * 1.01 + 0.1);
                }
              }
            });
            index.close();
          }
        }
      });
    });
  }
});

const withLength = (row: Float32Array, length: number): Float32Array => row.map((x) => (x * length) / Math.hypot(...row));
/** Of row i: spread evenly over the logarithms of what a case says. */
function lengthOf(name: string, i: number): number {
  const share = (i * 0.618034) % 1;
  if (name.endsWith("from one half to two")) return 2 ** (2 * share - 1);
  const [, longest] = name.match(/from 1 to (\d+)$/) ?? [];
  return longest === undefined ? 1 : Number(longest) ** share;
}

describe("finds what insertions one by one find", () => {
  const CASES: [string, Options][] = [
    ["l2", { dimensions: 40 }],
    ["cosine", { dimensions: 40, metric: "cosine" }],
    ["dot of equal lengths", { dimensions: 40, metric: "dot" }],
    ["dot of lengths from one half to two", { dimensions: 40, metric: "dot" }],
    ["dot of lengths from 1 to 1000", { dimensions: 40, metric: "dot" }],
    ["dot of lengths from 1 to 10000000", { dimensions: 40, metric: "dot" }],
    ["augmented dot of lengths from one half to two", { dimensions: 40, metric: "dot", mips: "augment" }],
    ["f16", { dimensions: 40, codec: "f16" }],
    ["sq8", { dimensions: 40, codec: "sq8", rerank: true }],
    ["m 4", { dimensions: 40, m: 4 }],
    ["m 40", { dimensions: 40, m: 40 }],
    ["one dimension", { dimensions: 1 }],
  ];
  for (const [name, options] of CASES) {
    it(name, async () => {
      const { dimensions, metric = "l2" } = options;
      const rows = correlated(thorough(3100, 6100), dimensions, 12, 5);
      if (metric === "dot") for (const [i, row] of rows.entries()) row.set(withLength(row, lengthOf(name, i)));
      const queries = rows.splice(-100);
      const truth = await truthOf(metric, numbered(rows), queries);
      const [bulk, single] = await Promise.all([atOnce(options, rows), oneByOne(options, rows)]);
      for (const ef of [10, 40, 160]) {
        const [found, before] = [bulk, single].map((index) => recallOf(index, queries, truth, { ef }));
        expect(measured(`${name}, ef ${ef}`, found)).toBeGreaterThan(measured("one by one", before) - 0.03);
      }
      expect(bulk.stats().levels).toEqual(single.stats().levels);
    });
  }
});

it("under dot who is nearest by distance takes no place from the products", async () => {
  const [n, d] = [12_000, 128];
  const next = random(7);
  const longer = gaussians(n + 100, d, 1).map((row) => {
    const length = Math.exp(0.5 * gauss(next));
    return row.map((x) => length * x);
  });
  const queries = longer.splice(n);
  const truth = await truthOf("dot", numbered(longer), queries);
  const index = await atOnce({ dimensions: d, metric: "dot" }, longer);
  expect(measured("dot, lengths as e^x", recallOf(index, queries, truth, { ef: 20 }))).toBeGreaterThan(0.95); // were they offered before all products: .87
  index.close();
});

it("more vectors under dot than may be hubs", async () => {
  const rows = correlated(9100, 24, 12, 9).map((row, i) => withLength(row, lengthOf("from one half to two", i)));
  const queries = rows.splice(9000);
  const truth = await truthOf("dot", numbered(rows), queries);
  const options = { dimensions: 24, metric: "dot" } as const;
  const [bulk, single] = await Promise.all([atOnce(options, rows), oneByOne(options, rows)]);
  const [found, before] = [bulk, single].map((index) => recallOf(index, queries, truth, { ef: 20 }));
  expect(measured("at once", found)).toBeGreaterThan(measured("one by one", before) - 0.02);
});

describe("what leaves cannot tell apart", () => {
  const around = gaussians(1, 48, 1)[0];
  const SETS: Record<string, () => Float32Array[]> = {
    "all equal": () => Array.from({ length: 1500 }, () => around.slice()),
    "many equal, some not": () => [...Array.from({ length: 900 }, () => around.slice()), ...gaussians(900, 48, 2)],
    "a cloud far smaller than its distance from the others": () => [
      ...gaussians(700, 48, 3, 1e-5).map((row) => row.map((x, j) => x + around[j])),
      ...gaussians(1500, 48, 4, 5),
    ],
    "a cloud far from the origin": () => gaussians(2000, 48, 5).map((row) => row.map((x, j) => x * 0.01 + 300 * around[j])),
    "two clouds far apart": () =>
      [0, 1e6].flatMap((away) => gaussians(1000, 48, 6 + away).map((row) => row.map((x) => x + away))),
    "zero vectors": () => [...Array.from({ length: 700 }, () => new Float32Array(48)), ...gaussians(700, 48, 7)],
    "tiny values": () => gaussians(1200, 48, 8, 1e-18),
    "huge values": () => gaussians(1200, 48, 9, 1e17),
    "small clouds": () => clustered(3000, 48, 10, 200),
    "many equal, which are longer than the others": () => [
      ...Array.from({ length: 900 }, () => around.map((x) => 3 * x)),
      ...gaussians(900, 48, 11),
    ],
    "nearly all of one direction": () => gaussians(1500, 48, 12).map((row, i) => row.map((x, j) => x + (i % 90) * around[j])),
  };
  for (const [i, [name, make]] of Object.entries(SETS).entries()) {
    for (const metric of thorough([METRICS[i % 3]], METRICS)) {
      it(`${name}, ${metric}`, async () => {
        const rows = make();
        const queries = Array.from({ length: 60 }, (_, i) => rows[Math.floor((i * rows.length) / 60)].map((x) => x * 1.0001));
        const flat = await Flat.create({ dimensions: 48, metric });
        flat.add(rows);
        const [bulk, single] = await Promise.all([
          atOnce({ dimensions: 48, metric }, rows),
          oneByOne({ dimensions: 48, metric }, rows),
        ]);
        // By distance: many are equal, or as good as that.
        const [found, before] = [bulk, single].map((index) => {
          let near = 0;
          for (const query of queries) {
            const tenth = flat.search(query, { k: 10 })[9].distance;
            const bound = tenth + Math.abs(tenth) * 1e-5 + 1e-7;
            near += index.search(query, { k: 10, ef: 100 }).filter(({ distance }) => distance <= bound).length;
          }
          return near / queries.length / 10;
        });
        // A crowd in the middle is a trap for any graph; which walks get out of it is chance.
        const slack = name.startsWith("a cloud far smaller") ? 0.15 : 0.02;
        expect(measured(`${name}, ${metric}`, found)).toBeGreaterThan(Math.min(measured("one by one", before), 0.999) - slack);
        // As many as are asked for, whether or not the walk has reached them.
        expect(bulk.search(rows[0], { k: rows.length, ef: rows.length })).toHaveLength(rows.length);
      });
    }
  }
});

describe("the same graph", () => {
  const rows = clustered(3000, 33, 3);
  for (const metric of ["l2", "dot"] as const) {
    const build = async (variant: (typeof VARIANTS)[number], threads = 1): Promise<Uint8Array> => {
      await init({ variant });
      const index = await atOnce({ dimensions: 33, metric, threads }, rows);
      const bytes = index.toBytes();
      index.close();
      return bytes;
    };
    it(`${metric}, by scalar and simd builds, and again`, async () => {
      const first = await build("simd");
      expectSameBytes(await build("scalar"), first);
      expectSameBytes(await build("simd"), first);
    });
    it(`${metric}, by however many threads`, async () => {
      const one = await build("relaxed");
      for (const threads of [2, 3, 8]) expectSameBytes(await build("relaxed", threads), one);
    });
  }
});

describe("threads", () => {
  it("build again and again, and end", async () => {
    const index = await Hnsw.create({ ...FAST, dimensions: 8, threads: 3 });
    expect(index.stats().variant).toBe("threads");
    const rows = gaussians(4800, 8, 11);
    for (const [from, to] of [
      [0, 600],
      [600, 1200],
      [1200, 2400],
      [2400, 4800],
    ]) {
      index.add(rows.slice(from, to));
    }
    const truth = await truthOf("l2", numbered(rows), rows.slice(0, 100));
    expect(recallOf(index, rows.slice(0, 100), truth, { ef: 60 })).toBeGreaterThan(0.98);
    index.close();
  });
  it("are for fastScan", async () => {
    await expectError(() => Hnsw.create({ dimensions: 4, threads: 2 }), "BAD_OPTION", /threads build graphs with fastScan/);
    await expectError(() => Hnsw.create({ ...FAST, dimensions: 4, threads: 0 }), "BAD_OPTION", /threads/);
  });
  it("have work even where memory leaves them no scratch", async () => {
    const rows = gaussians(2000, 24, 12);
    const whole = await oneByOne({ dimensions: 24 }, rows);
    const tight = await Hnsw.create({ ...FAST, dimensions: 24, threads: 8, maxBytes: whole.stats().bytes + (4 << 20) });
    tight.add(rows);
    expectSameBytes(tight.toBytes(), (await atOnce({ dimensions: 24 }, rows)).toBytes());
    tight.close();
  });
});

describe("as the index grows", () => {
  const rows = correlated(5050, 24, 8, 6);
  const queries = rows.splice(5000);

  it("as many again make the graph anew, fewer are inserted; removals and free slots are inserted into", async () => {
    const index = await Hnsw.create({ ...FAST, dimensions: 24 });
    index.add(rows.slice(0, 100));
    index.add(rows.slice(100, 900)); // anew
    index.add(rows.slice(900, 1500)); // inserted
    index.remove([3, 700, 1400]);
    index.add(rows.slice(1500, 3500)); // inserted: some are removed
    index.add(rows.slice(3500));
    const kept = numbered(rows);
    for (const id of [3, 700, 1400]) kept.delete(id);
    const truth = await truthOf("l2", kept, queries);
    expect(measured("grown", recallOf(index, queries, truth, { ef: 80 }))).toBeGreaterThan(0.97);
    const again = (await load(index.toBytes())) as Hnsw;
    expect(recallOf(again, queries, truth, { ef: 80 })).toBe(recallOf(index, queries, truth, { ef: 80 }));
  });

  it("a caller's vectors that change while they are read leave the index whole", async () => {
    let reads = 0;
    const sly = rows.slice(0, 3000).map((row) => row.slice());
    const index = await Hnsw.create({ ...FAST, dimensions: 24 });
    const vectors = new Proxy(sly, {
      get: (target, key) => (key === "2500" && reads++ > 1 ? new Float32Array(24).fill(Number.NaN) : Reflect.get(target, key)),
    });
    try {
      index.add(vectors);
    } catch {
      // some of them stay
    }
    expect(index.size).toBeGreaterThan(1000);
    const truth = await truthOf("l2", numbered(rows.slice(0, index.size)), queries);
    expect(recallOf(index, queries, truth, { ef: 100 })).toBeGreaterThan(0.97);
  });

  it("where memory has no room to build at once, vectors are inserted one by one", async () => {
    const single = await oneByOne({ dimensions: 24 }, rows);
    const tight = await tightest(
      (maxBytes) => Hnsw.create({ ...FAST, dimensions: 24, maxBytes }),
      rows,
      single.stats().bytes,
      2 ** 16,
    );
    // Strays are looked for after each insertion there, and here once at the end: how far they have come is all that differs.
    for (const { engine } of [tight, single] as unknown as { engine: Engine }[]) engine.setState("unsought", 0);
    expectSameBytes(tight.toBytes(), single.toBytes());
  });

  it("takes scratch of a few MB and some tens of bytes per vector", async () => {
    const [bulk, single] = await Promise.all([atOnce({ dimensions: 24 }, rows), oneByOne({ dimensions: 24 }, rows)]);
    expect(measured("MB", (bulk.stats().bytes - single.stats().bytes) / 1e6)).toBeLessThan(2.5);
  });
});
