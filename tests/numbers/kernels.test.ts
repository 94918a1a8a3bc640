// Every variant x metric x codec against plain JS: a search with k = n gives the distance of every row.
import { Flat, Hnsw, init, type Variant, type VectorIndex } from "vicinal";
import { beforeAll, describe, expect, it } from "vitest";
import { type Codec, METRICS, type Metric } from "../../src/words/kinds.js";
import { allowRelaxed, create, QUICK, TESTED, VARIANTS } from "../support/cases.js";
import { filled, gauss, gaussians, integers, packed, random, SHORT } from "../support/data.js";
import { THOROUGH, thorough } from "../support/thorough.js";

allowRelaxed();

const DIMENSIONS = [...SHORT, ...thorough([97, 1009], [97, 211, 499, 1009, 1543])];
/** Rows are scored four at a time, then singly: 1 to 9 meets every split. */
const ROWS = 9;
/** Rounding of one f32 operation. */
const U = 2 ** -24;

const PAIRS = TESTED.filter(({ kind }) => kind === "flat");
const KINDS = [...new Set(TESTED.map(({ kind }) => kind))];

async function runnable(): Promise<Variant[]> {
  const found: Variant[] = [];
  for (const variant of VARIANTS) {
    await init({ variant }).then(
      () => found.push(variant),
      () => {},
    );
  }
  return found;
}
const RUNNABLE = await runnable();

function unit(v: Float32Array): Float32Array {
  const norm = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  return norm === 0 ? v : v.map((x) => x / norm);
}

function sum(n: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += term(i);
  return total;
}

/** How far a kernel's number may be from the exact one, by codec. All but cosine in the units of the data. */
const BOUNDS: Readonly<Partial<Record<Codec, (metric: Metric, q: Float32Array, r: Float32Array) => number>>> = {
  // Four lanes add d / 4 terms each and then each other; every term has been rounded at most three times (the
  // difference, the product; under cosine both factors). Terms of l2 and l1 are positive, so their error is relative.
  f32: (metric, q, r) => {
    const [a, b] = metric === "cosine" ? [unit(q), unit(r)] : [q, r];
    const terms: Partial<Record<Metric, (x: number, y: number) => number>> = {
      l2: (x, y) => (x - y) ** 2,
      l1: (x, y) => Math.abs(x - y),
    };
    const term = terms[metric] ?? ((x, y) => Math.abs(x * y));
    const scale = sum(a.length, (i) => term(a[i], b[i]));
    return (a.length / 4 + 10) * U * (scale + (metric === "cosine" ? 1 : 0));
  },
  // Half a step per value: the row's step is its range / 255 (1 for integers within 255), the query's is a power of two
  // that keeps it within as many bits as an i32 lane can sum, or twice that where rounding needs it; then one rounding
  // to f32.
  sq8: (metric, q, r) => {
    const d = q.length;
    const [a, b] = metric === "cosine" ? [unit(q), unit(r)] : [q, r];
    const low = b.reduce((least, x) => Math.min(least, x), Infinity);
    const range = b.reduce((most, x) => Math.max(most, x), -Infinity) - low;
    const rowStep = range <= 255 && b.every(Number.isInteger) ? 0 : range / 255;
    let bits = 15;
    while (Math.ceil(d / 16) * 4 * 255 * 2 ** bits > 2 ** 31) bits--;
    const largest = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const queryStep = 2 ** (Math.floor(Math.log2(largest || 1)) + 2 - bits);
    const half = (rowStep / 2) * 1.001;
    // Under l1 the query is not rounded, and a decoded value twice to f32.
    if (metric === "l1") {
      const decoded = d * (half + 2 * U * (Math.abs(low) + range));
      return decoded + (d / 4 + 10) * U * (sum(d, (i) => Math.abs(a[i] - b[i])) + decoded);
    }
    const query = sum(d, (i) => (Math.abs(b[i]) + half) * (queryStep / 2));
    const size = sum(d, (i) => a[i] * a[i] + b[i] * b[i]);
    const rounding = 2 * U * size + 2 * U * sum(d, (i) => Math.abs(a[i]) * (Math.abs(low) + range));
    if (metric === "l2") {
      // From the query as it was rounded: both roundings move it along the difference.
      const off = half + queryStep / 2;
      return 2 * sum(d, (i) => Math.abs(a[i] - b[i]) * off) + d * off * off + rounding;
    }
    return query + sum(d, (i) => Math.abs(a[i]) * half) + rounding + (metric === "cosine" ? 4 * U : 0);
  },
};

