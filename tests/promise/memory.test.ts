// What an index costs: nothing once it is closed, and while it lives two numbers per vector more than hnswlib's.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import v8 from "node:v8";
import vm from "node:vm";
import { load } from "vicinal";
import { describe, expect, it } from "vitest";
import { type Codec, KIND_NAMES, type Kind, type Metric } from "../../src/words/kinds.js";
import { measured } from "../support/answers.js";
import { type AnyOptions, create, EVERY_CASE, EVERY_KIND_AND_CODEC, KINDS_AND_CODECS, QUICK } from "../support/cases.js";
import { exactData, gaussians } from "../support/data.js";
import { thorough } from "../support/thorough.js";

v8.setFlagsFromString("--expose-gc");
const gc = vm.runInNewContext("gc") as () => void;

/** Bytes outside the JS heap once everything unreachable is gone: linear memories are there. */
async function outside(): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 6; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { arrayBuffers, external } = process.memoryUsage();
    least = Math.min(least, arrayBuffers + external);
  }
  return least;
}

const MIB = 1 << 20;
/** So many that what the closed ones hold shows. */
const MANY = thorough(150, 250);

/** Options with which what learns does so from 20 vectors. */
function learning(kind: Kind, codec: Codec, metric: Metric): Partial<AnyOptions> {
  const of = EVERY_CASE.find((one) => one.kind === kind && one.codec === codec);
  const trains = kind === "ivf" || ["pq", "rabitq"].includes(codec) || (kind === "lsh" && metric === "l2");
  return { ...QUICK[kind], codec: of!.options.codec, ...(trains && { trainAt: 20 }), ...(kind === "ivf" && { nlist: 4 }) };
}

describe("memory comes back", () => {
  it.each(EVERY_KIND_AND_CODEC)("of many indices of $name, closed or dropped", async ({ kind, codec, metric, own: more }) => {
    const rows = exactData(metric, 20, 16, 1);
    const own = { ...learning(kind, codec, metric), ...more };
    let held = 0;
    const live = async (n: number): Promise<void> => {
      for (let i = 0; i < n; i++) {
        const index = await create(kind, { dimensions: 16, metric, ...own });
        index.add(rows);
        expect(index.trained).toBe(true);
        index.search(rows[3], { filter: [1, 2, 3] });
        if (i % 50 === 0) {
          index.remove([1, 2]);
          await index.compact();
          (await load(index.toBytes())).search(rows[0]);
        }
        held += index.bytes;
        if (i % 2) index.close();
      }
    };
    await live(50);
    const before = await outside();
    held = 0;
    await live(MANY);
    // A page each and more.
    expect(held).toBeGreaterThanOrEqual(MANY * 65_000);
    expect((await outside()) - before).toBeLessThan(4 * MIB);
  });

  it("of searches, failed calls and saved files of one index", async () => {
    const index = await create("hnsw", { dimensions: 32, metric: "l2", ...QUICK.hnsw });
    const rows = gaussians(2000, 32, 1);
    index.add(rows);
    const use = (): void => {
      index.search(rows[5], { k: 500, ef: 1000, filter: (id) => id % 3 === 0 });
      index.searchBatch(rows.slice(0, 200), { k: 20, exact: true });
      index.toBytes();
      for (const bad of [
        () => index.add([[1]]),
        () => index.search(rows[0].map(() => NaN)),
        () =>
          index.add(
            rows,
            rows.map(() => 7),
          ),
      ]) {
        expect(bad).toThrow();
      }
    };
    use();
    const { bytes } = index;
    for (let i = 0; i < 30; i++) use();
    expect(index.bytes).toBe(bytes);
  });

  it("of a large one by more than is needed: V8 collects the garbage of the whole heap after each growth", async () => {
    const index = await create("flat", { dimensions: 128 });
    const rows = gaussians(100, 128, 1);
    const grown = new Set<number>();
    while (index.bytes < 20 * MIB) {
      index.add(rows);
      if (index.bytes > 8 * MIB) grown.add(index.bytes);
    }
    expect(grown.size).toBeLessThan(35); // 30; by the page 190
    expect(index.bytes / (index.size * 128 * 4)).toBeLessThan(1.07);
  });

  it("of removed vectors: adding and removing for ever does not grow an index", async () => {
    for (const { name, kind, codec, metric, own } of EVERY_KIND_AND_CODEC) {
      const index = await create(kind, { dimensions: 16, metric, ...learning(kind, codec, metric), ...own });
      const rows = exactData(metric, thorough(200, 600), 16, 1);
      index.add(rows);
      const churn = (): void => {
        for (let i = 0; i < rows.length; i += 20) {
          index.remove([...index.ids()].slice(0, 20));
          index.add(rows.slice(i, i + 20));
        }
      };
      for (let round = 0; round < 3; round++) churn();
      const { bytes } = index;
      for (let round = 0; round < thorough(3, 8); round++) churn();
      expect(index.size).toBe(rows.length);
      expect(index.bytes, name).toBe(bytes);
    }
  });
});

