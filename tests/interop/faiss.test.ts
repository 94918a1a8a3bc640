// Files of Faiss become indices that answer as Faiss does: made files of each class for everyone, those that Faiss itself has written where they are at hand.
import { readdirSync } from "node:fs";
import { Flat, factory, Hnsw, Ivf, KdTree, load, type VectorIndex } from "vicinal";
import { readFaiss, writeFaiss } from "vicinal/interop";
import { describe, expect, it } from "vitest";
import { METRICS } from "../../src/words/kinds.js";
import { clustered, gaussians, integers } from "../support/data.js";
import { haveData, vecs } from "../support/data-sets.js";
import { expectError } from "../support/errors.js";
import { thorough } from "../support/thorough.js";
import * as make from "./support/faiss-file.js";
import { MADE, ROWS, TURN } from "./support/faiss-made.js";
import { bytesOf, describeForeign, goldenOf, pathOf } from "./support/foreign.js";

const D = ROWS[0].length;
const QUERIES = integers(5, D, 8, -100, 100);
const K = 10;

/** Ids by their exact distances from the rows. */
function nearest(
  rows: readonly Float32Array[],
  query: Float32Array,
  metric: keyof typeof METRICS,
): { id: number; distance: number }[] {
  const hits = rows.map((row, id) => ({ id, distance: METRICS[metric].exact(query, row) }));
  return hits.sort((a, b) => a.distance - b.distance || a.id - b.id).slice(0, K);
}

/** Wherever a search may look less far, as far as there is. */
const EVERYWHERE = { flat: {}, ivf: { nprobe: 8 }, hnsw: { ef: 150 } } as const;

/** The most that two vectors differ in a value. */
const apart = (a: Float32Array, b: Float32Array): number => a.reduce((most, x, j) => Math.max(most, Math.abs(x - b[j])), 0);
const near = (value: number): number => 1e-5 * Math.max(Math.abs(value), 1);

describe("made files", () => {
  it.each(Object.entries(MADE))("%s", async (name, { bytes, rows, kind, codec, metric = "l2" }) => {
    const { index, notes, labels, transform } = await readFaiss(bytes);
    expect([index.kind, index.codec, index.metric, index.size, labels, transform]).toEqual([
      kind,
      codec,
      metric,
      rows.length,
      undefined,
      undefined,
    ]);
    rows.forEach((row, id) => void expect(apart(index.get(id) as Float32Array, row), `${name}: vector ${id}`).toBeLessThan(0.01));
    for (const query of QUERIES) {
      const hits = index.search(query, { k: K, ...EVERYWHERE[kind] });
      const exact = nearest(rows, query, metric);
      hits.forEach(
        ({ distance }, i) => void expect(Math.abs(distance - exact[i].distance)).toBeLessThanOrEqual(near(exact[i].distance)),
      );
    }
    const decoded = codec === "f32" && !/^(Flat|IVF8,Flat|HNSW8(, l1)?$|CAGRA|RR|IDMap)/.test(name);
    expect(
      notes.some((note) => note.includes("decoded")),
      `${notes}`,
    ).toBe(decoded);
    index.close();
  });

  it("says what was in the file", async () => {
    const { bytes } = MADE["OPQ4,IVF8,PQ4"];
    const { classes, parameters, format } = await readFaiss(make.mappedFile({ bytes, rows: ROWS }, [...ROWS.keys()]).bytes);
    expect({ classes, parameters, format }).toEqual({
      format: "Faiss",
      classes: ["IndexIDMap2", "IndexPreTransform", "IndexIVFPQ"],
      parameters: { M: 4, nbits: 8, nlist: 8, nprobe: 3, by_residual: true },
    });
    expect((await readFaiss(MADE.HNSW8.bytes)).parameters).toEqual({ M: 8, efConstruction: 40, efSearch: 48 });
    expect((await readFaiss(MADE.SQ8.bytes)).parameters).toEqual({ qtype: "QT_8bit" });
  });

  it("what searches spend where they do not say is as in the file", async () => {
    const lists = (await readFaiss(MADE["IVF8,Flat"].bytes)).index;
    lists.search(QUERIES[0]);
    expect(lists.lastStats.visited).toBe(3);
    expect((await readFaiss(MADE.HNSW8.bytes)).index.stats().options).toMatchObject({ ef: 48, efConstruction: 40, m: 8 });
  });

  it("an index lives on: adds, removes, saves", async () => {
    for (const name of ["Flat", "IVF8,PQ4", "HNSW8"]) {
      const { index } = await readFaiss(MADE[name].bytes);
      expect(Array.from(index.add(QUERIES))).toEqual([150, 151, 152, 153, 154]);
      index.remove([0, 1]);
      expect(index.size).toBe(153);
      const loaded = await load(index.toBytes());
      expect(loaded.search(QUERIES[0], { k: 1, ...EVERYWHERE[MADE[name].kind] })[0].id).toBe(150);
    }
  });

  it("lists that a graph finds", async () => {
    const centroids = make.graphFile(make.flatFile(ROWS.slice(0, 100)), { m: 4 });
    const file = make.listsFile(ROWS, { letters: "IwFl", nlist: 100, quantizer: centroids.bytes });
    const { index, notes } = await readFaiss(file.bytes);
    expect(notes).toEqual([expect.stringContaining("in Faiss by an IndexHNSWFlat")]);
    expect(index.search(ROWS[7], { k: 1, nprobe: 1 })).toEqual([{ id: 7, distance: 0 }]);
  });

  it("is read from a Blob as from bytes", async () => {
    const { index } = await readFaiss(new Blob([MADE.Flat.bytes as Uint8Array<ArrayBuffer>]));
    expect(index.size).toBe(ROWS.length);
  });
});