/** Distances by id. */
function distances(index: VectorIndex, query: Float32Array, exact = false): number[] {
  const out: number[] = [];
  for (const { id, distance } of index.search(query, { k: index.size, exact })) out[id] = distance;
  return out;
}

describe.each(VARIANTS)("%s", (variant) => {
  const runs = RUNNABLE.includes(variant);
  it("runs", ({ skip }) => {
    if (!runs && !THOROUGH) skip(`this runtime cannot run the ${variant} build`);
    expect(RUNNABLE).toContain(variant);
  });
  describe.runIf(runs)("computes", () => {
    beforeAll(async () => {
      await init({ variant });
    });

    for (const { metric, codec } of PAIRS.filter((pair) => pair.metric !== "cosine")) {
      it.each(KINDS)(`%s ${metric} ${codec}: small integers to the bit`, async (kind) => {
        const wrong: string[] = [];
        for (const d of DIMENSIONS) {
          const [least, most] = metric === "hamming" ? [0, 1] : codec === "f32" ? [-8, 8] : [-100, 155];
          const rows = integers(ROWS, d, d, least, most);
          const [query] = integers(1, d, 7 * d, least, most);
          const index = await create(kind, { dimensions: d, metric, codec, ...QUICK[kind] });
          expect(index.variant).toBe(variant);
          // The sum is an integer below 2^53, rounded once.
          const expected = rows.map((row) => {
            const raw = Math.round(METRICS[metric].raw(METRICS[metric].exact(query, row)));
            return METRICS[metric].distance(Math.fround(raw)) + 0;
          });
          for (let n = 1; n <= ROWS; n++) {
            index.add([rows[n - 1]]);
            for (const exact of [false, true]) {
              distances(index, query, exact).forEach((distance, id) => {
                if (!Object.is(distance, expected[id])) wrong.push(`d ${d} n ${n} id ${id}: ${distance}, not ${expected[id]}`);
              });
            }
          }
          index.close();
        }
        expect(wrong.slice(0, 10)).toEqual([]);
      });
    }

    for (const { metric, codec } of PAIRS.filter((pair) => BOUNDS[pair.codec])) {
      it(`${metric} ${codec}: floats within the bound`, async () => {
        const wrong: string[] = [];
        for (const d of DIMENSIONS) {
          // Magnitudes from 2^-20 to 2^20, an offset that makes l2 cancel, and integers.
          const sets = [
            gaussians(ROWS, d, d, 2 ** ((d % 41) - 20)),
            gaussians(ROWS, d, d + 1).map((row) => row.map((x) => x + 30)),
            integers(ROWS, d, d + 2, -9, 9),
          ];
          for (const [set, rows] of sets.entries()) {
            const query = rows[ROWS - 1].map((x, i) => x * 0.5 + rows[0][i]);
            const index = await Flat.create({ dimensions: d, metric, codec });
            index.add(rows);
            const { raw, exact } = METRICS[metric];
            distances(index, query).forEach((distance, id) => {
              const error = Math.abs(raw(distance) - raw(exact(query, rows[id])));
              const bound = BOUNDS[codec]!(metric, query, rows[id]);
              if (!(error <= bound)) wrong.push(`d ${d} set ${set} id ${id}: off by ${error}, bound ${bound}`);
            });
            index.close();
          }
        }
        expect(wrong.slice(0, 10)).toEqual([]);
      });

      it(`${metric} ${codec}: values at the edge of a power of two`, async () => {
        // Steps are powers of two: the largest value may round up to the next one.
        const wrong: string[] = [];
        for (const edge of [1 - 2 ** -20, 1 - 2 ** -16, 1, 1 + 2 ** -20, 255.9999, 65535, 2 ** 20 - 1]) {
          for (const d of [1, 2, 5, 16, 33, 1100]) {
            const rows = filled(4, d, (i, j) => (j === 0 ? [edge, -edge, edge / 3, 1][i] : ((i * 5 + j) % 7) * edge * 1e-4));
            const index = await Flat.create({ dimensions: d, metric, codec });
            index.add(rows);
            for (const query of rows) {
              distances(index, query).forEach((distance, id) => {
                const { raw, exact } = METRICS[metric];
                const error = Math.abs(raw(distance) - raw(exact(query, rows[id])));
                const bound = BOUNDS[codec]!(metric, query, rows[id]);
                if (!(error <= bound)) wrong.push(`edge ${edge} d ${d} id ${id}: off by ${error}, bound ${bound}`);
              });
            }
            index.close();
          }
        }
        expect(wrong.slice(0, 10)).toEqual([]);
      });
    }

    for (const { metric, codec } of PAIRS) {
      it(`${metric} ${codec}: a row has one distance, wherever it stands in a batch`, async () => {
        for (const d of [1, 3, 4, 7, 16, 29, 64, 100, 515]) {
          const index = await Flat.create({ dimensions: d, metric, codec });
          const [row, query] = gaussians(2, d, d);
          for (let n = 1; n <= 2 * ROWS; n++) {
            index.add([row]);
            expect(new Set(distances(index, query)).size).toBe(1);
          }
          index.close();
        }
      });

      it(`${metric} ${codec}: searchBatch gives what search gives, bit for bit`, async () => {
        for (const [d, scale] of [
          [1, 1],
          [2, 1],
          [5, 2 ** 55],
          [8, 1],
          [19, 2 ** -30],
          [64, 1],
          [131, 2 ** -76],
        ]) {
          const next = random(d);
          // Rows in tight groups far from the origin, with duplicates: a screen by dot products sees them as one. The
          // squares of the smallest vanish in f32, so that all are at distance 0.
          const centres = gaussians(4, d, d, 50);
          const near = (): Float32Array => centres[Math.floor(next() * 4)].map((x) => (x + 0.01 * gauss(next)) * scale);
          const rows = Array.from({ length: 150 }, near);
          rows.push(...rows.slice(0, 20));
          const index = await Flat.create({ dimensions: d, metric, codec });
          index.add(
            rows,
            rows.map((_, i) => (i * 89) % 1009),
          );
          const queries = [...rows.slice(0, 17), ...Array.from({ length: 20 }, near)];
          for (const [n, k] of [
            [1, 1],
            [3, 5],
            [4, 170],
            [37, 12],
          ]) {
            const batch = index.searchBatch(queries.slice(0, n), { k });
            for (let i = 0; i < n; i++) {
              const hits = index.search(queries[i], { k });
              expect([...batch.ids.subarray(i * k, (i + 1) * k)]).toEqual(hits.map(({ id }) => id));
              expect([...batch.distances.subarray(i * k, (i + 1) * k)]).toEqual(hits.map((hit) => Math.fround(hit.distance)));
            }
          }
          index.close();
        }
      });
    }

    it("hamming takes packed bits, and bits beyond the dimensions count for nothing", async () => {
      for (const d of [1, 7, 8, 9, 127, 128, 129, 1543]) {
        const rows = integers(5, d, d, 0, 1);
        const index = await Flat.create({ dimensions: d, metric: "hamming" });
        const dirty = packed(rows[0]);
        if (d % 8) dirty[dirty.length - 1] |= 0xff << (d % 8);
        index.add([dirty, ...rows.slice(1).map(packed)]);
        for (const query of [packed(rows[4]), rows[4]]) {
          expect(distances(index, query as Float32Array)).toEqual(rows.map((row) => METRICS.hamming.exact(rows[4], row)));
        }
        expect(index.search(dirty, { k: 1 })).toEqual([{ id: 0, distance: 0 }]);
        index.close();
      }
    });

    it("the longest vectors add up without overflow", async () => {
      // 65536 bits differing is more than 16 bits hold; 65536 x 255 x 255 more than 31.
      const d = 65536;
      const ones = new Float32Array(d).fill(1);
      for (const [metric, codec, row, query, expected] of [
        ["hamming", "binary", ones, new Float32Array(d), d],
        ["l2", "f32", ones, new Float32Array(d).fill(-1), 2 * 256],
        ["l1", "f32", ones, new Float32Array(d).fill(-1), 2 * d],
        // Of length 2^62, as far apart as two vectors can be.
        ["l1", "f32", new Float32Array(d).fill(2 ** 54), new Float32Array(d).fill(-(2 ** 54)), 2 ** 71],
        ["l1", "sq8", ones.map((_, i) => (i % 2) * 255), new Float32Array(d).fill(255), (d / 2) * 255],
        ["l2", "sq8", ones.map((_, i) => (i % 2) * 255), new Float32Array(d).fill(255), Math.sqrt((d / 2) * 255 * 255)],
        ["dot", "sq8", ones.map((_, i) => (i % 64 ? 255 : 0)), new Float32Array(d).fill(255), -Math.fround((d - 1024) * 65025)],
      ] as const) {
        const index = await Flat.create({ dimensions: d, metric, codec });
        for (let i = 0; i < 5; i++) index.add([row]);
        expect(distances(index, query)).toEqual(new Array(5).fill(expected));
        index.close();
      }
    });
  });
});

