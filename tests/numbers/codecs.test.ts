// What each codec promises of its numbers, against plain JS: what is kept, how far a distance may be off, what training says.
import { Flat, Hnsw, type IndexOptions, Ivf, init, Lsh, load, type PqOptions, type Variant, type VectorIndex } from "vicinal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DOT_METRICS, METRICS, type Metric } from "../../src/words/kinds.js";
import { expectSameBytes, measured, nearest, numbered, recallOf, truthOf } from "../support/answers.js";
import { allowRelaxed, VARIANTS } from "../support/cases.js";
import { correlated, gaussians, random, shuffled } from "../support/data.js";
import { expectError } from "../support/errors.js";
import { thorough } from "../support/thorough.js";
import { VicFile } from "../support/vic.js";

allowRelaxed();
const VARIANT = await init();

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => -METRICS.dot.exact(a, b);
const squared = (a: ArrayLike<number>, b: ArrayLike<number>): number => METRICS.l2.exact(a, b) ** 2;
const scaled = (v: Float32Array, factor: number): Float32Array => v.map((x) => factor * x);
const less = (a: Float32Array, b: ArrayLike<number>): Float32Array => a.map((x, i) => x - b[i]);

/** Distances by id, as a scan of everything has them. */
function distances(index: VectorIndex, query: Float32Array): number[] {
  const out: number[] = [];
  for (const { id, distance } of index.search(query, { k: Math.max(index.size, 1) })) out[id] = distance;
  return out;
}

/** Trained on these rows, and with them. */
async function flatOf(rows: Float32Array[], own: Partial<IndexOptions>): Promise<Flat> {
  const index = await Flat.create({ dimensions: rows[0].length, metric: "l2", ...own });
  if (!index.trained) await index.train(rows);
  index.add(rows);
  return index;
}

describe("f16 and bf16 round to the nearest, ties to even", () => {
  /** x on a grid of `bits` significant bits, no finer than 2^least. */
  function rounded(x: number, bits: number, least: number, largest: number): number {
    const size = Math.min(Math.abs(x), largest);
    let exponent = Math.floor(Math.log2(size || 1));
    if (2 ** exponent > size && size) exponent--;
    const step = 2 ** Math.max(exponent - bits + 1, least);
    const steps = size / step;
    const low = Math.floor(steps);
    const up = steps - low > 0.5 || (steps - low === 0.5 && low % 2 === 1);
    return (x < 0 || Object.is(x, -0) ? -1 : 1) * (low + Number(up)) * step;
  }
  const halves = { f16: [11, -24, 65504], bf16: [8, -133, 3.38e38] } satisfies Record<string, [number, number, number]>;

  const next = random(1);
  const bits = new Uint32Array(1);
  const asFloat = new Float32Array(bits.buffer);
  const anyFloat = (): number => {
    do bits[0] = Math.floor(next() * 2 ** 32);
    while (!(Math.abs(asFloat[0]) < 2 ** 60));
    return asFloat[0];
  };
  const powers = Array.from({ length: 60 }, (_, i) => 2 ** (i - 40));
  const edges = [
    ...powers.flatMap((x) => [x, x * (1 + 2 ** -11), x * (1 + 3 * 2 ** -11), x * (1 + 2 ** -8), x * (1 + 3 * 2 ** -8)]),
    ...powers.flatMap((x) => [x * (1 - 2 ** -24), x * (1 + 2 ** -23), x * (1 + 2 ** -11 + 2 ** -23), x * 1.2345678]),
    ...[0, 2 ** -24, 2 ** -25, 1.5 * 2 ** -24, 2.5 * 2 ** -24, 3 * 2 ** -26, 1023.5 * 2 ** -24, 2 ** -14, 1e-45, 1e-40, 1e-38],
    ...[65503, 65504, 65519.99, 65520, 65536, 1e5, 1e18, 2 ** 60, 1 / 3, Math.PI],
  ];
  const values = Float32Array.from([...edges, ...edges.map((x) => -x), ...Array.from({ length: 4000 }, anyFloat)]);

  it.each(["f16", "bf16"] as const)("%s keeps what plain JS does", async (codec) => {
    const index = await Flat.create({ dimensions: values.length, metric: "l2", codec });
    const largest = halves[codec][2];
    const beyond = codec === "f16" ? [values] : [];
    for (const vector of beyond) await expectError(() => index.add([vector]), "TOO_LARGE", /beyond 65504, the largest in f16/);
    const fitting = values.map((x) => (Math.abs(x) > largest ? 1 : x));
    index.add([fitting]);
    expect(index.get(0)).toEqual(fitting.map((x) => rounded(x, ...halves[codec])));
    // What was rounded once stays.
    const kept = index.get(0)!;
    index.add([kept]);
    expect(index.get(1)).toEqual(kept);
  });

  it.each(["f16", "bf16"] as const)("%s: distances are those to the kept rows", async (codec) => {
    for (const metric of DOT_METRICS) {
      const rows = gaussians(50, 37, 2);
      const [query] = gaussians(1, 37, 3);
      const index = await flatOf(rows, { metric, codec });
      distances(index, query).forEach((distance, id) => {
        const size = Math.hypot(...query) * Math.hypot(...rows[id]);
        const kept = index.get(id)!;
        // Under cosine it is the unit vector that is kept, and its length is not quite 1.
        const exact = metric === "cosine" ? 1 - dot(query, kept) / size : METRICS[metric].exact(query, kept);
        expect(Math.abs(distance - exact)).toBeLessThan(2e-6 * (metric === "cosine" ? 1 : size));
      });
    }
  });
});

