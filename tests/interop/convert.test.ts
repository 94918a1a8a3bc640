// vicinal convert, and build from what others have written.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { load } from "vicinal";
import { openVectors, readFaiss, readHnswlib } from "vicinal/interop";
import { afterAll, expect, test } from "vitest";
import { CLI, commandLine } from "../support/command-line.js";
import { gaussians } from "../support/data.js";
import { THOROUGH } from "../support/thorough.js";
import { writeAnnoyFile } from "./support/annoy.js";
import { Writer } from "./support/bytes.js";
import { madeGraph, truth } from "./support/graph.js";
import { readHnswlibFile, writeHnswlibFile } from "./support/hnswlib.js";
import { writeUsearchFile } from "./support/usearch.js";

const folder = mkdtempSync(join(tmpdir(), "vicinal-convert-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const { json, fails } = commandLine(folder);

const GRAPH = madeGraph("l2");
const QUERY = gaussians(1, 12, 77)[0];

test("an index of hnswlib's goes into a .vic, from there into hnswlib's and Faiss's, and its vectors into a .npy", async () => {
  writeFileSync(at("theirs.bin"), writeHnswlibFile(GRAPH));
  const done = json("convert", "theirs.bin", "ours.vic", "--metric", "l2");
  expect(done).toMatchObject({ from: "hnswlib", to: "vic", vectors: 120, dimensions: 12 });
  expect(done.fileBytes).toBe(statSync(at("ours.vic")).size);
  const index = await load(readFileSync(at("ours.vic")));
  expect(index.stats().options).toMatchObject({ m: 6, efConstruction: 150 });
  const wanted = truth(GRAPH, QUERY, 10).map(Number);
  expect(index.search(QUERY, { k: 10, exact: true }).map(({ id }) => id)).toEqual(wanted);

  json("convert", "ours.vic", "again.bin");
  const again = readHnswlibFile(readFileSync(at("again.bin")));
  expect(again).toEqual(readHnswlibFile(writeHnswlibFile(GRAPH)));
  json("convert", "ours.vic", "ours.index");
  const faiss = (await readFaiss(at("ours.index"))).index;
  expect(faiss.search(QUERY, { k: 10, exact: true }).map(({ id }) => id)).toEqual(wanted);

  json("convert", "ours.vic", "ours.npy");
  const opened = await openVectors(at("ours.npy"));
  expect([opened.dimensions, opened.total]).toEqual([12, 120]);
  for await (const { vectors } of opened) {
    expect(Array.from(vectors.subarray(0, 12))).toEqual(Array.from(index.get(0) as Float32Array));
  }
});

test("a graph with deleted marks goes to Faiss without what was deleted", async () => {
  const graph = madeGraph("l2", { deleted: [3, 50] });
  writeFileSync(at("marked.bin"), writeHnswlibFile(graph));
  expect(json("convert", "marked.bin", "unmarked.index", "--metric", "l2")).toMatchObject({ to: "faiss", vectors: 118 });
  const { index } = await readFaiss(at("unmarked.index"));
  const found = index.search(QUERY, { k: 10, exact: true }).map(({ id }) => id);
  expect(found).toEqual(truth(graph, QUERY, 10).map(Number));
});

test("an index goes over as it is: what would have it otherwise is refused, and so is another metric", async () => {
  writeFileSync(at("asis.usearch"), writeUsearchFile(GRAPH));
  fails(2, "goes over as it is, without --rerank-codec", "convert", "asis.usearch", "x.vic", "--rerank-codec", "f16");
  fails(2, "its metric is l2, and --metric dot does not change that", "convert", "asis.usearch", "x.npy", "--metric", "dot");
  expect(json("convert", "asis.usearch", "x.vic", "--metric", "l2").vectors).toBe(120);
});

test("vectors are written wholly or not at all", () => {
  writeFileSync(at("ragged.jsonl"), '{"vector": [1, 2]}\n{"vector": [3]}\n');
  for (const name of ["kept.npy", "kept.fvecs"]) {
    writeFileSync(at(name), "kept");
    fails(1, "line 2", "convert", "ragged.jsonl", name);
    expect(readFileSync(at(name), "utf8")).toBe("kept");
  }
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test.runIf(THOROUGH)("the others, and what is asked of them", async () => {
  writeFileSync(at("theirs.usearch"), writeUsearchFile(GRAPH));
  expect(json("convert", "theirs.usearch", "u.vic")).toMatchObject({ from: "usearch", vectors: 120 });
  writeFileSync(at("theirs.ann"), writeAnnoyFile("cosine", GRAPH.rows, 12, 3));
  const annoy = json("convert", "theirs.ann", "a.vic", "--metric", "cosine", "--dimensions", "12");
  expect(annoy.notes[0]).toContain("grown anew");
  for (const [args, saying] of [
    [["theirs.ann", "x.vic", "--metric", "l2"], "give --dimensions"],
    [["theirs.bin", "x.vic"], "give --metric"],
    [["theirs.usearch", "x.xyz"], "--to says which"],
    [["theirs.usearch", "theirs.usearch", "--to", "vic"], "overwrite what is read"],
  ] as const) {
    fails(2, saying, "convert", ...args);
  }
  // Built anew from another's vectors, under their labels.
  expect(json("build", "theirs.bin", "-o", "flat.vic", "--index", "flat", "--metric", "l2")).toMatchObject({
    kind: "flat",
    vectors: 120,
  });
  const flat = await load(readFileSync(at("flat.vic")));
  expect(flat.search(QUERY, { k: 10 }).map(({ id }) => id)).toEqual(truth(GRAPH, QUERY, 10).map(Number));
  json("build", "ours.npy", "-o", "built.vic", "--metric", "l2", "--m", "8");
  json("convert", "ours.npy", "converted.vic", "--metric", "l2", "--m", "8");
  expect(readFileSync(at("converted.vic"))).toEqual(readFileSync(at("built.vic")));
  json("convert", "ours.npy", "built.bin", "--metric", "l2");
  expect((await readHnswlib(at("built.bin"), { metric: "l2" })).index.size).toBe(120);
  json("convert", "ours.npy", "ours.fvecs");
  json("convert", "ours.fvecs", "back.npy");
  expect(readFileSync(at("back.npy"))).toEqual(readFileSync(at("ours.npy")));
});

/** A .npy of so many MiB, its rows numbered. */
function bigNpy(name: string, mib: number, width: number): void {
  const block = 1024;
  const rows = Math.round((mib * 2 ** 20) / (4 * width * block)) * block;
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`.padEnd(117).concat("\n");
  const file = openSync(at(name), "w");
  writeSync(file, new Writer().u8(0x93).text("NUMPY").u8(1).u8(0).u16(header.length).text(header).done());
  const values = new Float32Array(block * width);
  for (let row = 0; row < rows; row += block) {
    values.forEach((_, i) => void (values[i] = ((row * width + i) % 1013) / 7));
    writeSync(file, new Uint8Array(values.buffer));
  }
  closeSync(file);
}

/** The most memory that the command line had, in MiB, as Linux counts it. */
function peakOf(...args: string[]): number {
  writeFileSync(
    at("peak.mjs"),
    `import { readFileSync, writeFileSync } from "node:fs";
     process.on("exit", () => writeFileSync(${JSON.stringify(at("peak"))}, /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]));`,
  );
  const node = ["--import", pathToFileURL(at("peak.mjs")).href, CLI, ...args];
  const { status, stderr } = spawnSync(process.execPath, node, { cwd: folder, encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  return Number(readFileSync(at("peak"), "utf8")) / 1024;
}

// Measured: 46 MiB beyond the index for its building and writing, 30 for .npy to .fvecs.
test.runIf(THOROUGH && process.platform === "linux")("a file of 200 MiB: memory is that of the index and 64 MiB", () => {
  bigNpy("tiny.npy", 4, 1024);
  bigNpy("big.npy", 200, 1024);
  const idle = peakOf("convert", "tiny.npy", "tiny.vic", "--index", "flat");
  const built = peakOf("convert", "big.npy", "big.vic", "--index", "flat");
  const index = statSync(at("big.vic")).size / 2 ** 20;
  console.log(`peak: ${idle.toFixed(0)} MiB of a tiny file, ${built.toFixed(0)} MiB of an index of ${index.toFixed(0)} MiB`);
  expect(built - idle).toBeLessThanOrEqual(index + 64);
  expect(peakOf("convert", "big.npy", "big.faiss", "--index", "flat") - idle).toBeLessThanOrEqual(index + 64);
  expect(peakOf("convert", "big.npy", "big.fvecs") - idle).toBeLessThanOrEqual(64);
});