describe("ids", () => {
  const flat = make.flatFile(ROWS);
  const read = (ids: readonly (number | bigint)[], letters = "IxM2") => readFaiss(make.mappedFile(flat, ids, letters).bytes);

  it("are those of the file where they can be", async () => {
    const ids = ROWS.map((_, i) => 4294967294 - 3 * i);
    const { index, labels } = await read(ids, "IxMp");
    expect(labels).toBeUndefined();
    expect(index.search(ROWS[7], { k: 1 })).toEqual([{ id: ids[7], distance: 0 }]);
  });

  const first = (id: number | bigint): (number | bigint)[] => [id, ...ROWS.keys()].slice(0, ROWS.length);
  it.each([
    ["of 64 bits", ROWS.map((_, i) => 2n ** 60n + BigInt(i))],
    ["below 0", first(-1)],
    ["the same twice", ROWS.map((_, i) => i >> 1)],
    ["one too large", first(4294967295)],
  ])("%s: places, and the file's ids in labels", async (_, ids) => {
    const { index, labels, notes } = await read(ids);
    expect(labels).toEqual(BigInt64Array.from(ids, BigInt));
    expect(notes[0]).toMatch(/^ids are not integers/);
    expect(index.search(ROWS[7], { k: 1 })[0].id).toBe(7);
  });

  it("go through several maps, and those of lists", async () => {
    const { bytes } = make.listsFile(ROWS, { letters: "IwFl", nlist: 8 });
    const inner = make.mappedFile(
      { bytes, rows: ROWS },
      ROWS.map((_, i) => (i + 1) % ROWS.length),
    );
    const { index } = await readFaiss(
      make.mappedFile(
        inner,
        ROWS.map((_, i) => 1000 + i),
      ).bytes,
    );
    expect(index.search(ROWS[7], { k: 1, nprobe: 8 })[0].id).toBe(1008);
    const short = make.mappedFile(
      { bytes, rows: ROWS },
      [...ROWS.keys()].map((i) => i + 1),
    );
    await expectError(() => readFaiss(make.mappedFile(short, [...ROWS.keys()]).bytes), "BAD_FILE", "a vector has the id 150");
  });
});