describe("binary under cosine", () => {
  it.each([1, 7, 64, 100, 131])("%d dimensions: signs that differ, as an angle", async (d) => {
    const rows = gaussians(40, d, d);
    const [query] = gaussians(1, d, d + 1);
    const index = await flatOf(rows, { metric: "cosine", codec: "binary" });
    distances(index, query).forEach((distance, id) => {
      const differing = METRICS.hamming.exact(query, rows[id]);
      expect(distance).toBeCloseTo(1 - Math.cos((Math.PI * differing) / d), 5);
      const length = Math.hypot(...rows[id]);
      const kept = index.get(id)!;
      for (const [i, x] of rows[id].entries()) expect(kept[i]).toBeCloseTo((x > 0 ? length : -length) / Math.sqrt(d), 4);
    });
  });
});

describe("pq", () => {
  /** Where the parts of d dimensions begin: the first ones are longer by one where m does not divide d. */
  const partsOf = (d: number, m: number): number[] =>
    Array.from({ length: m + 1 }, (_, j) => j * Math.floor(d / m) + Math.min(j, d % m));

  /** How far 4 bits may be off: half a step of the u8 tables per part, a step being the widest range of two tables / 254. */
  function tableError(
    of: (q: Float32Array, x: Float32Array) => number,
    query: Float32Array,
    kept: Float32Array[],
    m: number,
  ): number {
    const starts = partsOf(query.length, m);
    const ranges = Array.from({ length: m }, (_, j) => {
      const part = (v: Float32Array): Float32Array => v.subarray(starts[j], starts[j + 1]);
      const sums = kept.map((x) => of(part(query), part(x)));
      return Math.max(...sums) - Math.min(...sums);
    });
    const pairs = Array.from({ length: Math.ceil(m / 2) }, (_, i) => ranges[2 * i] + (ranges[2 * i + 1] ?? 0));
    return ((m / 2) * Math.max(...pairs)) / 254;
  }

  /** |q - x|^2, half of it between unit vectors, or the negative dot: what a search's distance is made of. */
  function rawOf(metric: Metric, query: Float32Array, kept: Float32Array, given: Float32Array): number {
    if (metric === "dot") return -dot(query, kept);
    if (metric === "l2") return squared(query, kept);
    return squared(scaled(query, 1 / Math.hypot(...query)), scaled(kept, 1 / Math.hypot(...given))) / 2;
  }

  const cases: [d: number, own: Omit<PqOptions, "type">][] = [
    [67, { m: 5, bits: 8 }],
    [67, { m: 5, bits: 4 }],
    [67, { m: 67, bits: 4 }],
    [24, { m: 1, bits: 8 }],
    [32, { m: 8, bits: 8, rotate: "random" }],
    [32, { m: 8, bits: 4, rotate: "random" }],
    [20, { m: 6, bits: 8, rotate: "opq" }],
    [20, { m: 6, bits: 4, rotate: "opq" }],
    [1, { m: 1, bits: 4 }],
  ];
  describe.each(cases)("d %d, %o", (d, own) => {
    const rows = correlated(600, d, 8, d);
    const queries = correlated(5, d, 8, d + 1);

    it.each(DOT_METRICS)("%s: distances are those to the decoded rows", async (metric) => {
      const index = await flatOf(rows, { metric, codec: { type: "pq", ...own } });
      const kept = rows.map((_, id) => index.get(id)!);
      const unit = kept.map((x, id) => (metric === "cosine" ? scaled(x, 1 / Math.hypot(...rows[id])) : x));
      for (const query of queries) {
        const q = metric === "cosine" ? scaled(query, 1 / Math.hypot(...query)) : query;
        // Parts of a turned space cannot be told here: one table may hold the whole range.
        const turned = own.rotate !== undefined;
        const table = tableError(metric === "dot" ? (a, b) => -dot(a, b) : squared, q, unit, turned ? 1 : own.m!);
        const off = own.bits === 4 ? (metric === "cosine" ? 0.5 : 1) * table * (turned ? own.m! : 1) : 0;
        for (const [id, distance] of distances(index, query).entries()) {
          const raw = METRICS[metric].raw(distance);
          const exact = rawOf(metric, query, kept[id], rows[id]);
          const size = metric === "cosine" ? 1 : dot(query, query) + dot(kept[id], kept[id]);
          expect(Math.abs(raw - exact), `id ${id}: ${raw}, exactly ${exact}`).toBeLessThanOrEqual(off + 2e-6 * size);
        }
      }
    });
  });

  it.each([8, 4] as const)("%d bits: symmetric distances are those between codes", async (bits) => {
    const rows = correlated(600, 24, 8, 1);
    const index = await flatOf(rows, { codec: { type: "pq", m: 6, bits, symmetric: true } });
    for (const query of correlated(5, 24, 8, 2)) {
      const found = distances(index, query);
      index.add([query], [9999]);
      const code = index.get(9999)!;
      index.remove(9999);
      const off =
        bits === 4
          ? tableError(
              squared,
              code,
              rows.map((_, id) => index.get(id)!),
              6,
            )
          : 0;
      found.forEach((distance, id) => {
        const exact = squared(code, index.get(id)!);
        expect(Math.abs(distance * distance - exact)).toBeLessThanOrEqual(off + 1e-5 * (exact + dot(code, code)));
      });
    }
  });

  it("a walk's codes say the same as a scan's, by tables of f32", async () => {
    const rows = correlated(600, 67, 8, 3);
    const codec = { type: "pq", m: 5, bits: 4 } as const;
    const graph = await Hnsw.create({ dimensions: 67, metric: "l2", codec });
    await graph.train(rows);
    graph.add(rows);
    for (const query of correlated(5, 67, 8, 4)) {
      for (const { id, distance } of graph.search(query, { k: 600, exact: true })) {
        const exact = METRICS.l2.exact(query, graph.get(id)!);
        expect(Math.abs(distance - exact)).toBeLessThanOrEqual(1e-4 * exact);
      }
    }
  });

  // Twenty vectors, a hundred times each, so that every cut falls among equals.
  for (const kind of [Flat, Ivf]) {
    it(`of equal codes in groups the lower ids are nearest: ${kind.name}`, async () => {
      const own = kind === Ivf ? { nlist: 4, nprobe: 4 } : {};
      const distinct = gaussians(20, 16, 3);
      const rows = Array.from({ length: 2000 }, (_, i) => distinct[(i * 7) % 20]);
      const ids = shuffled(rows.keys(), 4);
      for (const variant of ["scalar", "simd"] as const) {
        await init({ variant });
        const index = await kind.create({ dimensions: 16, metric: "l2", codec: { type: "pq", m: 4, bits: 4 }, ...own });
        await index.train(rows);
        index.add(rows, ids);
        for (const query of gaussians(5, 16, 5)) {
          const all = index.search(query, { k: 2000 });
          const sorted = [...all].sort((a, b) => a.distance - b.distance || a.id - b.id);
          expect(all).toEqual(sorted);
          for (const k of [1, 10, 99, 250, 1999]) expect(index.search(query, { k })).toEqual(all.slice(0, k));
        }
      }
      await init({ variant: VARIANT });
    });
  }

  it("tables of 600 parts do not overflow", async () => {
    const d = 1200;
    const rows = gaussians(80, d, 5, 100);
    const index = await flatOf(rows, { codec: { type: "pq", m: 600, bits: 4 } });
    const kept = rows.map((_, id) => index.get(id)!);
    for (const query of [...gaussians(2, d, 6, 100), new Float32Array(d).fill(1e4)]) {
      const off = tableError(squared, query, kept, 600);
      for (const [id, distance] of distances(index, query).entries()) {
        const exact = squared(query, kept[id]);
        expect(Math.abs(distance * distance - exact)).toBeLessThanOrEqual(off + 1e-5 * exact);
      }
    }
  });

  it.each([
    ["flat", { m: 6, bits: 8 }],
    ["flat", { m: 7, bits: 4, rotate: "random" }],
    ["flat", { m: 6, bits: 4, rotate: "opq" }],
    ["ivf", { m: 6, bits: 8 }],
    ["ivf", { m: 6, bits: 4, residual: true }],
  ] as const)("%s %o: train() reports the mean squared error", async (kind, own) => {
    const rows = correlated(800, 48, 10, 7);
    const codec = { type: "pq", ...own } as const;
    const options = { dimensions: 48, metric: "l2", codec } as const;
    const index = kind === "flat" ? await Flat.create(options) : await Ivf.create({ ...options, nlist: 8 });
    const report = await index.train(rows);
    index.add(rows);
    const error = rows.reduce((sum, row, id) => sum + squared(row, index.get(id)!), 0) / rows.length;
    expect(report.vectors).toBe(800);
    expect(report.error! / error).toBeCloseTo(1, 4);
    expect(index.stats().error).toBe(report.error);
    // Much less than there is to lose.
    const mean = rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);
    const spread = rows.reduce((sum, row) => sum + squared(row, mean), 0) / rows.length;
    expect(error).toBeLessThan(spread / 2);
  });

  it("opq loses no more than no rotation, and less where dimensions go together", async () => {
    const rows = correlated(2000, 32, 6, 9).map((row) => row.map((x, j) => x * (1 + (j % 8))));
    const errors: number[] = [];
    for (const rotate of ["none", "opq"] as const) {
      const index = await Flat.create({ dimensions: 32, metric: "l2", codec: { type: "pq", m: 4, rotate } });
      errors.push((await index.train(rows)).error!);
    }
    expect(measured("opq error / none", errors[1] / errors[0])).toBeLessThan(0.65); // measured .537
    const plain = gaussians(1500, 16, 10);
    const [none, opq] = await Promise.all(
      (["none", "opq"] as const).map(async (rotate) => {
        const index = await Flat.create({ dimensions: 16, metric: "l2", codec: { type: "pq", m: 4, rotate } });
        return (await index.train(plain)).error!;
      }),
    );
    expect(measured("opq error / none, nothing to gain", opq / none)).toBeLessThan(1.01); // .995
  });
});

