// Memory that is used up, of every kind x codec and at many limits: what makes an index no larger always works, what does
// not fit is refused as a whole, and a file loads within the limit it was saved under.
import { Flat, load, type VectorIndex } from "vicinal";
import { describe, expect, it } from "vitest";
import { expectSameBytes } from "../support/answers.js";
import { create, EVERY_KIND_AND_CODEC, QUICK } from "../support/cases.js";
import { exactData, flatten, integers } from "../support/data.js";
import { thrownBy } from "../support/errors.js";
import { thorough } from "../support/thorough.js";

const D = 16;
const PAGE = 65536;
const PAGES = thorough([6], [6, 11]);
/** Vectors from which on learned families learn. */
const TRAIN_AT = 64;

const SINGLE = EVERY_KIND_AND_CODEC.flatMap(({ name, kind, codec, metric, own }) => {
  const lossy = codec !== "f32" && metric !== "hamming";
  return [false, ...(lossy ? [true] : []), ...(codec === "rabitq" ? [{ factor: "adaptive" as const }] : [])].map((rerank) => ({
    name: [name, rerank ? "rerank" : "", rerank === false || rerank === true ? "" : "adaptive"].filter(Boolean).join(" "),
    kind,
    metric,
    options: {
      dimensions: D,
      metric,
      codec: codec === "pq" ? { type: "pq" as const, bits: 4 as const } : codec,
      ...(rerank && { rerank }),
      ...QUICK[kind],
      ...own,
    },
    learns: kind === "ivf" || codec === "pq" || codec === "rabitq" || (kind === "lsh" && metric === "l2"),
  }));
});

async function saved(index: VectorIndex, rows: Float32Array[], maxBytes: number): Promise<void> {
  const file = index.toBytes();
  const again = await load(file, { maxBytes });
  expect(again.size).toBe(index.size);
  expect(again.search(rows[3], { exact: true })).toEqual(index.search(rows[3], { exact: true }));
  expectSameBytes(again.toBytes(), file);
}

/** All that makes an index no larger. */
async function works(index: VectorIndex, rows: Float32Array[], maxBytes: number): Promise<void> {
  const k = Math.min(10, index.size);
  const ids = index.ids();
  expect(ids).toHaveLength(index.size);
  expect(index.search(rows[3])).toHaveLength(k);
  expect(index.search(rows[3], { exact: true })).toHaveLength(k);
  expect(index.search(rows[3], { filter: ids })).toHaveLength(k);
  expect(index.search(rows[3], { filter: (id) => id !== ids[0] })).toHaveLength(Math.min(10, index.size - 1));
  index.search(rows[3], { filter: new Uint8Array(index.size >> 3).fill(85) });
  for (const options of [{}, { exact: true }, { filter: ids }]) {
    const batch = index.searchBatch(rows.slice(0, 8), options);
    rows.slice(0, 8).forEach((row, i) => {
      const hits = index.search(row, options);
      expect([...batch.ids.subarray(i * 10, i * 10 + k)]).toEqual(hits.map(({ id }) => id));
    });
  }
  expect(index.get(ids[0])).toHaveLength(D);
  await saved(index, rows, maxBytes);
}

/** `call` does its work, or says OUT_OF_MEMORY and has changed nothing. */
async function allOrNothing(index: VectorIndex, call: () => unknown): Promise<boolean> {
  const [before, { deleted }] = [index.toBytes(), index];
  const error = await thrownBy(call);
  if (error === undefined) return true;
  expect(error).toMatchObject({ name: "VicinalError", code: "OUT_OF_MEMORY" });
  // compact() repairs the graph around removed vectors first.
  if (!deleted) expectSameBytes(index.toBytes(), before);
  return false;
}