describe("across variants", () => {
  /** All distances of float data, and a graph built on it, as one string of bits per codec. */
  async function fingerprint(variant: Variant, metric: Metric, codec: Codec): Promise<string> {
    await init({ variant });
    const parts: Uint8Array[] = [];
    for (const d of [1, 2, 3, 5, 8, 17, 36, 67, 211]) {
      const rows = gaussians(41, d, d);
      const flat = await Flat.create({ dimensions: d, metric, codec });
      flat.add(rows);
      const batch = flat.searchBatch(gaussians(5, d, d + 1), { k: 41 });
      parts.push(new Uint8Array(batch.distances.buffer), new Uint8Array(batch.ids.buffer));
      const graph = await Hnsw.create({ dimensions: d, metric, codec, m: 4, efConstruction: 20 });
      graph.add(rows);
      graph.remove([3, 5, 7]);
      parts.push(graph.toBytes());
    }
    return Buffer.concat(parts).toString("base64");
  }
  /** relaxed fuses multiply and add, so its f32 sums differ from the others in the last bits. */
  const fused = (variant: Variant): boolean => variant === "relaxed" || variant === "threads";

  for (const { metric, codec } of PAIRS) {
    it(`${metric} ${codec}: the same bits wherever the same operations are done`, async () => {
      const prints = new Map<Variant, string>();
      for (const variant of RUNNABLE) prints.set(variant, await fingerprint(variant, metric, codec));
      for (const a of RUNNABLE) {
        for (const b of RUNNABLE) {
          if (codec === "f32" && fused(a) !== fused(b)) continue;
          expect(prints.get(a) === prints.get(b), `${a} and ${b}`).toBe(true);
        }
      }
    });
  }

  it("a variant can be forced by name and by module, and an unknown one is refused", async () => {
    expect(await init({ variant: "scalar" })).toBe("scalar");
    expect((await Flat.create({ dimensions: 2 })).variant).toBe("scalar");
    await expect(init({ variant: "avx" as Variant })).rejects.toMatchObject({ code: "BAD_OPTION" });
    expect((await Flat.create({ dimensions: 2 })).variant).toBe("scalar");
  });

  it("every codec of the table is tested here", () => {
    for (const { codec } of PAIRS) expect(codec === "binary" || BOUNDS[codec] !== undefined).toBe(true);
  });
});
