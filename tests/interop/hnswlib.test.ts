// hnswlib's files: graphs as they are, and ours as hnswlib's.
import { Hnsw, type VectorIndex } from "vicinal";
import { readHnswlib, writeHnswlib } from "vicinal/interop";
import { expect, it, test } from "vitest";
import { METRICS } from "../../src/words/kinds.js";
import { clustered, gaussians, random } from "../support/data.js";
import { expectError } from "../support/errors.js";
import { often, thorough } from "../support/thorough.js";
import { readDamaged } from "./support/damage.js";
import { bytesOf, describeForeign, goldenOf, pathOf } from "./support/foreign.js";
import { madeGraph, truth } from "./support/graph.js";
import { readHnswlibFile, walk, writeHnswlibFile } from "./support/hnswlib.js";

const SPACES = ["l2", "cosine", "dot"] as const;
const MUTATIONS = often(20, 2000);

const ids = (index: VectorIndex, query: ArrayLike<number>, k: number, exact = false): number[] =>
  index.search(Float32Array.from(query), exact ? { k, exact } : { k }).map(({ id }) => id);

test.each(SPACES)("%s: rows, labels, links, deleted marks, M and efConstruction come in", async (metric) => {
  const graph = madeGraph(metric, { deleted: [3, 50, 51] });
  const { index, labels, format, notes } = await readHnswlib(writeHnswlibFile(graph), { metric, ef: 90 });
  expect(format).toBe("hnswlib");
  expect(labels).toBeUndefined();
  expect(notes.some((note) => note.startsWith("distances are"))).toBe(metric !== "cosine");
  expect(index.stats()).toMatchObject({ metric, size: 117, deleted: 3, options: { m: 6, efConstruction: 150, ef: 90 } });
  graph.rows.forEach((row, i) => {
    const got = index.get(Number(graph.labels[i]));
    expect(got === undefined).toBe(graph.deleted.has(i));
    got?.forEach((value, j) => void expect(value).toBeCloseTo(row[j], 5));
  });
  for (const query of gaussians(20, 12, 77)) {
    const wanted = truth(graph, query, 10).map(Number);
    expect(ids(index, query, 10, true)).toEqual(wanted);
    expect(ids(index, query, 10).filter((id) => wanted.includes(id)).length).toBeGreaterThanOrEqual(9);
  }
  // It lives on: grows, forgets, and is saved.
  index.add(gaussians(30, 12, 9));
  index.remove([5, 6]);
  expect(index.size).toBe(145);
});

test("labels that are no ids: places are, and labels say whose", async () => {
  const graph = madeGraph("l2", { base: 2n ** 40n });
  const { index, labels, notes } = await readHnswlib(writeHnswlibFile(graph), { metric: "l2" });
  expect(notes).toContainEqual(expect.stringContaining("labels[id]"));
  const query = graph.rows[17];
  expect(ids(index, query, 5, true).map((id) => labels?.[id])).toEqual(truth(graph, query, 5));
});

test("bytes, a Blob, a Response, a URL: however the file is given", async () => {
  const bytes = writeHnswlibFile(madeGraph("l2"));
  const url = `data:application/octet-stream;base64,${Buffer.from(bytes).toString("base64")}`;
  for (const file of [
    bytes,
    bytes.buffer as ArrayBuffer,
    new Blob([bytes as BlobPart]),
    new Response(bytes as BodyInit),
    url,
    new URL(url),
  ]) {
    expect((await readHnswlib(file, { metric: "l2" })).index.size).toBe(120);
  }
  await expectError(() => readHnswlib(new Response("", { status: 404 }), { metric: "l2" }), "BAD_FILE", "status 404");
  await expectError(() => readHnswlib(7 as never, { metric: "l2" }), "BAD_FILE", "not 7");
});