describe.each(SINGLE)("$name", ({ kind, metric, options, learns }) => {
  it.each(PAGES)("full at %d pages", async (pages) => {
    const maxBytes = pages * PAGE;
    const index = await create(kind, { ...options, maxBytes, ...(learns && { trainAt: TRAIN_AT }) });
    const rows = exactData(metric, 2000, D, 1);
    const batch = 37 * pages;
    for (let i = 0, fitted = true; fitted; i++) {
      const some = Array.from({ length: batch }, (_, j) => rows[(i * batch + j) % rows.length]);
      // Every third call has ids of its own, so that there is a table of them.
      const ids = i % 3 === 2 ? some.map((_, j) => 1_000_000 + i * batch - j) : undefined;
      fitted = await allOrNothing(index, () => index.add(some, ids));
      expect(index.bytes).toBeLessThanOrEqual(maxBytes);
    }
    if (!index.size) return;
    await works(index, rows, maxBytes);
    for (const n of [1, 20, 3000, 50_000]) {
      const some = Array.from({ length: n }, (_, i) => rows[i % rows.length]);
      await allOrNothing(index, () => index.add(flatten(some)));
    }
    if (learns) {
      const error = await thrownBy(() => index.train());
      if (error) expect(error).toMatchObject({ code: "OUT_OF_MEMORY" });
      await works(index, rows, maxBytes);
    }
    for (const id of index.ids().filter((_, i) => i % 50 === 0)) {
      expect(index.remove(id)).toBe(1);
      await allOrNothing(index, () => index.add([rows[7]], [id]));
    }
    for (const n of [1, 7, index.size]) {
      const ids = index.ids().slice(-n);
      const some = Array.from(ids, (_, i) => rows[(i * 7) % rows.length]);
      const { size } = index;
      // None is lost, whether there is room or not.
      await allOrNothing(index, () => index.upsert(some, ids));
      expect(index.size).toBe(size);
      expect([...ids].every((id) => index.has(id))).toBe(true);
    }
    await works(index, rows, maxBytes);
    await allOrNothing(index, () => index.compact());
    await works(index, rows, maxBytes);
    const half = index.ids().filter((_, i) => i % 2);
    expect(index.remove(half)).toBe(half.length);
    await works(index, rows, maxBytes);
    await allOrNothing(index, () => index.compact());
    await works(index, rows, maxBytes);
  });

  it("a file that does not fit is too large, not broken", async () => {
    const index = await create(kind, { ...options, ...(learns && { trainAt: TRAIN_AT }) });
    const rows = exactData(metric, 1500, D, 2);
    index.add(
      rows,
      Array.from(rows, (_, i) => 7 * i),
    );
    const file = index.toBytes();
    let loaded = 0;
    for (let pages = 1; loaded < 3; pages++) {
      const error = await thrownBy(async () => works(await load(file, { maxBytes: pages * PAGE }), rows, pages * PAGE));
      if (error) expect(error).toMatchObject({ code: "OUT_OF_MEMORY" });
      else loaded++;
      if (loaded) expect(error).toBeUndefined();
    }
  });
});

const LARGER = SINGLE.filter(
  ({ name, options }) => ["l2", "cosine"].includes(options.metric) && /^(flat|hnsw|forest|kdtree|lsh) f32/.test(name),
);

describe.each(LARGER)("$name", ({ kind, metric, options, learns }) => {
  it.each(
    [
      [16, 97],
      [64, 1009],
      [16, 1],
    ].slice(0, thorough(1, 3)),
  )("full at %d pages, %d at a time, half removed: as many are added again", async (pages, batch) => {
    const maxBytes = pages * PAGE;
    const rows = exactData(metric, 2000, D, 1);
    const some = (n: number, from = 0) => Array.from({ length: n }, (_, i) => rows[(from + i) % rows.length]);
    // Identities that are slots take no table, until the first of them goes.
    const index = await create(kind, { ...options, maxBytes, ...(learns && { trainAt: TRAIN_AT }) });
    for (let i = 0; await allOrNothing(index, () => index.add(some(batch, i * batch))); i++);
    const full = index.size;
    for (let turn = 0; turn < 2; turn++) {
      const gone = index.ids().filter((_, i) => i % 2 === turn);
      expect(index.remove(gone)).toBe(gone.length);
      index.add(some(gone.length));
      expect(index.size).toBe(full);
      expect(index.bytes).toBeLessThanOrEqual(maxBytes);
      const ids = index.ids().filter((_, i) => i % 3 === turn);
      expect(index.upsert(some(ids.length, 5), ids)).toBe(ids.length);
      expect(index.size).toBe(full);
    }
    const gone = index.ids().filter((_, i) => i % 2);
    index.remove(gone);
    await index.compact();
    expect(index.deleted).toBe(0);
    // What grows again from a smaller table of ids leaves that behind: 6 of the 84 bytes of such a vector at most.
    while (await allOrNothing(index, () => index.add(some(batch))));
    expect(index.size).toBeGreaterThan(0.9 * full);
    await works(index, rows, maxBytes);
  });
});

it("the queries of a batch wait for each other where there is no room for all", async () => {
  const index = await Flat.create({ dimensions: D, metric: "l2", maxBytes: 12 * PAGE });
  index.add(integers(5000, D, 1, 0, 99));
  const queries = integers(50, D, 2, 0, 99);
  const { ids } = index.searchBatch(queries, { k: 1000 });
  queries.forEach((query, i) => {
    expect([...ids.subarray(i * 1000, (i + 1) * 1000)]).toEqual(index.search(query, { k: 1000 }).map(({ id }) => id));
  });
});
