// usearch's files: graphs as they are, whatever their rows are made of.
import type { VectorIndex } from "vicinal";
import { readUsearch } from "vicinal/interop";
import { expect, it, test } from "vitest";
import type { Metric } from "../../src/words/kinds.js";
import { expectError } from "../support/errors.js";
import { often } from "../support/thorough.js";
import { readDamaged } from "./support/damage.js";
import { describeForeign, pathOf } from "./support/foreign.js";
import { madeGraph, truth } from "./support/graph.js";
import { type UsearchForm, writeUsearchFile } from "./support/usearch.js";

const MUTATIONS = often(20, 2000);
const ids = (index: VectorIndex, query: ArrayLike<number>, k: number, exact = false): number[] =>
  index.search(Float32Array.from(query), exact ? { k, exact } : { k }).map(({ id }) => id);

/** Values that 16-bit floats and bytes have. */
const rounded = (graph: ReturnType<typeof madeGraph>) => ({
  ...graph,
  rows: graph.rows.map((row) => row.map((x) => Math.round(8 * x))),
});

const CASES: readonly (readonly [Metric, UsearchForm])[] = [
  ["l2", {}],
  ["cosine", { wide: true }],
  ["dot", { slotBytes: 5 }],
  ["l2", { scalar: "f16" }],
  ["dot", { scalar: "i8" }],
  ["hamming", { scalar: "b1" }],
];

test.each(CASES)("%s, %j: rows, keys, links and removed vectors come in", async (metric, form) => {
  const made = madeGraph(metric, { deleted: [3, 50], d: metric === "hamming" ? 44 : 12 });
  const graph = form.scalar === "f16" || form.scalar === "i8" ? rounded(made) : made;
  const { index, labels, format } = await readUsearch(writeUsearchFile(graph, form), { ef: 80 });
  expect(format).toBe("usearch");
  expect(labels).toBeUndefined();
  expect(index.stats()).toMatchObject({ metric, size: 118, deleted: 2, options: { m: 6, ef: 80 } });
  for (const i of [0, 7, 100]) {
    index.get(Number(graph.labels[i]))?.forEach((value, j) => void expect(value).toBeCloseTo(graph.rows[i][j], 5));
  }
  for (const query of graph.rows.slice(20, 40)) {
    const wanted = index.search(query, { k: 10, exact: true });
    // Bits and small integers are often as far as each other; then distances are the same.
    const nearest = truth(graph, query, 10).map(
      (label) => index.search(query, { k: 1, exact: true, filter: [Number(label)] })[0].distance,
    );
    wanted.forEach(({ distance }, i) => void expect(distance).toBeCloseTo(nearest[i], 4));
    const got = index.search(query, { k: 10 });
    expect(got.filter(({ distance }) => distance <= wanted[9].distance + 1e-5).length).toBeGreaterThanOrEqual(9);
  }
});

test("keys twice, as multi has them, or above all ids: places are ids, and labels say whose", async () => {
  const graph = madeGraph("l2", { base: 2n ** 50n });
  const { index, labels, notes } = await readUsearch(writeUsearchFile(graph));
  expect(notes).toContainEqual(expect.stringContaining("labels[id]"));
  expect(ids(index, graph.rows[17], 5, true).map((id) => labels?.[id])).toEqual(truth(graph, graph.rows[17], 5));
  const twice = { ...graph, labels: graph.labels.map(() => 7n) };
  expect((await readUsearch(writeUsearchFile(twice))).labels?.[9]).toBe(7n);
});

test("a file of an index that nothing was added to", async () => {
  const { rows, ...graph } = madeGraph("cosine", { n: 1, d: 5 });
  const file = writeUsearchFile({ ...graph, rows }).slice(8 + 4 * 5, 8 + 4 * 5 + 64 + 40);
  const empty = new Uint8Array(8 + file.length);
  empty.set(file, 8);
  const view = new DataView(empty.buffer);
  view.setUint32(4, 4 * 5, true);
  // Vectors, nodes and the highest level, which is -1.
  for (const [at, value] of [
    [8 + 17, 0n],
    [8 + 64, 0n],
    [8 + 88, -1n],
  ] as const)
    view.setBigInt64(at, value, true);
  const { index } = await readUsearch(empty);
  expect(index.size).toBe(0);
  index.add(rows[0] as Float32Array, [7]);
  expect(ids(index, rows[0], 2)).toEqual([7]);
});

test("what is not read is named", async () => {
  const graph = madeGraph("l2");
  const file = writeUsearchFile(graph);
  const rows = 8 + 120 * 48;
  await expectError(() => readUsearch(writeUsearchFile(graph, { metric: "t" })), "BAD_FILE", "metric tanimoto");
  await expectError(() => readUsearch(file.subarray(rows)), "BAD_FILE", "no vectors");
  await expectError(() => readUsearch(file.subarray(0, -4)), "BAD_FILE", "usearch");
  const changed = (at: number, value: number): Uint8Array => file.map((byte, i) => (i === rows + at ? value : byte));
  await expectError(() => readUsearch(changed(7, 3)), "BAD_FILE", "format 3.12.0");
  await expectError(() => readUsearch(changed(14, 5)), "BAD_FILE", "scalars of kind 5");
  await expectError(() => readUsearch(changed(15, 3)), "BAD_FILE", "keys of kind 3");
  await expectError(() => readUsearch(new Uint8Array(64)), "BAD_FILE", "usearch");
  await expectError(() => readUsearch(file, { metric: "l2" } as never), "BAD_OPTION", "metric");
});

it("damage is refused, or read as what can be searched", async () => {
  const graph = madeGraph("cosine", { n: 40, d: 5, m: 4, deleted: [2] });
  const refused = await readDamaged(writeUsearchFile(graph), 0, MUTATIONS, async (bytes) => {
    const { index } = await readUsearch(bytes, { maxBytes: 1 << 24 });
    if (index.dimensions === 5) ids(index, graph.rows[0], 5);
    index.close();
  });
  expect(refused).toBeGreaterThan(MUTATIONS / 8);
});

describeForeign("files that usearch wrote", () => {
  test.each([
    ["usearch_d2c_a.usearch", 5],
    ["usearch_d2c_b.usearch", 4],
  ])("%s", async (name, size) => {
    const { index, notes } = await readUsearch(pathOf(name));
    expect(notes).toEqual([]);
    expect(index.stats()).toMatchObject({ metric: "cosine", dimensions: 2048, size, options: { m: 16 } });
    for (const id of index.ids()) {
      const vector = index.get(id) as Float32Array;
      expect(ids(index, vector, size)).toEqual(ids(index, vector, size, true));
      expect(ids(index, vector, 1)).toEqual([id]);
    }
  });
});