describe("what is learned does not depend on the unit of the values", () => {
  const D = 16;
  const rows = correlated(1000, D, 4, 11);
  const LEARNERS: Record<string, (options: IndexOptions) => Promise<VectorIndex>> = {
    pq: (options) => Flat.create({ ...options, codec: { type: "pq", m: 4, bits: 4 } }),
    "pq with opq": (options) => Flat.create({ ...options, codec: { type: "pq", m: 4, bits: 4, rotate: "opq" } }),
    rabitq: (options) => Flat.create({ ...options, codec: { type: "rabitq", bits: 3 } }),
    "lists and rabitq": (options) => Ivf.create({ ...options, nlist: 4, codec: { type: "rabitq", bits: 3 } }),
    lists: (options) => Ivf.create({ ...options, nlist: 16, nprobe: 4 }),
    "lists and pq with opq": (options) => Ivf.create({ ...options, nlist: 4, codec: { type: "pq", m: 4, rotate: "opq" } }),
    widths: (options) => Lsh.create(options),
  };
  async function learned(make: (options: IndexOptions) => Promise<VectorIndex>, metric: Metric, unit: number): Promise<unknown> {
    const index = await make({ dimensions: D, metric, trainAt: rows.length });
    index.add(rows.map((row) => scaled(row, unit)));
    const { error } = index.stats();
    const hits = rows.slice(0, 20).map((row) => index.search(scaled(row, unit), { k: 5 }).map(({ id }) => id));
    return [index.trained, error && error / unit ** 2, hits];
  }

  // Powers of two, so that nothing rounds otherwise; squares stay within f32, of the largest just so.
  for (const [name, make] of Object.entries(LEARNERS)) {
    for (const metric of name === "widths" ? (["l2"] as const) : (["l2", "dot"] as const)) {
      it.each([2 ** 40, 2 ** 57, 2 ** -8, 2 ** -48])(`${name} under ${metric}, unit %d`, async (unit) => {
        expect(await learned(make, metric, unit)).toEqual(await learned(make, metric, 1));
      });
    }
  }

  it.each(Object.entries(LEARNERS))("%s of vectors that are all the same finds them", async (_, make) => {
    for (const value of [0, 3, 1e17]) {
      const index = await make({ dimensions: D, metric: "l2", trainAt: 300 });
      index.add(rows.slice(0, 300).map((row) => row.map(() => value)));
      const hits = index.search(new Float32Array(D).fill(value), { k: 3 });
      expect(index.trained).toBe(true);
      expect(hits).toHaveLength(3);
      for (const { distance } of hits) expect(distance).toBeLessThanOrEqual(1e-4 * Math.max(value, 0));
    }
  });
});