describe("transforms", () => {
  const shift = Float32Array.from({ length: D }, (_, i) => i);
  const few = make.linearStep(TURN.slice(0, 5), shift.slice(0, 5), "Pcam");

  it("that lose dimensions leave theirs to the caller", async () => {
    const rows = ROWS.map(few.of);
    const { index, transform, notes } = await readFaiss(make.steppedFile(make.flatFile(rows), D, [few]).bytes);
    expect(index.dimensions).toBe(5);
    expect(notes).toEqual([expect.stringContaining("transform()")]);
    const hits = index.search(transform?.(QUERIES[0]) as Float32Array, { k: K });
    expect(hits.map(({ id }) => id)).toEqual(nearest(rows, few.of(QUERIES[0]), "l2").map(({ id }) => id));
  });

  it("a rotation that shifts is undone under l2 alone", async () => {
    const step = make.linearStep(TURN, shift);
    const rows = ROWS.map(step.of);
    const l2 = await readFaiss(make.steppedFile(make.flatFile(rows), D, [step]).bytes);
    expect(l2.transform).toBeUndefined();
    expect(l2.index.search(ROWS[3], { k: 1 })[0]).toEqual({ id: 3, distance: expect.closeTo(0, 3) });
    const dot = await readFaiss(make.steppedFile(make.flatFile(rows, 0), D, [step], 0).bytes);
    const hits = dot.index.search(dot.transform?.(QUERIES[0]) as Float32Array, { k: K });
    expect(hits.map(({ id }) => id)).toEqual(nearest(rows, step.of(QUERIES[0]), "dot").map(({ id }) => id));
  });

  it("that normalise before inner products are metric cosine", async () => {
    const unit = make.unitStep(D);
    const rows = ROWS.map(unit.of);
    const flat = make.flatFile(rows, 0);
    for (const inner of [flat, make.graphFile(flat, { m: 8 }, 0)]) {
      const { index, transform, notes } = await readFaiss(make.steppedFile(inner, D, [unit], 0).bytes);
      expect([index.metric, transform, notes]).toEqual(["cosine", undefined, []]);
      const hits = index.search(QUERIES[0], { k: K, ...EVERYWHERE[index.kind as "flat" | "hnsw"] });
      const exact = nearest(ROWS, QUERIES[0], "cosine");
      expect(hits.map(({ id }) => id)).toEqual(exact.map(({ id }) => id));
      hits.forEach(({ distance }, i) => void expect(distance).toBeCloseTo(exact[i].distance, 5));
    }
  });

  it("follow each other", async () => {
    const steps = [make.unitStep(D), few];
    const of = (row: Float32Array): Float32Array => steps.reduce((x, step) => step.of(x), row);
    const rows = ROWS.map(of);
    const { index, transform } = await readFaiss(make.steppedFile(make.flatFile(rows), D, steps).bytes);
    const hits = index.search(transform?.(QUERIES[0]) as Float32Array, { k: K });
    expect(hits.map(({ id }) => id)).toEqual(nearest(rows, of(QUERIES[0]), "l2").map(({ id }) => id));
  });
});

describe("refuses", () => {
  const rest = make.flatFile(ROWS).bytes.subarray(4);
  const other = (letters: string): Uint8Array => make.glued(new TextEncoder().encode(letters), rest);

  it.each([
    ["IxHe", "IndexLSH"],
    ["IwQR", "IndexIVFPQR"],
    ["IBxF", "IndexBinaryFlat"],
    ["IxRF", "IndexRefine"],
    ["IvFl", "IndexIVFFlat as Faiss wrote it before 2018"],
  ])("%s, which it names", async (letters, name) => {
    await expectError(() => readFaiss(other(letters)), "BAD_FILE", `this Faiss file holds an ${name} (${letters}; IndexFlatIP,`);
  });

  it("what is no file of Faiss", async () => {
    await expectError(() => readFaiss(other("VICI")), "BAD_FILE", "which is no class of Faiss that is known here");
    await expectError(() => readFaiss(new Uint8Array()), "BAD_FILE", "not a whole Faiss file");
    await expectError(() => readFaiss(make.glued(MADE.Flat.bytes, new Uint8Array(3))), "BAD_FILE", "3 bytes follow its index");
    await expectError(() => readFaiss(MADE.Flat.bytes.subarray(0, 500)), "BAD_FILE", "not a whole Faiss file");
    await expectError(() => readFaiss(MADE.Flat.bytes, { ef: 3 } as object), "BAD_OPTION", 'readFaiss has no option "ef"');
  });

  it("lists that were not trained", async () => {
    const emptied = ({ bytes }: make.Made): Uint8Array => {
      const head = bytes.slice(0, 37);
      new DataView(head.buffer).setBigInt64(8, 0n, true);
      return head;
    };
    const lists = MADE["IVF8,Flat"];
    const file = make.glued(emptied(lists), lists.bytes.subarray(37, 53), emptied(MADE.Flat), new Uint8Array(8));
    await expectError(() => readFaiss(file), "BAD_FILE", "lists that have learned no centroids");
  });

  it("values that are no numbers, and what links nowhere", async () => {
    const rows = ROWS.map((row, i) => (i === 5 ? row.map(() => Number.NaN) : row));
    await expectError(() => readFaiss(make.flatFile(rows).bytes), "BAD_FILE", "a value that is no number");
    const bytes = MADE.HNSW8.bytes.slice();
    const view = new DataView(bytes.buffer);
    // The first link of the graph: behind head, chances, levels, nodes' levels and their places.
    const at = 4 + 33 + (8 + 24) + (8 + 16) + (8 + 4 * ROWS.length) + (8 + 8 * (ROWS.length + 1)) + 8;
    view.setInt32(at, 150, true);
    await expectError(() => readFaiss(bytes), "BAD_FILE", "node 0 of its graph links to node 150 of 150");
  });

  it("more than maxBytes", async () => {
    const { bytes } = make.flatFile(gaussians(4000, 64, 1));
    await expectError(() => readFaiss(bytes, { maxBytes: 2 ** 19 }), "OUT_OF_MEMORY", "cannot grow");
  });

  it("Lucene's end of a file is none of the index, and no fault", async () => {
    const end = Uint8Array.of(0xc0, 0x28, 0x93, 0xe8, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8);
    expect((await readFaiss(make.glued(MADE.Flat.bytes, end))).index.size).toBe(ROWS.length);
    await expectError(
      () =>
        readFaiss(
          make.glued(
            MADE.Flat.bytes,
            end.map((x) => x ^ 1),
          ),
        ),
      "BAD_FILE",
      "16 bytes follow",
    );
  });
});

