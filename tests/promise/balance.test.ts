// Lists of an Ivf that keep to a size while vectors come and go: none is longer than four times the mean, everything is where it is
// looked for, and what is found is what a fresh index finds.
import { Ivf, type IvfOptions, load, type VectorIndex } from "vicinal";
import { describe, expect, it } from "vitest";
import { expectSameBytes, measured } from "../support/answers.js";
import { gaussians } from "../support/data.js";
import { thorough } from "../support/thorough.js";
import { LIVE, NONE, VicFile } from "../support/vic.js";

const D = 16;
const NLIST = 32;
const N = 1600;

const KINDS_OF_CODES: readonly [string, Partial<IvfOptions>][] = [
  ["f32, l2", { metric: "l2" }],
  ["f32, cosine", { metric: "cosine" }],
  ["f32, dot", { metric: "dot" }],
  ["sq8", { metric: "l2", codec: "sq8" }],
  ["binary with rows", { metric: "cosine", codec: "binary", rerank: true }],
  ["pq, residual", { metric: "l2", codec: { type: "pq", bits: 8, m: 8 } }],
  ["pq, residual, with rows", { metric: "cosine", codec: { type: "pq", bits: 4 }, rerank: true }],
  ["rabitq", { metric: "l2", codec: { type: "rabitq", bits: 6 } }],
  ["rabitq with rows", { metric: "dot", codec: { type: "rabitq", bits: 4 }, rerank: true }],
];

/** Vectors of each list, and groups of 32 places that belong to none. */
function listsOf(index: VectorIndex): { sizes: number[]; spare: number } {
  const file = new VicFile(index.toBytes());
  const sizes = Array<number>(NLIST).fill(0);
  let spare = 0;
  for (let group = 0; group < file.slots / 32; group++) {
    const owner = file.slot("wner", group).getUint32(0, true);
    const there = Array.from({ length: 32 }, (_, i) => i).filter((i) => file.stage(32 * group + i) === LIVE).length;
    if (owner === NONE) spare++;
    else sizes[owner] += there;
    if (owner === NONE) expect(there).toBe(0);
  }
  return { sizes, spare };
}

function checkSizes(index: VectorIndex): void {
  const { sizes } = listsOf(index);
  expect(sizes.reduce((sum, n) => sum + n, 0)).toBe(index.size);
  expect(Math.max(...sizes)).toBeLessThanOrEqual((4 * index.size) / NLIST);
}

/** Every vector is answered, by its id, and the file is as the index. */
async function checkAll(index: VectorIndex, rows: Map<number, Float32Array>): Promise<void> {
  expect(new Set(index.ids())).toEqual(new Set(rows.keys()));
  const [query] = rows.values();
  const all = index.search(query, { k: rows.size, nprobe: NLIST }).map(({ id }) => id);
  expect(new Set(all)).toEqual(new Set(rows.keys()));
  const bytes = index.toBytes();
  const again = await load(bytes);
  expectSameBytes(again.toBytes(), bytes);
  expect(again.search(query, { nprobe: 4 })).toEqual(index.search(query, { nprobe: 4 }));
}

const about = (n: number, seed: number, offset: number, spread: number): Float32Array[] =>
  gaussians(n, D, seed, spread).map((row) => row.map((x, j) => x + (j % 3 ? offset : -offset)));

/** Or codes that do not hang on their list's centroid. */
const keepsRows = (own: (typeof KINDS_OF_CODES)[number][1]): boolean => !!own.rerank || !own.codec || own.codec === "sq8";