describe("training with opq in many dimensions", () => {
  it("tells how far it is, more than once a round, and ends where it is told to", async () => {
    const rows = gaussians(300, 320, 12);
    const index = await Flat.create({ dimensions: 320, metric: "l2", codec: { type: "pq", m: 20, rotate: "opq" } });
    index.add(rows);
    const before = index.toBytes();
    const controller = new AbortController();
    const until = (share: number, parts: number[]) => ({
      signal: controller.signal,
      onProgress: ({ done, total }: { done: number; total: number }) => {
        parts.push(done / total);
        if (done / total > share) controller.abort();
      },
    });
    const some: number[] = [];
    await expect(index.train(undefined, until(0.2, some))).rejects.toMatchObject({ name: "AbortError" });
    expect(some.at(-1)).toBeLessThan(0.5);
    expectSameBytes(index.toBytes(), before);
    const all: number[] = [];
    await index.train(undefined, { onProgress: ({ done, total }) => all.push(done / total) });
    expect(all).toEqual([...all].sort((a, b) => a - b));
    expect(new Set(all).size).toBeGreaterThan(20);
    expect(index.trained).toBe(true);
  });
});

describe("rabitq", () => {
  const mean = (rows: Float32Array[]): Float32Array =>
    rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);

  it("loses less with every bit, and train() says how much", async () => {
    const rows = correlated(250, 64, 10, 21);
    const errors: number[] = [];
    for (let bits = 1; bits <= 8; bits++) {
      const index = await Flat.create({ dimensions: 64, metric: "l2", codec: { type: "rabitq", bits } });
      const { error } = await index.train(rows);
      index.add(rows);
      const lost = rows.reduce((sum, row, id) => sum + squared(row, index.get(id)!), 0) / rows.length;
      expect(error! / lost).toBeCloseTo(1, 4);
      errors.push(error!);
    }
    for (let bits = 1; bits < 8; bits++) expect(errors[bits]).toBeLessThan(errors[bits - 1] / (bits < 2 ? 2 : 3));
  });

  // d 96: rotated as it is; 100: filled up to 112; 2100: sums longer than a u16 holds at once.
  it.each([
    [96, 1],
    [100, 1],
    [96, 3],
    [96, 8],
    [2100, 1],
    [2100, 5],
  ])("d %d, %d bits: estimates are unbiased, and their bounds hold", async (d, bits) => {
    const n = d > 1000 ? 100 : 250; // training looks at 256
    const rows = correlated(n, d, 20, d);
    const centre = mean(rows);
    const index = await flatOf(rows, { codec: { type: "rabitq", bits } });
    const file = new VicFile(index.toBytes());
    const { offset } = file.section("aux ");
    // Groups of 32 slots: 32 x what is added, 32 x scale, 32 x error.
    const bound = (slot: number): number => file.view.getFloat32(offset + (slot >> 5) * 384 + 256 + (slot & 31) * 4, true);
    let [sum, size, held, pairs, furthest] = [0, 0, 0, 0, 0];
    for (const query of correlated(20, d, 20, d + 5)) {
      const reach = Math.sqrt(squared(query, centre));
      distances(index, query).forEach((distance, id) => {
        const exact = squared(query, rows[id]);
        const off = distance * distance - exact;
        sum += off;
        size += exact;
        pairs++;
        if (off <= bound(id) * reach) held++;
        const estimate =
          squared(query, centre) + squared(rows[id], centre) - 2 * dot(less(query, centre), less(index.get(id)!, centre));
        // The code space of others has more dimensions than the vectors; the estimate's own rounding is that of u8 tables.
        if (d % 16 === 0) furthest = Math.max(furthest, Math.abs(distance * distance - estimate) / exact);
      });
    }
    expect(measured(`rabitq ${d} x ${bits}: furthest from the formula`, furthest)).toBeLessThan(0.01);
    expect(Math.abs(measured(`rabitq ${d} x ${bits}: mean error`, sum / size))).toBeLessThan(0.005); // measured at most .0013
    expect(measured(`rabitq ${d} x ${bits}: bounds that hold`, held / pairs)).toBeGreaterThanOrEqual(0.95); // measured at least .970
  });

  it.each(DOT_METRICS)("%s: an adaptive rerank needs few exact distances for nearly all", async (metric) => {
    const all = correlated(3100, 96, 24, 31);
    const rows = all.slice(0, 3000);
    const queries = all.slice(3000);
    const truth = await truthOf(metric, numbered(rows), queries);
    for (const [bits, most] of [
      [1, 160], // measured at most 141
      [4, 17], // 15.3
    ]) {
      const index = await flatOf(rows, { metric, codec: { type: "rabitq", bits }, rerank: { factor: "adaptive" } });
      const recall = measured(`adaptive ${metric} ${bits}`, recallOf(index, queries, truth));
      expect(recall).toBeGreaterThanOrEqual(0.99); // measured at least .998
      let reranked = 0;
      for (const query of queries) {
        index.search(query);
        reranked += index.lastStats.reranked;
      }
      expect(measured(`adaptive ${metric} ${bits} reranked`, reranked / queries.length)).toBeLessThanOrEqual(most);
    }
  });
});

