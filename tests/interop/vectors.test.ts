// Files of vectors, each written by another hand than reads them.
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { LargeList, List } from "apache-arrow";
import { parquetWriteBuffer } from "hyparquet-writer";
import { Flat, Hnsw, VicinalError } from "vicinal";
import { openVectors, type VectorOptions } from "vicinal/interop";
import { afterAll, describe, expect, it, test } from "vitest";
import { expectError, thrownBy } from "../support/errors.js";
import { often } from "../support/thorough.js";
import { readDamaged } from "./support/damage.js";
import { arrow, arrowBatches, D, hdf5, IDS, npy, PLAIN, parquet, ROWS, SCHEMA, vecs, WHOLE } from "./support/vector-files.js";
import { zip } from "./support/zip.js";

const MUTATIONS = often(30, 2000);
const CUTS = often(8, 200);
const folder = mkdtempSync(join(tmpdir(), "vicinal-interop-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function all(file: Parameters<typeof openVectors>[0], options?: VectorOptions) {
  const opened = await openVectors(file, options);
  const [rows, ids]: [number[][], number[]] = [[], []];
  for await (const chunk of opened) {
    const width = chunk.vectors.length / chunk.rows;
    for (let i = 0; i < chunk.rows; i++) rows.push(Array.from(chunk.vectors.subarray(i * width, (i + 1) * width)));
    ids.push(...(chunk.ids ?? []));
  }
  return { format: opened.format, dimensions: opened.dimensions, total: opened.total, rows, ids };
}

type Case = readonly [name: string, bytes: () => Uint8Array, options?: VectorOptions, rows?: number[][], ids?: number[]];
const FILES: readonly Case[] = [
  ["a.npy", () => npy(ROWS)],
  ["a.fvecs", () => vecs("f")],
  ["a.bvecs", () => vecs("b"), {}, WHOLE],
  ["a.ivecs", () => vecs("i"), {}, WHOLE],
  ["a.npy.gz", () => gzipSync(npy(ROWS))],
  ["one.npz", () => zip({ "anything.npy": npy(ROWS) })],
  ["deflated.npz", () => zip({ "other.npy": npy([[1]]), "vectors.npy": npy(ROWS) }, { deflate: true })],
  ["wide.npz", () => zip({ "x.npy": npy(ROWS), "y.npy": npy([[1]]) }, { wide: true }), { array: "x" }],
  ["a.parquet", parquet, {}, PLAIN, IDS],
  ["a.arrow", () => arrow("file"), {}, PLAIN, IDS],
  ["a.arrows", () => arrow("stream"), {}, PLAIN, IDS],
  ["lists.feather", () => arrow("file", false), { idField: "id", vectorField: "vector" }, PLAIN, IDS],
];

describe("a file is read from a path, from bytes, and from a Blob", () => {
  for (const [name, bytes, options, rows = PLAIN, ids = []] of FILES) {
    test(name, async () => {
      const path = join(folder, name);
      writeFileSync(path, bytes());
      const read = await all(path, options);
      expect(read).toMatchObject({ dimensions: D, rows, ids });
      if (!name.endsWith(".gz") && read.format !== "arrow") expect(read.total).toBe(ROWS.length);
      const told = { ...options, format: read.format };
      expect(await all(bytes(), told)).toMatchObject({ rows, ids });
      expect(await all(new File([bytes() as BlobPart], name), options)).toMatchObject({ rows, ids });
      // By its first bytes, but for what has none of its own.
      if (!/vecs/.test(name) && !name.endsWith(".gz"))
        expect(await all(bytes(), options)).toMatchObject({ format: read.format, rows });
    });
  }

  test("ann-benchmarks' HDF5", async () => {
    const path = await hdf5(join(folder, "ann.hdf5"));
    expect(await all(path)).toMatchObject({ format: "hdf5", dimensions: D, total: 40, rows: PLAIN });
    expect((await all(path, { array: "test" })).rows).toEqual(PLAIN.slice(0, 2));
    expect((await all(path, { array: "neighbors" })).rows).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect((await all(readFileSync(path))).rows).toEqual(PLAIN);
    await expectError(() => all(path, { array: "none" }), "BAD_FILE", '"none" is no dataset');
  });
});

test("packed bits: bytes are eight each", async () => {
  const bits = npy(
    [
      [1, 255],
      [2, 0],
    ],
    "|u1",
  );
  const opened = await openVectors(bits, { packed: true });
  expect(opened.dimensions).toBe(16);
  const index = await Flat.create({ dimensions: 16, metric: "hamming" });
  await index.addAll(opened.rows() as AsyncIterable<Uint8Array>);
  expect([...(index.get(0) as Float32Array)].join("")).toBe("1000000011111111");
});

test("a URL and a Response are read as they come", async () => {
  const url = `data:application/octet-stream;base64,${Buffer.from(npy(ROWS)).toString("base64")}`;
  for (const file of [url, new URL(url), new Response(npy(ROWS) as BodyInit)]) {
    expect((await all(file, { format: "npy" })).rows).toEqual(PLAIN);
  }
  await expectError(() => openVectors(new Response("", { status: 503 }), { format: "npy" }), "BAD_FILE", "status 503");
});

test("a file that is closed unread is given back", async () => {
  const big = Array.from({ length: 5000 }, (_, i) => Float32Array.of(i, 1));
  for (const [name, bytes] of [
    ["unread.parquet", parquet()],
    ["unread.npy", npy(big)],
    ["unread.npy.gz", gzipSync(npy(big))],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const opened = await openVectors(path);
    await opened.close();
    for await (const { vectors } of await openVectors(path)) if (vectors.length) break;
  }
  const flat = join(folder, "unread-flat.npy");
  writeFileSync(flat, npy(big, "<f4", "(10000,)"));
  await expectError(() => openVectors(flat), "BAD_FILE", "two dimensions");
  // A stream closes its file a little later.
  await expect.poll(openFiles).toBe(0);
});

/** Files that this process has open, where the system tells. */
function openFiles(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).includes("unread")).length : 0;
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

test("rows() is what addAll takes", async () => {
  const opened = await openVectors(npy(ROWS));
  const index = await Hnsw.create({ dimensions: opened.dimensions, metric: "l2" });
  await index.addAll(opened.rows());
  expect(index.size).toBe(40);
  expect(index.search(ROWS[33], { k: 1 })).toEqual([{ id: 33, distance: 0 }]);
});

test("what cannot be read is named", async () => {
  await expectError(() => openVectors(new Uint8Array(20)), "BAD_OPTION", "{ format } says it");
  await expectError(() => openVectors(new Uint8Array(), { format: "npy" }), "BAD_FILE", "not a .npy file");
  await expectError(() => openVectors(npy([[1, 2]], "<f4", "(0, 2)").slice(0, -8)), "BAD_FILE", "no vectors");
  await expectError(() => openVectors(zip({ "a.npy": npy(ROWS), "b.npy": npy(ROWS) })), "BAD_OPTION", "a, b");
  await expectError(() => openVectors(zip({ "a.npy": npy(ROWS) }), { array: "c" }), "BAD_OPTION", 'no array "c"');
  await expectError(() => openVectors(parquet(), { vectorField: "x" }), "BAD_FILE", 'no column "x" (it has id, embedding)');
  await expectError(() => openVectors(arrow("file"), { idField: "key" }), "BAD_FILE", 'no column "key"');
  await expectError(
    () => openVectors(arrow("file"), { vectorField: "id" }),
    "BAD_FILE",
    "not a FixedSizeList, List or LargeList",
  );
  await expectError(() => openVectors(npy(ROWS), { form: "npy" } as never), "BAD_OPTION", "form");
  await expectError(() => openVectors(npy(ROWS), { format: "xlsx" as never }), "BAD_OPTION", "xlsx");
});

test("an Arrow column of lists of any length, large ones too: all batches are as wide as the first", async () => {
  const both = [[[1, 2]], [[3, 4]]];
  for (const type of [List, LargeList]) expect((await all(arrowBatches(both, type))).rows).toEqual(both.flat());
  await expectError(() => all(arrowBatches([[[1, 2]], [[3], [4]]], List)), "BAD_FILE", "row 2 has 1 values, the first row has 2");
  await expectError(() => all(arrowBatches([[null, [1, 2]]], List)), "BAD_FILE", "row 1 is null");
});

test("a Parquet column of lists of 64-bit integers", async () => {
  const schema = SCHEMA.map((element) => (element.name === "element" ? { ...element, type: "INT64" as const } : element));
  const columnData = [
    { name: "id", data: [4n, 2n] },
    {
      name: "embedding",
      data: [
        [1n, -2n],
        [3n, 4n],
      ],
    },
  ];
  expect(await all(new Uint8Array(parquetWriteBuffer({ schema, columnData })))).toMatchObject({
    rows: [
      [1, -2],
      [3, 4],
    ],
    ids: [4, 2],
  });
});

describe("damage is refused, or read as rows", () => {
  const cases: readonly (readonly ["npy" | "fvecs" | "npz" | "arrow", () => Uint8Array])[] = [
    ["npy", () => npy(ROWS)],
    ["fvecs", () => vecs("f")],
    ["npz", () => zip({ "a.npy": npy(ROWS) }, { deflate: true, wide: true })],
    ["arrow", () => arrow("file")],
    ["arrow", () => arrow("stream", false)],
  ];
  it.each(cases)("%s", async (format, bytes) => {
    await readDamaged(bytes(), 0, MUTATIONS, (damaged) => all(damaged, { format }));
  });

  it("hdf5", async () => {
    const bytes = new Uint8Array(readFileSync(await hdf5(join(folder, "damaged.h5"))));
    await readDamaged(bytes, 0, MUTATIONS, (damaged) => all(damaged, { format: "hdf5" }));
  });
});

// What hyparquet makes of damage inside is its own: counts that are wrong keep it busy for long. What is cut off it notices.
describe("what is cut off is refused, or read as rows", () => {
  const cases: readonly (readonly ["parquet" | "arrow" | "hdf5", () => Uint8Array | Promise<Uint8Array>])[] = [
    ["parquet", parquet],
    ["arrow", () => arrow("file")],
    ["hdf5", async () => new Uint8Array(readFileSync(await hdf5(join(folder, "cut.h5"))))],
  ];
  it.each(cases)("%s", async (format, made) => {
    const bytes = await made();
    for (let cut = 0; cut < bytes.length; cut += Math.ceil(bytes.length / CUTS)) {
      const error = await thrownBy(() => all(bytes.slice(0, cut), { format }));
      expect(error, `${cut} bytes: ${error}`).toBeInstanceOf(VicinalError);
      expect((error as VicinalError).code).toBe("BAD_FILE");
    }
  });
});