test("what is missing or does not fit is named", async () => {
  const graph = madeGraph("l2");
  const file = writeHnswlibFile(graph);
  await expectError(() => readHnswlib(file, {} as never), "BAD_OPTION", "does not say its space");
  await expectError(() => readHnswlib(file, { metric: "hamming" as never }), "BAD_OPTION", "l2, cosine, dot");
  await expectError(() => readHnswlib(file, { metric: "l2", dimensions: 13 }), "BAD_OPTION", "48 bytes");
  await expectError(() => readHnswlib(file.subarray(0, 90), { metric: "l2" }), "BAD_FILE", "ends at byte 90");
  await expectError(() => readHnswlib(file.subarray(0, 900), { metric: "l2" }), "BAD_FILE", "120 elements");
  await expectError(() => readHnswlib(new Uint8Array(200), { metric: "l2" }), "BAD_FILE", "header");
  const link = file.slice();
  new DataView(link.buffer).setUint32(96 + 4, 120, true);
  await expectError(() => readHnswlib(link, { metric: "l2" }), "BAD_FILE", "node 0, layer 0: a link to node 120 of 120");
  new DataView(link.buffer).setUint32(96 + 4, 0, true);
  await expectError(() => readHnswlib(link, { metric: "l2" }), "BAD_FILE", "a link to itself");
  const value = file.slice();
  new DataView(value.buffer).setFloat32(96 + 52, Number.NaN, true);
  await expectError(() => readHnswlib(value, { metric: "l2" }), "BAD_FILE", "rows");
});

test("an empty file, and one of rows of bytes", async () => {
  const empty = { ...madeGraph("l2"), rows: [], levels: [], labels: [], entry: -1 };
  const header = writeHnswlibFile({
    ...empty,
    rows: [new Float32Array(12)],
    levels: [0],
    labels: [0n],
    entry: 0,
    links: [[[]]],
  }).slice(0, 96);
  const view = new DataView(header.buffer);
  for (const at of [8, 16]) view.setBigUint64(at, 0n, true);
  view.setInt32(48, -1, true);
  view.setInt32(52, -1, true);
  const { index } = await readHnswlib(header, { metric: "l2" });
  index.add([new Float32Array(12)]);
  expect(index.size).toBe(1);
  const graph = { ...madeGraph("l2", { n: 1, d: 2 }), links: [[[]]], levels: [0] };
  const file = writeHnswlibFile(graph);
  new Uint8Array(file.buffer, 96 + 52, 8).set([1, 2, 3, 4, 5, 6, 7, 255]);
  const bytes = await readHnswlib(file, { metric: "l2", dimensions: 8 });
  expect([...(bytes.index.get(0) as Float32Array)]).toEqual([1, 2, 3, 4, 5, 6, 7, 255]);
});

test.each(SPACES)("%s: what is written an independent reader takes, and finds in it what we find", async (metric) => {
  const index = await Hnsw.create({ dimensions: 10, metric, m: 8, efConstruction: 120, seed: 3 });
  const rows = clustered(thorough(400, 2000), 10, 4, 8);
  index.add(
    rows,
    rows.map((_, i) => 3 * i + 1),
  );
  // Copies are nodes of their own there.
  index.add([rows[5], rows[5], rows[9]], [100_000, 100_001, 100_002]);
  index.remove([4, 7, 16]);
  const file = readHnswlibFile(await writeHnswlib(index));
  expect(file).toMatchObject({ m: 8, efConstruction: 120 });
  const live = file.labels.filter((_, i) => !file.deleted[i]).map(Number);
  expect(live.sort((a, b) => a - b)).toEqual([...index.ids()].sort((a, b) => a - b));
  const { exact } = METRICS[metric];
  let found = 0;
  const queries = clustered(40, 10, 4, 8);
  for (const query of queries) {
    const wanted = index.search(query, { k: 10, exact: true });
    const got = walk(file, (i) => exact(query, file.rows[i]), 64, 10);
    const worst = wanted[9].distance;
    found += got.filter(
      (label) =>
        wanted.some(({ id }) => BigInt(id) === label) || exact(query, index.get(Number(label)) as Float32Array) <= worst + 1e-6,
    ).length;
  }
  // Measured on 2000: .99 and more.
  expect(found / (10 * queries.length)).toBeGreaterThan(0.95);
  const again = await readHnswlib(await writeHnswlib(index), { metric });
  expect(again.index.size).toBe(index.size);
  expect(ids(again.index, queries[0], 10, true)).toEqual(ids(index, queries[0], 10, true));
});