const DATA = clustered(700, D, 3, 12);
const ASKED = clustered(12, D, 4, 12);

/** Ours, by the words of factory(). */
const OURS = [
  ...[
    "Flat",
    "SQ8",
    "SQfp16",
    "SQbf16",
    "PQ4",
    "PQ8x4",
    "OPQ4,PQ4",
    "IVF8,Flat",
    "IVF8,SQ8",
    "IVF8,SQfp16",
    "IVF8,PQ4",
    "OPQ4,IVF8,PQ4",
  ],
  ...["HNSW8,Flat", "HNSW8,SQ8", "HNSW8,SQbf16", "HNSW8,PQ4", "OPQ4,HNSW8,PQ4"],
];

async function ours(words: string, metric: "l2" | "cosine" | "dot", ids?: number[]): Promise<VectorIndex> {
  const index = await factory(words, { dimensions: D, metric, ...(/PQ|IVF/.test(words) && { trainAt: DATA.length }) });
  index.add(DATA, ids);
  return index;
}

/** Under cosine rows are written at unit length. */
const asWritten = (row: Float32Array, metric: string, length = Math.hypot(...row)): Float32Array =>
  metric === "cosine" ? row.map((x) => x / length) : row;

describe("writes", () => {
  const metrics = ["l2", "cosine", "dot"] as const;
  const all = OURS.flatMap((words) => metrics.map((metric) => [words, metric] as const));
  const cases = thorough(
    all.filter((_, i) => i % 4 === 0),
    all,
  );

  it.each(cases)("%s, %s: another reader finds the same vectors, and it comes back", async (words, metric) => {
    const ids = words.length % 2 ? DATA.map((_, i) => 10 * i + 3) : undefined;
    const index = await ours(words, metric, ids);
    const bytes = writeFaiss(index);
    const outer = make.taken(bytes);
    let inner = outer;
    while (inner.inner) inner = inner.inner;
    const byL2 = metric === "l2" || (metric === "cosine" && /PQ|IVF/.test(words));
    expect(inner.metric).toBe(byL2 ? 1 : 0);
    const before = [outer, outer.inner].find((one) => one?.letters === "IxPT");
    const matrix = before?.matrix;
    expect(before?.unit ?? false).toBe(metric === "cosine");
    const back = (row: Float32Array): Float32Array =>
      matrix ? row.map((_, j) => matrix.reduce((sum, one, i) => sum + one[j] * row[i], 0)) : row;
    let worst = 0;
    expect(inner.rows).toHaveLength(DATA.length);
    inner.rows?.forEach((row, i) => {
      const id = inner.ids?.[i] ?? outer.ids?.[i] ?? i;
      const length = Math.hypot(...DATA[ids ? ids.indexOf(id) : id]);
      const stored = asWritten(index.get(id) as Float32Array, metric, length);
      worst = Math.max(worst, apart(back(row), stored));
    });
    expect(worst).toBeLessThan(words.endsWith("SQ8") ? 0.2 : 4e-5);
    const { index: read, transform } = await readFaiss(bytes);
    if (!words.includes("SQ")) expect([read.kind, read.codec, read.metric]).toEqual([index.kind, index.codec, metric]);
    if (words.endsWith("SQ8")) return;
    // Four-bit codes are added up in rounded numbers here, halves are not quite of length 1.
    const rough = words.includes("x4") ? 1e4 : /SQ.*16/.test(words) && metric === "cosine" ? 1000 : 1;
    const effort = index.kind === "ivf" ? { nprobe: 4 } : index.kind === "hnsw" ? { ef: 60 } : {};
    for (const query of ASKED) {
      const hits = read.search(transform?.(query) ?? query, { k: K, ...effort });
      const own = index.search(query, { k: K, ...effort });
      // Halves under cosine come back as dot or l2 of vectors of length 1.
      const asOwn = (x: number): number => (read.metric === "dot" ? x + 1 : read.metric === "l2" ? x ** 2 / 2 : x);
      hits.forEach(({ distance }, i) => {
        const found = metric === "cosine" ? asOwn(distance) : distance;
        expect(Math.abs(found - own[i].distance)).toBeLessThanOrEqual(rough * near(own[i].distance));
      });
    }
  });

  it("a file that was read comes out as it was, byte for byte", async () => {
    const fixed = [
      "Flat",
      "Flat, inner product",
      "Flat, l1",
      "SQfp16",
      "SQbf16",
      "PQ4",
      "IVF8,Flat",
      "IVF8,SQfp16",
      "IVF8,PQ4",
      "IVF8,PQ4 of whole vectors",
    ];
    for (const name of fixed) {
      const { index } = await readFaiss(MADE[name].bytes);
      expect(Buffer.compare(writeFaiss(index), MADE[name].bytes), name).toBe(0);
    }
    const mapped = make.mappedFile(
      make.flatFile(ROWS),
      ROWS.map((_, i) => 7 * i),
    ).bytes;
    expect(Buffer.compare(writeFaiss((await readFaiss(mapped)).index), mapped)).toBe(0);
  });

  it("the graph as it is: levels, links in their order, entry", async () => {
    const of = make.taken(MADE.HNSW8.bytes);
    const again = make.taken(writeFaiss((await readFaiss(MADE.HNSW8.bytes)).index));
    expect([again.entry, again.links]).toEqual([of.entry, of.links]);
  });

  it("lists that are mostly empty", async () => {
    const few = make.listsFile(ROWS.slice(0, 40), { letters: "IwFl", nlist: 30 });
    expect(few.lists.filter((list) => list.length > 0).length).toBe(30);
    const index = await Ivf.create({ dimensions: D, metric: "l2", nlist: 8, trainAt: 700 });
    index.add(DATA);
    const [kept] = index.search(DATA[0], { k: 1 });
    index.remove(Array.from(index.ids()).filter((id) => id !== kept.id));
    const { sizes } = make.taken(writeFaiss(index));
    expect(sizes?.filter((size) => size > 0)).toEqual([1]);
    expect((await readFaiss(writeFaiss(index))).index.search(DATA[0], { k: 2 })).toEqual([{ id: 0, distance: 0 }]);
  });

  it("equal vectors, which an Hnsw keeps beside its graph, are in the graph of Faiss", async () => {
    const index = await Hnsw.create({ dimensions: D, metric: "l2", m: 4 });
    const copies = Array.from({ length: 60 }, (_, i) => DATA[i % 3]);
    index.add([...DATA.slice(0, 200), ...copies]);
    const read = (await readFaiss(writeFaiss(index))).index;
    expect(read.stats().unreachable).toBe(0);
    const hits = read.search(DATA[1], { k: 21, ef: 100 });
    expect(hits.filter(({ distance }) => distance === 0)).toHaveLength(21);
  });

  it("an empty index", async () => {
    for (const family of [Flat, Hnsw]) {
      const { index } = await readFaiss(writeFaiss(await family.create({ dimensions: 3, metric: "l2" })));
      expect([index.size, index.search([1, 2, 3])]).toEqual([0, []]);
      index.add([[1, 2, 3]]);
      expect(index.search([1, 2, 3])).toEqual([{ id: 0, distance: 0 }]);
    }
  });

  it("refuses what Faiss has nothing for, and what it would lose", async () => {
    const refused = async (index: VectorIndex, saying: string): Promise<void> => {
      await expectError(() => writeFaiss(index), "BAD_OPTION", saying);
    };
    await refused(await KdTree.create({ dimensions: 3 }), "Faiss has nothing that a KdTree could become");
    await refused(await Flat.create({ dimensions: 8, metric: "hamming" }), 'metric "hamming" does not go to Faiss');
    await refused(await Flat.create({ dimensions: 8, codec: "binary" }), 'Faiss has nothing that codec "binary" could become');
    await refused(await Flat.create({ dimensions: 8, metric: "l1", codec: "f16" }), 'Faiss has metric "l1" for f32 rows alone');
    await refused(await Ivf.create({ dimensions: 3, nlist: 4 }), "has not learned yet");
    await refused(await ours("RR,PQ4", "l2"), 'Faiss has no rotation like { rotate: "random" }');
    await refused(await ours("PQ5", "l2"), "5 parts of 16 dimensions");
    const graph = await ours("HNSW8", "l2");
    graph.remove([1, 2]);
    await refused(graph, "2 removed vectors are still in the graph: await index.compact()");
    await graph.compact();
    expect((await readFaiss(writeFaiss(graph))).index.size).toBe(DATA.length - 2);
    await expectError(() => writeFaiss({} as VectorIndex), "BAD_OPTION", "writeFaiss takes an index");
  });
});