describe.runIf(process.platform === "linux")("where address space is limited", () => {
  /** A program in which all of vicinal is `v`, under `ulimit -v`: what it prints. V8 reserves 10 GiB per memory. */
  async function limited(gigabytes: number, program: string, ...flags: string[]): Promise<unknown> {
    const entry = new URL("../../dist/index.js", import.meta.url);
    const script = `import(${JSON.stringify(entry)}).then(async (v) => { ${program} }).then((of) => console.log(JSON.stringify(of)))`;
    const command = `ulimit -v ${gigabytes << 20} && exec "$0" "$@"`;
    const { stdout } = await promisify(execFile)("sh", ["-c", command, process.execPath, ...flags, "-e", script]);
    return JSON.parse(stdout);
  }
  const FILL = `
    const all = [];
    const fill = async (n) => {
      while (all.length < n) {
        const index = await v.Flat.create({ dimensions: 2, metric: "l2" });
        index.add([[all.length, 1]]);
        all.push(index);
      }
    };`;

  it("an index more is refused, with what holds memory; the others are unharmed; close() makes room", async () => {
    const program = `${FILL}
      const error = await fill(50).catch(({ code, message }) => ({ code, message }));
      const n = all.length;
      const unharmed = all.every((index, i) => index.search([i, 1])[0].distance === 0);
      all.pop().close();
      await fill(n);
      return { ...error, n, unharmed, again: all.length };`;
    const { n, ...answer } = (await limited(24, program)) as { n: number };
    expect(n).toBeGreaterThan(0);
    expect(answer).toEqual({
      code: "OUT_OF_MEMORY",
      message: expect.stringMatching(
        new RegExp(`for one more index \\(.*\\): ${n} are open and hold ${n * 3 * 65536} bytes.*close\\(\\)`),
      ),
      unharmed: true,
      again: n,
    });
  });

  it("one memory is enough: for the self-test, for what learns, and for the index", async () => {
    const program = `
      const index = await v.Ivf.create({ dimensions: 2, metric: "l2", nlist: 2, trainAt: 100 });
      index.add([[1, 1]]);
      const error = await v.Flat.create({ dimensions: 2 }).catch(({ code }) => code);
      return [index.size, error];`;
    expect(await limited(13, program)).toEqual([1, "OUT_OF_MEMORY"]);
  });

  it("none at all is said as what it is", async () => {
    const program = "return v.Flat.create({ dimensions: 2 }).catch(({ code, message }) => [code, message]);";
    expect(await limited(3, program)).toEqual(["OUT_OF_MEMORY", expect.stringContaining("--disable-wasm-trap-handler")]);
  });

  it("a file that there is no room for is refused, and the index is unharmed", async () => {
    const program = `
      const index = await v.Flat.create({ dimensions: 1024, metric: "l2" });
      const rows = new Float32Array(1024 * 1024).fill(3);
      for (let i = 0; i < 8; i++) index.add(rows);
      const ballast = [];
      try { for (;;) ballast.push(new Uint8Array(1 << 24)); } catch {}
      let error;
      try { index.toBytes(); } catch ({ code, message }) { error = [code, message]; }
      return [...error, index.search(rows.subarray(0, 1024), { k: 1 })[0].distance];`;
    expect(await limited(3, program, "--disable-wasm-trap-handler")).toEqual([
      "OUT_OF_MEMORY",
      expect.stringMatching(/^there is no room for a file of 33\d{6} bytes beside the index$/),
      0,
    ]);
  });

  it("Node without trap handlers has room for more, as the sentence says", async () => {
    expect(await limited(3, `${FILL} await fill(20); return all.length;`, "--disable-wasm-trap-handler")).toBe(20);
  });
});

describe("bytes per vector", () => {
  const D = 16;
  const N = 20_000;
  const M = 16;
  /**
   * What hnswlib (0.8) keeps per vector besides its values: on layer 0 the link list of 2M + 1 numbers of 4 bytes and
   * the label of 8; beside it a pointer of 8 to the upper lists and the level of 4; of those lists M + 1 numbers of 4 for
   * each layer above 0, of which a vector has 1 / (M - 1) on average. Its table from label to number, locks and visited
   * lists are not counted, though ours are.
   */
  const HNSWLIB = (2 * M + 1) * 4 + 8 + 8 + 4 + ((M + 1) * 4) / (M - 1);
  /** Ours has its twin, so that equal vectors are one node, and its parent, so that each is reached: 4 bytes each. */
  const TWIN_AND_PARENT = 8;
  /** What a page of linear memory more or less is per vector. */
  const PAGE = 65536 / N;

  it(`of Hnsw above the raw values are at most hnswlib's, ${HNSWLIB.toFixed(1)}, its twin and its parent`, async () => {
    const rows = gaussians(N, D, 1);
    const raw: Partial<Record<Codec, number>> = { f32: 4 * D, sq8: D, binary: D / 8 };
    for (const { kind, codec, metric } of KINDS_AND_CODECS.filter((of) => of.kind === "hnsw")) {
      const index = await create(kind, { dimensions: D, metric, codec, m: M, efConstruction: 8 });
      index.add(rows);
      const above = index.stats().bytesPerVector - (raw[codec] ?? 0);
      // Measured 165.4; sq8 180.6 (16 of it each row's own scale) and binary 178.2 (14 of it padding), which have no
      // counterpart there. All include some 20 for scratch, spare blocks and the last memory page.
      measured(`hnsw ${codec} above raw`, above);
      expect(above, codec).toBeLessThanOrEqual(HNSWLIB + TWIN_AND_PARENT + PAGE + (codec === "f32" ? 0 : 16));
    }
  });

  it("of Flat are the row, its id and its life stage, with the last block's slack", async () => {
    const index = await create("flat", { dimensions: 64, metric: "l2" });
    index.add(gaussians(N, 64, 1));
    // 261 bytes each; measured 272.
    expect(index.stats().bytesPerVector).toBeLessThanOrEqual(280);
  });
});