describe("every variant reads a codec alike", () => {
  const CODECS: [string, Partial<IndexOptions>, tolerance: number][] = [
    ["f32", { codec: "f32" }, 1e-5],
    ["f16", { codec: "f16" }, 1e-5],
    ["bf16", { codec: "bf16" }, 1e-5],
    ["sq8", { codec: "sq8" }, 1e-5],
    ["pq 8", { codec: { type: "pq", m: 4 } }, 1e-5],
    ["pq 8 opq", { codec: { type: "pq", m: 4, rotate: "opq" } }, 1e-5],
    // u8 tables: where a value lies between two steps, rounding decides.
    ["pq 4", { codec: { type: "pq", m: 18, bits: 4 } }, 0.01],
    ["pq 4 random", { codec: { type: "pq", m: 18, bits: 4, rotate: "random" } }, 0.01],
    ["rabitq 1", { codec: { type: "rabitq", bits: 1 } }, 0.01],
    ["rabitq 4", { codec: { type: "rabitq", bits: 4 } }, 0.01],
    ["rabitq 8", { codec: { type: "rabitq", bits: 8 } }, 0.001],
  ];
  const D = 37;
  const rows = correlated(300, D, 8, 41);
  const queries = correlated(5, D, 8, 42);
  const runnable: Variant[] = [];
  beforeAll(async () => {
    for (const variant of VARIANTS) {
      await init({ variant }).then(
        () => runnable.push(variant),
        () => {},
      );
    }
    expect(runnable).toContain("scalar");
    expect(runnable).toContain("simd");
  });
  afterAll(() => init({ variant: VARIANT }));

  it.each(CODECS.map((row, i) => [...row, i] as const))("%s", async (_name, own, tolerance, at) => {
    for (const [i, kind] of (["flat", "hnsw", "ivf"] as const).entries()) {
      for (const metric of thorough([DOT_METRICS[(at + i) % 3]], DOT_METRICS)) {
        await init({ variant: "simd" });
        const options = { dimensions: D, metric, ...own };
        const index = await (kind === "flat"
          ? Flat.create(options)
          : kind === "hnsw"
            ? Hnsw.create(options)
            : Ivf.create({ ...options, nlist: 4 }));
        if (!index.trained) await index.train(rows);
        index.add(rows);
        const file = index.toBytes();
        const answers = queries.map((query) => index.search(query, { k: rows.length, exact: true }));
        const size =
          METRICS[metric].exact(new Float32Array(D), queries[0]) + (metric === "dot" ? Math.abs(answers[0][0].distance) : 1);
        for (const variant of runnable) {
          await init({ variant });
          const other = await load(file);
          expect(other.variant).toBe(variant);
          let furthest = 0;
          queries.forEach((query, i) => {
            const found = new Map(other.search(query, { k: rows.length, exact: true }).map(({ id, distance }) => [id, distance]));
            for (const { id, distance } of answers[i]) furthest = Math.max(furthest, Math.abs(found.get(id)! - distance) / size);
          });
          expect(furthest, `${variant} ${kind} ${metric}`).toBeLessThan(tolerance);
          // Encoding, too: the same rows, but for values on a border.
          const again = await load(file);
          again.remove(again.ids());
          again.add(
            rows,
            Uint32Array.from(rows, (_, id) => id),
          );
          const same = rows.filter((_, id) => squared(again.get(id)!, index.get(id)!) < 1e-6 * (1 + dot(rows[id], rows[id])));
          expect(same.length, `${variant} ${kind} ${metric}`).toBeGreaterThanOrEqual(0.99 * rows.length);
        }
      }
    }
  });
});