test("copies that come and go: no tower is higher than the graph, and all that is left can be come to from the entry", async () => {
  for (let seed = 1; seed <= often(20, 400); seed++) {
    const next = random(seed);
    const below = (n: number): number => Math.floor(next() * n);
    const index = await Hnsw.create({ dimensions: 3, metric: "l2", m: 2 + below(4), seed });
    for (let round = 0; round < 8; round++) {
      index.add(Array.from({ length: 1 + below(40) }, () => Float32Array.of(below(20), below(3), 1)));
      index.remove(index.ids().filter(() => below(4) === 0));
    }
    const bytes = await writeHnswlib(index);
    expect((await readHnswlib(bytes, { metric: "l2" })).index.size).toBe(index.size);
    if (index.stats().unreachable !== 0) continue;
    const file = readHnswlibFile(bytes);
    expect(Math.max(...file.links.map((layers) => layers.length - 1))).toBe(file.top);
    expect(walk(file, () => 0, 1e6, 1e6).length, `seed ${seed}`).toBe(index.size);
  }
});

test("what hnswlib has not is refused by name", async () => {
  const bits = await Hnsw.create({ dimensions: 16, metric: "hamming" });
  await expectError(() => writeHnswlib(bits), "BAD_OPTION", "hamming");
  const coded = await Hnsw.create({ dimensions: 16, metric: "l2", codec: "sq8" });
  await expectError(() => writeHnswlib(coded), "BAD_OPTION", "sq8");
  const beside = await Hnsw.create({ dimensions: 16, metric: "l2", codec: "sq8", rerank: true });
  beside.add(gaussians(50, 16, 1));
  expect(readHnswlibFile(await writeHnswlib(beside)).rows[7]).toEqual(beside.get(7));
});

it("damage is refused, or read as what can be searched", async () => {
  const graph = madeGraph("cosine", { n: 40, d: 5, m: 4, deleted: [2] });
  const query = graph.rows[0];
  const refused = await readDamaged(writeHnswlibFile(graph), 0, MUTATIONS, async (bytes) => {
    const { index } = await readHnswlib(bytes, { metric: "cosine", maxBytes: 1 << 24 });
    if (index.dimensions === 5) ids(index, query, 5);
    index.close();
  });
  expect(refused).toBeGreaterThan(MUTATIONS / 4);
});

interface Golden {
  readonly space: "l2" | "cosine";
  readonly header: { readonly count: number; readonly M: number; readonly ef_construction: number };
  readonly exact_top10: readonly { readonly query: number[]; readonly labels: number[]; readonly dist: number[] }[];
  readonly recall10_of_our_python_walk_ef64: number;
}

describeForeign("files that hnswlib wrote", () => {
  const NAMES = ["hnswlib_artrag_kg_cos50.bin", "hnswlib_langchainjs_cos1536.bin", "hnswlib_mfcc_l2_39.bin"];

  test.each(NAMES)("%s answers as it did", async (name) => {
    const golden = goldenOf<Golden>(name);
    const { index } = await readHnswlib(pathOf(name), { metric: golden.space });
    expect(index.size).toBe(golden.header.count);
    expect(index.stats().options).toMatchObject({ m: golden.header.M, efConstruction: golden.header.ef_construction });
    let [found, wanted] = [0, 0];
    for (const { query, labels, dist } of golden.exact_top10) {
      const hits = index.search(query, { k: labels.length, exact: true });
      expect(hits.map(({ id }) => id)).toEqual(labels);
      hits.forEach(({ distance }, i) => {
        const theirs = golden.space === "l2" ? distance ** 2 : distance;
        expect(Math.abs(theirs - dist[i])).toBeLessThanOrEqual(1e-5 * Math.max(1, dist[i]));
      });
      found += ids(index, query, labels.length).filter((id) => labels.includes(id)).length;
      wanted += labels.length;
    }
    expect(found / wanted).toBeGreaterThanOrEqual(golden.recall10_of_our_python_walk_ef64 - 0.005);
  });

  test("the l2 file comes out again byte for byte, but for links that are no more", async () => {
    const file = bytesOf("hnswlib_mfcc_l2_39.bin");
    const again = await writeHnswlib((await readHnswlib(file, { metric: "l2" })).index);
    expect(again.length).toBe(file.length);
    expect(again.subarray(0, 96)).toEqual(file.subarray(0, 96));
    expect(readHnswlibFile(again)).toEqual(readHnswlibFile(file));
  });
});