describe.each(KINDS_OF_CODES)("%s", (name, own) => {
  const make = (): Promise<Ivf> => Ivf.create({ dimensions: D, nlist: NLIST, nprobe: 6, trainAt: N, seed: 3, ...own });

  it("lists part as they grow and give way as they shrink", async () => {
    const index = await make();
    const rows = new Map<number, Float32Array>();
    const add = (some: Float32Array[]): void => {
      for (const [i, id] of index.add(some).entries()) rows.set(id, some[i]);
    };
    add(gaussians(N, D, 1));
    const passing = index.prepareFilter((id) => id % 3 === 0);
    // All that comes is around one place, where one list or two are.
    add(about(N + 320, 2, 2, 0.3));
    // Where codes are all there is, lists that have been left alone for long may have no halves.
    if (keepsRows(own)) checkSizes(index);
    await checkAll(index, rows);
    const gone = [...rows.keys()].filter((id) => id < N && id % 16 !== 0);
    index.remove(gone);
    for (const id of gone) rows.delete(id);
    for (const id of [...rows.keys()].filter((_, i) => i % 4 === 0)) {
      index.remove(id);
      rows.delete(id);
    }
    if (keepsRows(own)) checkSizes(index);
    await checkAll(index, rows);
    expect(passing.size).toBe([...rows.keys()].filter((id) => id % 3 === 0).length);
    const truth = [...rows.keys()].filter((id) => id % 3 === 0);
    const [query] = rows.values();
    const found = index.search(query, { k: truth.length, filter: passing, nprobe: NLIST });
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set(truth));
    await index.compact();
    expect(listsOf(index).spare).toBe(0);
    await checkAll(index, rows);
    expect(index.size).toBe(rows.size);
  });

  it("after all have been replaced, it finds as much as a fresh index for as many distances", async () => {
    const later = [...about(N / 2, 5, 1, 1), ...about(N / 2, 6, -1, 1)];
    const worn = await make();
    worn.add(gaussians(N, D, 4));
    for (let i = 0; i < N; i += 8) {
      worn.remove(Array.from({ length: 8 }, (_, j) => i + j));
      worn.add(later.slice(i, i + 8));
    }
    const fresh = await make();
    fresh.add(
      later,
      later.map((_, i) => N + i),
    );
    checkSizes(worn);
    const queries = about(60, 7, 1, 1);
    const truth = queries.map((query) => new Set(worn.search(query, { k: 10, exact: true }).map(({ id }) => id)));
    /** As many lists as have so many vectors, about. */
    const seen = (index: Ivf, vectors: number): { recall: number; distances: number } => {
      let [found, distances] = [0, 0];
      for (const [q, query] of queries.entries()) {
        let nprobe = 1;
        do index.search(query, { k: 10, nprobe });
        while (index.lastStats.distances < vectors && nprobe++ < NLIST);
        found += index.search(query, { k: 10, nprobe }).filter(({ id }) => truth[q].has(id)).length / (10 * queries.length);
        distances += index.lastStats.distances / queries.length;
      }
      return { recall: found, distances };
    };
    for (const vectors of [N / 8, N / 3]) {
      const [was, is] = [seen(fresh, vectors), seen(worn, vectors)];
      const figures = `recall ${is.recall.toFixed(3)} after ${is.distances.toFixed(0)}, fresh ${was.recall.toFixed(3)} after ${was.distances.toFixed(0)}`;
      measured(`${name}: ${figures}`, is.recall);
      // Measured -.025 to .065; of codes without rows, whose centroids stay where they were learned, up to .21.
      expect(is.recall, figures).toBeGreaterThanOrEqual(was.recall - (keepsRows(own) ? 0.08 : 0.25));
    }
  });
});

it("a crowd of equal vectors, which has no halves, is one long list", async () => {
  const index = await Ivf.create({ dimensions: D, nlist: NLIST, metric: "l2", trainAt: N });
  index.add(gaussians(N, D, 1));
  const [row] = gaussians(1, D, 9);
  const ids = index.add(Array(thorough(600, 2000)).fill(row));
  expect(new Set(index.search(row, { k: ids.length, nprobe: 1 }).map(({ id }) => id))).toEqual(new Set(ids));
});

it("the lists of an index that is being trained stay as they are learned", async () => {
  const rows = gaussians(N, D, 1).sort((a, b) => a[0] - b[0]);
  const [one, other] = await Promise.all([0, 1].map(() => Ivf.create({ dimensions: D, nlist: NLIST, metric: "l2", trainAt: N })));
  one.add(rows);
  await other.train(rows);
  other.add([...rows]);
  expect(one.size).toBe(other.size);
  checkSizes(one);
});