describe("bytes per vector above those of Flat with the same codec", () => {
  const D = 16;
  const N = 20_000;
  /**
   * Bounds, with what was measured over all codecs:
   * hnsw    m 4: 8 links on layer 0, a tower, its twin and its parent, 4 links for each third vector above: 32 + 4 + 8 + 7; 52.4 to 55.7
   * ivf     64 lists: a table from id to slot, as slots are where the lists are, 16 at most half full; of 64 last groups
   *         of 32 a half is empty, 5% of the row; 16.3 to 23.0
   * kdtree  a chain of 4; for a leaf of 8 to 16 vectors two records with a box of 2 x 16 f32; 59
   * forest  4 trees, each with a chain of 4 and for a leaf of 16 to 32 vectors two records, one of them a plane of 16 f32; 62.3
   * lsh     8 tables, each with a key of 4, a chain of 4 and 4 for a bucket, of which there are as many as there is room
   *         for vectors; 91.8
   */
  const FAMILY: Readonly<Record<Kind, { own: Partial<AnyOptions>; most: number }>> = {
    flat: { own: {}, most: 0 },
    hnsw: { own: { m: 4, efConstruction: 8 }, most: 58 },
    ivf: { own: { nlist: 64 }, most: 27 },
    kdtree: { own: {}, most: 62 },
    forest: { own: { trees: 4 }, most: 66 },
    lsh: { own: { tables: 8, bits: 10 }, most: 96 },
  };
  const rows = gaussians(N, D, 1);
  const flats = new Map<Codec, number>();

  it.each(KIND_NAMES)("%s", async (kind) => {
    const codecs = EVERY_KIND_AND_CODEC.filter(
      (one) => one.kind === kind && one.metric !== "hamming" && !one.own.fastScan && !one.own.prefilter,
    );
    // The others are held against Flat's.
    const some = kind === "flat" ? codecs : codecs.filter((_, i) => i % 3 === 0);
    for (const { codec, metric } of thorough(some, codecs)) {
      const { own, most } = FAMILY[kind];
      const options = { ...learning(kind, codec, metric), ...own };
      const index = await create(kind, { dimensions: D, metric, ...options, ...(options.trainAt && { trainAt: 2000 }) });
      index.add(rows);
      expect(index.trained).toBe(true);
      const { bytesPerVector } = index.stats();
      if (kind === "flat") flats.set(codec, bytesPerVector);
      // Signs under hamming are those of any metric.
      const flat = flats.get(codec) ?? 36.1;
      measured(`${kind} ${codec}`, bytesPerVector - flat);
      expect(bytesPerVector - flat, codec).toBeLessThanOrEqual(most);
      expect(bytesPerVector - flat, codec).toBeGreaterThanOrEqual(most / 2);
    }
  });
});

describe("a module imports nothing but memory", () => {
  const folder = fileURLToPath(new URL("../../dist/wasm/", import.meta.url));
  it.each(readdirSync(folder).filter((name) => name.endsWith(".wasm")))("%s", (name) => {
    // Read without compiling: Node 20 cannot compile the relaxed builds without a flag.
    const imports = importsOf(readFileSync(`${folder}${name}`));
    expect(imports).toEqual(["env.memory"]);
  });
});

/** Names in a module's import section (WebAssembly core specification 2.0, 5.5.5). */
function importsOf(module: Uint8Array): string[] {
  let at = 8;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const text = (): string => {
    const length = number();
    at += length;
    return new TextDecoder().decode(module.subarray(at - length, at));
  };
  const limits = (): void => {
    if (number() & 1) number();
    number();
  };
  while (at < module.length) {
    const section = module[at++];
    const length = number();
    if (section !== 2) {
      at += length;
      continue;
    }
    return Array.from({ length: number() }, () => {
      const name = `${text()}.${text()}`;
      const kind = module[at++];
      if (kind === 2) limits();
      else if (kind === 0) number();
      else throw new Error(`import ${name} of kind ${kind}`);
      return name;
    });
  }
  return [];
}