// ---- files that Faiss has written -------------------------------------------------------------------------------------------

const SET = "index-files";

interface Golden {
  readonly params: { readonly nprobe?: string; readonly efSearch?: string };
  readonly faiss_top10: readonly { readonly query: number[]; readonly labels: number[]; readonly dist: number[] }[];
}

/** Of those whose estimates are not Faiss's, by what part of their name. */
const ESTIMATED = /RaBitQ|x4fs/;
/** Of those that come out as they were: layouts are fixed there, and nothing is decoded. */
const AS_THEY_WERE = /sift400|sift2000_(HNSW16_Flat|IVF32_PQ16|PQ16)|fingercode/;

describeForeign("files of Faiss", () => {
  const here = haveData(SET);
  const names = here
    ? readdirSync(pathOf(""))
        .filter((name) => /faiss.*golden/.test(name))
        .map((name) => name.replace(".golden.json", ""))
    : [];

  it("are there", () => expect(names).toHaveLength(17));

  it.each(names)("%s", async (name) => {
    const golden = goldenOf<Golden>(name);
    const { index, parameters } = await readFaiss(pathOf(name));
    const { nprobe, efSearch } = golden.params;
    let recall = 0;
    for (const { query, labels, dist } of golden.faiss_top10) {
      // Faiss drops the fractions of queries on bytes.
      const asked = String(parameters.qtype).includes("direct") ? query.map(Math.trunc) : query;
      const options = { k: labels.length, ...(nprobe && { nprobe: Number(nprobe) }), ...(efSearch && { ef: Number(efSearch) }) };
      const hits = index.search(asked, options);
      if (ESTIMATED.test(name)) {
        recall += gain(query, hits, labels) / golden.faiss_top10.length;
        continue;
      }
      const wanted = dist.map((value) => (index.metric === "l2" ? Math.sqrt(value) : -value));
      hits.forEach(
        ({ distance }, i) =>
          void expect(Math.abs(distance - wanted[i])).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(wanted[i]))),
      );
      // Equal distances come in any order.
      const tied = (i: number): number[] =>
        labels.filter((_, j) => Math.abs(wanted[j] - wanted[i]) <= 1e-5 * Math.abs(wanted[i]));
      hits.forEach(({ id }, i) => {
        if (wanted[i] !== wanted[wanted.length - 1]) expect(tied(i), `${name}: ${labels}`).toContain(id);
      });
    }
    expect(recall).toBeGreaterThanOrEqual(-0.005);
    if (AS_THEY_WERE.test(name)) expect(Buffer.compare(writeFaiss(index), bytesOf(name))).toBe(0);
    index.close();
  });

  const base = here ? vecs("siftsmall-128", "base.bvecs").slice(0, 2000) : [];
  /** By how much more of the true nearest a search has than Faiss's. */
  function gain(query: number[], hits: readonly { id: number }[], labels: readonly number[]): number {
    const truth = new Set(nearest(base, Float32Array.from(query), "l2").map(({ id }) => id));
    const share = (ids: readonly number[]): number => ids.filter((id) => truth.has(id)).length / truth.size;
    return share(hits.map(({ id }) => id)) - share(labels);
  }
});