describe("rerank", () => {
  const D = 40;
  const all = correlated(2050, D, 12, 51);
  const rows = all.slice(0, 2000);
  const queries = all.slice(2000);
  const codec = { type: "pq", m: 5 } as const;

  it("more candidates find more; each hit's distance is exact", async () => {
    for (const metric of thorough(["cosine"] as const, DOT_METRICS)) {
      const truth = await truthOf(metric, numbered(rows), queries);
      const recalls: number[] = [];
      for (const factor of [1, 2, 8, 32]) {
        const index = await flatOf(rows, { metric, codec, rerank: { factor } });
        recalls.push(measured(`rerank ${metric} ${factor}`, recallOf(index, queries, truth)));
        index.search(queries[0], { k: 7 });
        expect(index.lastStats.reranked).toBe(7 * factor);
        for (const { id, distance } of index.search(queries[0])) {
          expect(distance).toBeCloseTo(METRICS[metric].exact(queries[0], rows[id]), 3);
        }
      }
      expect(recalls).toEqual([...recalls].sort((a, b) => a - b));
      expect(recalls[3]).toBeGreaterThanOrEqual(0.995); // measured 1
      const adaptive = await flatOf(rows, { metric, codec, rerank: { factor: "adaptive" } });
      expect(measured(`rerank ${metric} adaptive`, recallOf(adaptive, queries, truth))).toBeGreaterThanOrEqual(0.94); // .960
      expect(adaptive.lastStats.reranked).toBeLessThanOrEqual(320);
      expect(adaptive.stats().options).toMatchObject({ rerank: "f32", rerankFactor: "adaptive" });
    }
  });

  it.each([
    ["f32", "cosine"],
    ["f16", "l2"],
    ["sq8", "dot"],
  ] as const)("rows kept in %s are what get() gives and what distances are of", async (kept, one) => {
    for (const metric of thorough([one], DOT_METRICS)) {
      const index = await flatOf(rows, { metric, codec, rerank: { codec: kept, factor: 20 } });
      const plain = await flatOf(rows, { metric, codec: kept });
      for (const id of [0, 7, 1999]) expect(index.get(id)).toEqual(plain.get(id));
      for (const query of queries.slice(0, 10)) {
        expect(index.search(query, { exact: true })).toEqual(plain.search(query));
        const exact = new Map(plain.search(query, { k: 2000 }).map(({ id, distance }) => [id, distance]));
        for (const { id, distance } of index.search(query)) expect(distance).toBe(exact.get(id));
      }
    }
  });

  it("a radius finds as many as k does, of whatever family", async () => {
    const options = { dimensions: D, metric: "l2", codec, rerank: { factor: 20 } } as const;
    const families = [
      await Flat.create(options),
      await Ivf.create({ ...options, nlist: 8, nprobe: 8 }),
      await Hnsw.create({ ...options, ef: 200 }),
    ];
    for (const index of families) {
      await index.train(rows);
      index.add(rows);
      let found = 0;
      for (const query of queries) {
        const tenth = index.search(query, { exact: true })[9].distance;
        const hits = index.search(query, { radius: tenth });
        expect(hits.every(({ distance }) => distance <= tenth)).toBe(true);
        found += hits.length / queries.length / 10;
      }
      expect(measured(`radius ${index.kind}`, found), index.kind).toBeGreaterThanOrEqual(0.98); // measured 1
    }
  });

  it("a codec that keeps no more than the codes is refused", async () => {
    for (const [codes, kept] of [
      ["sq8", "sq8"],
      ["f16", "sq8"],
      ["bf16", "sq8"],
      ["f16", "f16"],
    ] as const) {
      const options = { dimensions: 8, codec: codes, rerank: { codec: kept } };
      await expectError(() => Flat.create(options), "BAD_OPTION", `rerank codec "${kept}" keeps no more than codec "${codes}"`);
    }
  });

  describe("fetchVectors", () => {
    const fetchVectors = (ids: Uint32Array): Float32Array[] => Array.from(ids, (id) => rows[id]);

    it.each(DOT_METRICS)("%s: is asked for candidates once, and its vectors decide", async (metric) => {
      const asked: Uint32Array[] = [];
      const spy = (ids: Uint32Array): Float32Array[] => {
        asked.push(ids);
        return fetchVectors(ids);
      };
      const ours = await flatOf(rows, { metric, codec, rerank: { fetchVectors: spy, factor: 6 } });
      const kept = await flatOf(rows, { metric, codec, rerank: { factor: 6 } });
      expect(ours.bytes).toBeLessThan(kept.bytes - rows.length * D * 3);
      asked.length = 0;
      for (const query of queries.slice(0, 20)) {
        const hits = ours.search(query);
        // Scanned rows may be added up in another order than fetched ones.
        expect(hits.map(({ id }) => id)).toEqual(kept.search(query).map(({ id }) => id));
        for (const { id, distance } of hits) expect(distance).toBeCloseTo(METRICS[metric].exact(query, rows[id]), 3);
        const ids = asked.pop()!;
        expect(asked).toEqual([]);
        expect(ids).toBeInstanceOf(Uint32Array);
        expect(new Set(ids).size).toBe(60);
        expect(ours.lastStats.reranked).toBe(60);
        const filter = [1, 5, 9, 300];
        expect(ours.search(query, { filter }).map(({ id }) => id)).toEqual(
          nearest(new Map(filter.map((id) => [id, rows[id]])), query, metric).map(({ id }) => id),
        );
        expect([...asked.pop()!].sort((a, b) => a - b)).toEqual(filter);
        // exact: everything is fetched, in portions.
        const all = [ours, kept].map((index) => index.search(query, { exact: true }).map(({ id }) => id));
        expect(all[0]).toEqual(all[1]);
        expect(asked.splice(0).reduce((sum, some) => sum + some.length, 0)).toBe(2000);
      }
      const batch = ours.searchBatch(queries.slice(0, 5), { k: 4 });
      expect([...batch.ids]).toEqual([...kept.searchBatch(queries.slice(0, 5), { k: 4 }).ids]);
    });

    it("l1: its vectors decide", async () => {
      const index = await flatOf(rows, { metric: "l1", codec: "sq8", rerank: { fetchVectors, factor: 6 } });
      for (const query of queries.slice(0, 20)) {
        const expected = nearest(numbered(rows), query, "l1", 10);
        for (const hits of [index.search(query), index.search(query, { exact: true }).slice(0, 10)]) {
          expect(hits.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
          hits.forEach(({ distance }, i) => {
            expect(distance).toBeCloseTo(expected[i].distance, 4);
          });
        }
      }
    });

    it("may give numbers in a row, and its own promise to searchAsync alone", async () => {
      const inARow = (ids: Uint32Array): Float32Array => Float32Array.from(fetchVectors(ids).flatMap((row) => [...row]));
      const sync = await flatOf(rows, { codec, rerank: { fetchVectors: inARow } });
      const later = await flatOf(rows, { codec, rerank: { fetchVectors: async (ids) => inARow(ids) } });
      const expected = sync.search(queries[0]);
      expect(await sync.searchAsync(queries[0])).toEqual(expected);
      expect(await later.searchAsync(queries[0])).toEqual(expected);
      await expectError(() => later.search(queries[0]), "BAD_OPTION", /promise.*searchAsync/);
      await expectError(() => later.searchBatch(queries), "BAD_OPTION", /promise/);
      expect(await (await flatOf(rows, { codec, rerank: true })).searchAsync(queries[0], { k: 3 })).toHaveLength(3);
    });

    it("wrong answers are named, and harm nothing", async () => {
      let answer: (ids: Uint32Array) => unknown = fetchVectors;
      const index = await flatOf(rows, { codec, rerank: { fetchVectors: (ids) => answer(ids) as Float32Array } });
      const expected = index.search(queries[0]);
      const wrong: [(ids: Uint32Array) => unknown, string, RegExp][] = [
        [() => undefined, "BAD_DIMENSION", /fetchVectors\(ids\) is undefined/],
        [() => 5, "BAD_DIMENSION", /fetchVectors\(ids\) is 5/],
        [(ids) => fetchVectors(ids).slice(1), "BAD_DIMENSION", /asked for 100 vectors and brought 99/],
        [(ids) => fetchVectors(ids).map((row) => row.slice(1)), "BAD_DIMENSION", /fetchVectors\(ids\)\[0\] has 39 values/],
        [() => new Float32Array(D + 1), "BAD_DIMENSION", /41 values/],
        [(ids) => fetchVectors(ids).map((row, i) => (i === 3 ? row.map(() => NaN) : row)), "NOT_FINITE", /\(ids\)\[3\].*NaN/],
        [(ids) => fetchVectors(ids).map((row, i) => (i === 2 ? undefined : row)), "BAD_DIMENSION", /\(ids\)\[2\] is undefined/],
      ];
      for (const [bad, code, saying] of wrong) {
        answer = bad;
        await expectError(() => index.search(queries[0]), code as "BAD_DIMENSION", saying);
        await expectError(() => index.searchAsync(queries[0]), code as "BAD_DIMENSION", saying);
      }
      answer = () => {
        throw new RangeError("no such row");
      };
      expect(() => index.search(queries[0])).toThrow(RangeError);
      await expect(index.searchAsync(queries[0])).rejects.toThrow("no such row");
      answer = fetchVectors;
      expect(index.search(queries[0])).toEqual(expected);
    });

    it("the index may change, and close, while an answer is awaited", async () => {
      let before: (() => void) | undefined;
      const index = await flatOf(rows, {
        codec,
        rerank: {
          fetchVectors: async (ids) => {
            before?.();
            return fetchVectors(ids);
          },
        },
      });
      const [first, second] = await index.searchAsync(queries[0]);
      before = () => {
        index.remove(first.id);
        index.search(queries[1], { filter: [] });
      };
      expect((await index.searchAsync(queries[0], { k: 1 }))[0]).toEqual(second);
      before = () => index.close();
      await expectError(() => index.searchAsync(queries[0]), "CLOSED", "closed");
    });

    it("a file wants its fetchVectors back, and answers as before", async () => {
      const some = rows.slice(0, thorough(400, 2000));
      for (const kind of [Flat, Ivf, Hnsw]) {
        const index = await kind.create({ dimensions: D, metric: "l2", codec, rerank: { fetchVectors } });
        await index.train(some);
        index.add(some);
        const file = index.toBytes();
        await expectError(() => load(file), "BAD_OPTION", "fetchVectors");
        await expectError(() => load(file, { fetchVectors: 5 as never }), "BAD_OPTION", "fetchVectors is 5");
        const again = await load(file, { fetchVectors });
        for (const query of queries.slice(0, 10)) expect(again.search(query)).toEqual(index.search(query));
        expect(again.stats().options).toMatchObject({ rerank: "fetchVectors" });
        // train() asks for what it needs.
        const { error } = await again.train();
        expect(error).toBeGreaterThan(0);
        expect(again.size).toBe(some.length);
      }
      const plain = (await flatOf(rows, { codec })).toBytes();
      await expectError(() => load(plain, { fetchVectors }), "BAD_OPTION", "created without fetchVectors");
    });

    it("does not go with what would need its vectors all the time", async () => {
      await expectError(() => Flat.create({ dimensions: D, rerank: { fetchVectors } }), "BAD_OPTION", "f32 keeps every vector");
      await expectError(
        () => Flat.create({ dimensions: D, codec, rerank: { fetchVectors, codec: "f16" } }),
        "BAD_OPTION",
        "its codec keeps nothing",
      );
      await expectError(
        () => Flat.create({ dimensions: D, codec, rerank: { fetchVectors, factor: "adaptive" } }),
        "BAD_OPTION",
        '"adaptive" wants rows kept',
      );
    });
  });
});
