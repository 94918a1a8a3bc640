import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Flat, Hnsw } from "vicinal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLI, commandLine } from "../support/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "vicinal-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { run, json, fails } = commandLine(folder);

const ROWS = 300;
const DIMENSIONS = 16;

/** A small linear congruential generator, so that every run has the same vectors. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

function vectors(rows: number, seed: number): number[][] {
  const next = random(seed);
  return Array.from({ length: rows }, () => Array.from({ length: DIMENSIONS }, next));
}

function vecs(rows: readonly ArrayLike<number>[], Type: typeof Float32Array | typeof Uint8Array | typeof Uint32Array): Buffer {
  return Buffer.concat(
    rows.flatMap((row) => [Buffer.from(Int32Array.of(row.length).buffer), Buffer.from(Type.from(row).buffer)]),
  );
}

const BASE = vectors(ROWS, 1);
const QUERIES = vectors(20, 2);

beforeAll(() => {
  const write = (name: string, contents: string | Buffer) => writeFileSync(join(folder, name), contents);
  write("base.fvecs", vecs(BASE, Float32Array));
  write("query.fvecs", vecs(QUERIES, Float32Array));
  write("narrow.fvecs", vecs([[1, 2]], Float32Array));
  write("base.jsonl", BASE.map((vector, i) => JSON.stringify({ id: i * 10, vector })).join("\n"));
  write("twice.jsonl", [7, 7].map((id) => JSON.stringify({ id, vector: [id, 1] })).join("\n"));
  const bits = (rows: number[][]) =>
    vecs(
      rows.map((row) => row.slice(0, 4).map((value) => (value + 0.5) * 255)),
      Uint8Array,
    );
  mkdirSync(join(folder, "folder.csv"));
  write("bits.bvecs", bits(BASE));
  write("bits-query.bvecs", bits(QUERIES));
});

test("help and version", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(run("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  for (const command of ["build", "search", "info", "eval", "demo"]) {
    expect(run("--help").stdout).toContain(command);
    const { status, stdout } = run(command, "--help");
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: vicinal ${command}`);
  }
});

const KINDS: [name: string, ...args: string[]][] = [
  ["hnsw-l2", "base.fvecs", "--metric", "l2"],
  ["flat-l2", "base.fvecs", "--metric", "l2", "--index", "flat"],
  ["hnsw-cosine-sq8", "base.fvecs", "--metric", "cosine", "--codec", "sq8", "--rerank", "--m", "8", "--ef-construction", "60"],
  ["flat-dot-sq8", "base.fvecs", "--index", "flat", "--metric", "dot", "--codec", "sq8", "--rerank", "4"],
  ["hnsw-dot", "base.fvecs", "--metric", "dot", "--mips", "native", "--ef", "80", "--seed", "0"],
  ["hnsw-hamming", "bits.bvecs", "--metric", "hamming"],
  ["flat-hamming", "bits.bvecs", "--metric", "hamming", "--index", "flat"],
  ["ivf-l2", "base.fvecs", "--metric", "l2", "--index", "ivf", "--nlist", "8"],
  ["ivf-cosine-pq", "base.fvecs", "--index", "ivf", "--nlist", "8", "--codec", "pq", "--pq-m", "8", "--rerank", "30"],
  ["ivf-dot-rabitq", "base.fvecs", "--metric", "dot", "--factory", "IVF8,RaBitQ4,RFlat", "--rerank", "adaptive"],
  ["kdtree-l2", "base.fvecs", "--metric", "l2", "--index", "kdtree"],
  ["forest-cosine", "base.fvecs", "--index", "forest", "--trees", "8"],
  ["lsh-l2", "base.fvecs", "--metric", "l2", "--index", "lsh", "--bits", "6"],
  ["lsh-hamming", "bits.bvecs", "--metric", "hamming", "--index", "lsh", "--bits", "6"],
  ["hnsw-cosine-pq", "base.fvecs", "--codec", "pq", "--pq-bits", "4", "--rotate", "opq", "--rerank", "--rerank-codec", "f16"],
  ["flat-l2-rabitq", "base.fvecs", "--metric", "l2", "--index", "flat", "--codec", "rabitq", "--rabitq-bits", "3"],
  ["hnsw-l1", "base.fvecs", "--metric", "l1"],
  ["forest-l1-sq8", "base.fvecs", "--metric", "l1", "--index", "forest", "--codec", "sq8", "--rerank"],
  ["flat-cosine-bf16", "base.fvecs", "--index", "flat", "--codec", "bf16"],
];

/** Lines of eval: the exact scan, and the family's own sweep. The last finds all: the sweep ends beyond 300 vectors. */
const POINTS: Record<string, number> = { flat: 1, hnsw: 7, ivf: 5, kdtree: 7, forest: 7, lsh: 9 };

describe("build, info, search and eval, for each kind of index", () => {
  for (const [name, ...args] of KINDS) {
    test(name, () => {
      const file = `${name}.vic`;
      const queries = name.endsWith("hamming") ? "bits-query.bvecs" : "query.fvecs";
      const built = json("build", ...args, "-o", file);
      const dimensions = name.endsWith("hamming") ? 32 : DIMENSIONS;
      expect(built).toMatchObject({ file, vectors: ROWS, dimensions, kind: name.split("-")[0], metric: name.split("-")[1] });
      expect(built.fileBytes).toBe(readFileSync(join(folder, file)).length);

      const info = json("info", file);
      expect(info).toMatchObject({ count: ROWS, dimensions, deleted: 0, fileBytes: built.fileBytes });
      expect(info.bytesPerVector).toBeGreaterThan(0);
      expect(info.sections.length).toBeGreaterThan(0);
      const { stdout } = run("info", file);
      expect(stdout).toContain("checksum");
      if (info.kind === "hnsw") {
        expect(info.unreachable).toBe(0);
        expect(stdout).toContain("0 vectors out of reach");
      }

      const found = json("search", file, "--query", queries, "-k", "5");
      expect(found.map(({ query }: { query: number }) => query)).toEqual(QUERIES.map((_, i) => i));
      for (const { hits } of found) {
        expect(hits.length).toBe(5);
        const distances = hits.map(({ distance }: { distance: number }) => distance);
        expect(distances).toEqual([...distances].sort((a, b) => a - b));
      }
      expect(json("search", file, "--query", queries, "-k", "5", "--exact").length).toBe(QUERIES.length);

      const measured = json("eval", file, "--queries", queries);
      expect(measured).toMatchObject({ queries: QUERIES.length, k: 10 });
      expect(measured.points.length).toBe(POINTS[built.kind]);
      expect(measured.points.at(-1).recall).toBeGreaterThanOrEqual(name === "lsh-l2" ? 0.9 : 1);
      for (const { recall, qps, p50Ms, p99Ms } of measured.points) {
        expect(recall).toBeGreaterThan(0.1);
        expect(qps).toBeGreaterThan(0);
        expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
      }
    });
  }
});

describe("on one index", () => {
  beforeAll(() => json("build", "base.jsonl", "-o", "ids.vic", "--metric", "l2", "--ef-construction", "100"));

  /** The ids of the k nearest stored vectors, by the definition. */
  function nearest(query: readonly number[], k: number): number[] {
    const distance = (row: readonly number[]) => row.reduce((sum, value, i) => sum + (value - (query[i] as number)) ** 2, 0);
    return BASE.map((row, i) => ({ id: i * 10, distance: distance(row) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, k)
      .map(({ id }) => id);
  }

  test("search finds the ids of the file", () => {
    const found = json("search", "ids.vic", "--query", "query.fvecs", "-k", "3", "--ef", "300");
    const ids = found.map(({ hits }: { hits: { id: number }[] }) => hits.map(({ id }) => id));
    expect(ids).toEqual(QUERIES.map((query) => nearest(query, 3)));
    expect(run("search", "ids.vic", "--query", "query.fvecs", "-k", "3").stdout).toContain("query 19\nrank");
  });

  test("search by id leaves the vector itself out", () => {
    const [{ query, hits }] = json("search", "ids.vic", "--id", "70", "-k", "4", "--exact");
    expect(query).toBe(70);
    expect(hits.map(({ id }: { id: number }) => id)).toEqual(nearest(BASE[7] as number[], 5).slice(1));
    fails(1, "ids.vic: holds no vector with the id 7", "search", "ids.vic", "--id", "7");
  });

  test("a radius keeps what is that near", () => {
    const [{ hits }] = json("search", "ids.vic", "--id", "70", "-k", "50", "--exact");
    const radius = hits[10].distance;
    const [inside] = json("search", "ids.vic", "--id", "70", "-k", "50", "--exact", "--radius", String(radius));
    expect(inside.hits).toEqual(hits.slice(0, 11));
    expect(run("search", "ids.vic", "--id", "70", "--radius", "0.0001").stdout).toBe("query 70: no hits\n");
  });

  test("eval against a ground-truth file", () => {
    const truth = QUERIES.map((query) => nearest(query, 10));
    writeFileSync(join(folder, "truth.ivecs"), vecs(truth, Uint32Array));
    const args = ["eval", "ids.vic", "--queries", "query.fvecs", "--groundtruth", "truth.ivecs"];
    const { points, truth: source } = json(...args, "--ef", "10,300");
    expect(source).toBe("truth.ivecs");
    expect(points.map(({ ef }: { ef: number }) => ef)).toEqual([10, 300]);
    expect(points[1].recall).toBe(1);
    expect(run(...args, "--ef", "20", "-k", "5").stdout).toContain("recall@5");

    writeFileSync(
      join(folder, "wrong.ivecs"),
      vecs(
        truth.map((row) => row.map((id) => id + 1)),
        Uint32Array,
      ),
    );
    const wrong = json("eval", "ids.vic", "--queries", "query.fvecs", "--groundtruth", "wrong.ivecs", "--ef", "50");
    expect(wrong.points[0].recall).toBe(0);
    fails(1, "10 true neighbours per query, recall@11 needs 11", ...args, "-k", "11");
    fails(
      1,
      "20 rows of true neighbours for 300 queries",
      "eval",
      "ids.vic",
      "--queries",
      "base.fvecs",
      "--groundtruth",
      "truth.ivecs",
    );
  });

  test("the same input and seed give the same file", () => {
    json("build", "base.jsonl", "-o", "again.vic", "--metric", "l2", "--ef-construction", "100");
    expect(readFileSync(join(folder, "again.vic"))).toEqual(readFileSync(join(folder, "ids.vic")));
  });

  test("info names the damaged section and fails", () => {
    const bytes = readFileSync(join(folder, "ids.vic"));
    const { sections } = json("info", "ids.vic");
    const section = sections.reduce((a: { bytes: number }, b: { bytes: number }) => (b.bytes > a.bytes ? b : a));
    const at = section.offset + Math.floor(section.bytes / 2);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(join(folder, "damaged.vic"), bytes);
    const { status, stdout, stderr } = run("info", "damaged.vic");
    expect(status).toBe(1);
    expect(stdout).toContain("DAMAGED");
    expect(stderr).toContain(`damaged.vic: damaged: checksum of section ${section.tag} does not match`);
    fails(1, "damaged.vic: ", "search", "damaged.vic", "--id", "0");
    writeFileSync(join(folder, "cut.vic"), bytes.subarray(0, 50));
    fails(1, "cut.vic: ", "info", "cut.vic");
    fails(1, "base.fvecs: ", "info", "base.fvecs");
  });
});

describe("families and codecs", () => {
  const REACHED: [options: Record<string, unknown>, args: string][] = [
    [{ m: 8, efConstruction: 60, ef: 33, seed: 7 }, "--m 8 --ef-construction 60 --ef 33 --seed 7"],
    [{ mips: "augment" }, "--metric dot --mips augment"],
    [{ nlist: 5, nprobe: 3, coarse: "hnsw", trainAt: 100 }, "--index ivf --nlist 5 --nprobe 3 --coarse hnsw --train-at 100"],
    [{ leafSize: 9, maxLeaves: 5 }, "--index kdtree --leaf-size 9 --max-leaves 5"],
    [{ leafSize: 9, trees: 3, searchK: 77 }, "--index forest --leaf-size 9 --trees 3 --search-k 77"],
    [{ tables: 3, bits: 5, probes: 4 }, "--index lsh --tables 3 --bits 5 --probes 4"],
    [{ width: 1.5 }, "--index lsh --metric l2 --width 1.5"],
    [{ rerank: "f16", rerankFactor: "adaptive" }, "--index flat --codec sq8 --rerank adaptive --rerank-codec f16"],
    [{ rerank: "sq8", rerankFactor: 10 }, "--factory RaBitQ2,Refine(SQ8) --rerank"],
    [{ rerank: "f32", rerankFactor: 3.5 }, "--factory PQ8,RFlat --rerank 3.5"],
    [{ nlist: 4, nprobe: 2 }, "--factory IVF4,Flat --nprobe 2"],
  ];
  for (const [options, args] of REACHED) {
    test(`${args} reaches the index`, () => {
      json("build", "base.fvecs", "-o", "reached.vic", ...args.split(" "));
      expect(json("info", "reached.vic").options).toMatchObject(options);
    });
  }

  test("--fast-scan builds of the whole file what one call of add() does", async () => {
    const rows = vectors(2500, 3).map((row) => Float32Array.from(row));
    writeFileSync(join(folder, "many.fvecs"), vecs(rows, Float32Array));
    writeFileSync(join(folder, "many.jsonl"), rows.map((row, i) => JSON.stringify({ id: 7 * i, vector: [...row] })).join("\n"));
    for (const [input, ids] of [
      ["many.fvecs", undefined],
      ["many.jsonl", rows.map((_, i) => 7 * i)],
    ] as const) {
      expect(json("build", input, "-o", "fast.vic", "--fast-scan").vectors).toBe(2500);
      const index = await Hnsw.create({ dimensions: DIMENSIONS, metric: "cosine", fastScan: true });
      index.add(rows, ids);
      expect(readFileSync(join(folder, "fast.vic")).equals(index.toBytes())).toBe(true);
    }
  });

  test("the words of a description and the flags are the same index", () => {
    const flags = [
      "--index",
      "ivf",
      "--nlist",
      "4",
      "--codec",
      "pq",
      "--pq-m",
      "8",
      "--pq-bits",
      "4",
      "--rotate",
      "opq",
      "--rerank",
    ];
    const words = "OPQ8,IVF4,PQ8x4,RFlat";
    expect(json("build", "base.fvecs", "-o", "flags.vic", ...flags).factory).toBe(words);
    json("build", "base.fvecs", "-o", "words.vic", "--factory", words);
    expect(readFileSync(join(folder, "words.vic"))).toEqual(readFileSync(join(folder, "flags.vic")));
    const { codecOptions, trained, error, factory } = json("info", "flags.vic");
    expect(codecOptions).toMatchObject({ type: "pq", m: 8, bits: 4, rotate: "opq" });
    expect(trained).toBe(true);
    expect(error).toBeGreaterThan(0);
    expect(factory).toBe(words);
    const { stdout } = run("info", "flags.vic");
    expect(stdout).toContain("reranked by f32 rows (10 candidates per result)");
    expect(stdout).toMatch(/trained +yes, mean squared error of a vector 0\.\d+/);
    expect(stdout).toContain("4 lists, 75.0 vectors in each on average");
  });

  test("what has waited for more vectors is trained at the end", () => {
    // pq waits for 39 vectors for each of 256 centroids, and makes do with one.
    const built = json("build", "base.fvecs", "-o", "waited.vic", "--index", "flat", "--codec", "pq");
    expect(built.trained).toBe(true);
    expect(built.untrained).toBeUndefined();
    expect(json("info", "waited.vic").options.trainAt).toBe(39 * 256);
  });

  test("too few vectors to train on: said, and exact", () => {
    const args = ["build", "base.fvecs", "-o", "young.vic", "--index", "ivf", "--nlist", "1024"];
    expect(json(...args)).toMatchObject({
      trained: false,
      untrained: "training has 300 vectors and needs at least 1024 for 1024 lists",
    });
    expect(run(...args).stdout).toContain("needs at least 1024");
    expect(run("info", "young.vic").stdout).toContain("not yet: searches are exact until it has seen 39,936 vectors");
    const { points, trained } = json("eval", "young.vic", "--queries", "query.fvecs", "--nprobe", "1,2");
    expect(trained).toBe(false);
    expect(points.map(({ search, recall }: { search: string; recall: number }) => [search, recall])).toEqual([["exact", 1]]);
  });

  test("the number of lists follows the number of vectors", () => {
    expect(json("build", "base.fvecs", "-o", "auto.vic", "--index", "ivf").factory).toBe("IVF7,Flat");
    expect(json("build", "base.fvecs", "-o", "auto.vic", "--factory", "IVF,Flat").factory).toBe("IVF7,Flat");
    expect(json("build", "base.jsonl", "-o", "auto.vic", "--index", "ivf", "--expected", "200").factory).toBe("IVF5,Flat");
  });

  test("search and eval turn the family's own knob", () => {
    json("build", "base.fvecs", "-o", "tree.vic", "--index", "kdtree", "--metric", "l2");
    expect(json("info", "tree.vic")).toMatchObject({ options: { maxLeaves: "all" }, depth: expect.any(Number) });
    const [few] = json("search", "tree.vic", "--id", "7", "-k", "30", "--max-leaves", "1");
    const [all] = json("search", "tree.vic", "--id", "7", "-k", "30", "--max-leaves", "all");
    expect(few).not.toEqual(all);
    expect([all]).toEqual(json("search", "tree.vic", "--id", "7", "-k", "30", "--exact"));
    const { points } = json("eval", "tree.vic", "--queries", "query.fvecs", "--max-leaves", "1,all");
    expect(points.map(({ maxLeaves }: { maxLeaves: unknown }) => maxLeaves)).toEqual([undefined, 1, "all"]);
    expect(points[2].recall).toBe(1);
    expect(run("eval", "tree.vic", "--queries", "query.fvecs", "--max-leaves", "2").stdout).toContain("maxLeaves");
  });

  test("codes alone are described, and searched by nobody but their caller", async () => {
    const index = await Flat.create({
      dimensions: DIMENSIONS,
      codec: "sq8",
      rerank: { fetchVectors: (ids) => Array.from(ids, (id) => BASE[id] as number[]) },
    });
    index.add(BASE);
    writeFileSync(join(folder, "codes.vic"), index.toBytes());
    expect(run("info", "codes.vic").stdout).toContain("reranked by the caller's vectors");
    fails(1, "codes.vic: this index holds codes alone", "search", "codes.vic", "--id", "1");
  });
});

describe("pipes", () => {
  /** Runs a line of bash in which `vicinal` is this command line. */
  function bash(line: string) {
    const script = `set -o pipefail; vicinal() { "${process.execPath}" "${CLI}" "$@"; }; ${line}`;
    const { status, stdout, stderr } = spawnSync("bash", ["-c", script], { cwd: folder });
    return { status, stdout, stderr: stderr.toString() };
  }

  function succeeds(line: string): Buffer {
    const { status, stdout, stderr } = bash(line);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return stdout;
  }

  const file = (name: string): Buffer => readFileSync(join(folder, name));

  beforeAll(() => {
    json("build", "base.fvecs", "-o", "whole.vic");
    json("build", "base.jsonl", "-o", "named.vic");
    const csv = `,${BASE[0]?.map((_, i) => i)}\n${BASE.map((row, i) => [i * 10, ...row].join(",")).join("\n")}\n`;
    writeFileSync(join(folder, "base.csv"), csv);
  });

  const WHOLE: readonly [line: string, like: string][] = [
    ["vicinal build <(cat base.fvecs) --format fvecs -o piped.vic", "whole.vic"],
    ["cat base.fvecs | vicinal build - --format fvecs -o piped.vic", "whole.vic"],
    ["cat base.fvecs | vicinal build /dev/stdin --format fvecs -o piped.vic", "whole.vic"],
    ["vicinal build - --format fvecs -o piped.vic < base.fvecs", "whole.vic"],
    ["gzip -c base.fvecs | vicinal build - --format fvecs -o piped.vic", "whole.vic"],
    ["mkfifo pipe.fvecs; (cat base.fvecs > pipe.fvecs &); vicinal build pipe.fvecs -o piped.vic", "whole.vic"],
    ["mkfifo pipe.jsonl.gz; (gzip -c base.jsonl > pipe.jsonl.gz &); vicinal build pipe.jsonl.gz -o piped.vic", "named.vic"],
    ["vicinal build <(cat base.jsonl) -o piped.vic", "named.vic"],
    ["vicinal build <(gzip -c base.jsonl) -o piped.vic", "named.vic"],
    ["vicinal build <(cat base.csv) -o piped.vic", "named.vic"],
  ];
  for (const [line, like] of WHOLE) {
    test(line, () => {
      expect(succeeds(`rm -f piped.vic; ${line}`).toString()).toContain("300 x 16 dimensions");
      expect(file("piped.vic").equals(file(like))).toBe(true);
    });
  }

  test("what wants to know how many vectors come does without", () => {
    const { options } = JSON.parse(
      succeeds(
        "cat base.fvecs | vicinal build - --format fvecs --index ivf --nlist 8 -o lists.vic > /dev/null; vicinal info lists.vic --json",
      ).toString(),
    );
    expect(options.nlist).toBe(8);
    expect(
      succeeds("cat base.fvecs | vicinal build - --format fvecs --index ivf --expected 300 --json -o lists.vic").toString(),
    ).toContain('"IVF7,Flat"');
  });

  test("indexes, queries and ground truth come through pipes", () => {
    writeFileSync(
      join(folder, "piped.ivecs"),
      vecs(
        QUERIES.map((_, i) => Array.from({ length: 10 }, (_, j) => i + j)),
        Uint32Array,
      ),
    );
    for (const [piped, plain] of [
      ["search <(cat whole.vic) --query <(cat query.fvecs) --format fvecs", "search whole.vic --query query.fvecs"],
      ["search whole.vic --query - --format fvecs < query.fvecs", "search whole.vic --query query.fvecs"],
      ["search <(cat whole.vic) --id 7", "search whole.vic --id 7"],
    ]) {
      expect(succeeds(`vicinal ${piped} --json`).toString()).toBe(succeeds(`vicinal ${plain} --json`).toString());
    }
    const evaluated = "--queries <(cat query.fvecs) --format fvecs --groundtruth <(gzip -c piped.ivecs) --ef 20 --json";
    expect(JSON.parse(succeeds(`vicinal eval whole.vic ${evaluated}`).toString())).toMatchObject({
      queries: 20,
      points: [{ ef: 20 }],
    });
    const { fileBytes, count } = JSON.parse(succeeds("vicinal info <(cat whole.vic) --json").toString());
    expect([fileBytes, count]).toEqual([file("whole.vic").length, 300]);
  });

  test("what is no index and what has no known format is said", () => {
    expect(bash("vicinal info <(cat base.fvecs)").stderr).toMatch(/^vicinal: .*not a whole \.vic file/);
    expect(bash("vicinal build <(cat base.fvecs) -o x.vic").stderr).toContain("first bytes tell the format: --format says it");
    expect(bash("vicinal build - -o x.vic < /dev/null").stderr).toBe("vicinal: standard input: holds no vectors\n");
    expect(bash("head -c 1000 base.fvecs | vicinal build - --format fvecs -o x.vic").stderr).toBe(
      "vicinal: standard input: truncated in row 15: 48 of its 68 bytes are there\n",
    );
  });

  test("a failure does not wait for the end of standard input", async () => {
    const child = spawn(process.execPath, [CLI, "build", "-", "--format", "jsonl", "-o", "x.vic"], { cwd: folder });
    child.stdin.write('{"vector": ["a"]}\n');
    expect(await once(child, "exit")).toEqual([1, null]);
    child.stdin.destroy();
  });

  test("an index on standard output is alone there", () => {
    for (const output of ["-", "/dev/stdout"]) {
      for (const to of ["| cat", "> out.vic; cat out.vic"]) {
        const { status, stdout, stderr } = bash(`vicinal build base.fvecs -o ${output} ${to}`);
        expect(status).toBe(0);
        expect(stdout.equals(file("whole.vic"))).toBe(true);
        expect(stderr).toContain("300 x 16 dimensions");
      }
      const { stdout, stderr } = bash(`vicinal build base.fvecs -o ${output} --json | cat`);
      expect(stdout.equals(file("whole.vic"))).toBe(true);
      expect(JSON.parse(stderr)).toMatchObject({ vectors: 300, fileBytes: stdout.length });
    }
    // spawnSync makes standard output a socket, which cannot be opened again.
    expect(spawnSync(process.execPath, [CLI, "build", "base.fvecs", "-o", "/dev/stdout"], { cwd: folder }).stdout).toEqual(
      file("whole.vic"),
    );
  });

  test("a reader that leaves before the index is whole is a failure, one that leaves before all hits is none", () => {
    const rows = vectors(10_000, 4);
    writeFileSync(join(folder, "long.fvecs"), vecs(rows, Float32Array));
    expect(bash("vicinal build long.fvecs --index flat -o - | head -c 1").status).toBe(1);
    expect(bash("vicinal search whole.vic --query long.fvecs | head -c 1").status).toBe(0);
  });

  test("into a pipe with a name", () => {
    const line = "mkfifo out.pipe; (cat out.pipe > read.vic) & vicinal build base.fvecs -o out.pipe; wait";
    expect(succeeds(line).toString()).toContain("300 x 16 dimensions");
    expect(file("read.vic").equals(file("whole.vic"))).toBe(true);
    expect(lstatSync(join(folder, "out.pipe")).isFIFO()).toBe(true);
  });
});

describe("the file that is written", () => {
  test("is never the one that is read", () => {
    writeFileSync(join(folder, "own.fvecs"), vecs(BASE, Float32Array));
    symlinkSync("own.fvecs", join(folder, "own-link"));
    linkSync(join(folder, "own.fvecs"), join(folder, "own-name"));
    for (const output of ["own.fvecs", "./own.fvecs", "own-link", "own-name"]) {
      fails(2, `what is written would overwrite what is read: ${output} is both`, "build", "own.fvecs", "-o", output);
    }
    expect(readFileSync(join(folder, "own.fvecs"))).toEqual(vecs(BASE, Float32Array));
  });

  test("keeps its mode, and the link that leads to it", () => {
    writeFileSync(join(folder, "private.vic"), "old", { mode: 0o600 });
    symlinkSync("private.vic", join(folder, "link.vic"));
    json("build", "base.fvecs", "-o", "link.vic");
    expect(json("info", "private.vic").count).toBe(ROWS);
    expect(lstatSync(join(folder, "link.vic")).isSymbolicLink()).toBe(true);
    expect(statSync(join(folder, "private.vic")).mode & 0o777).toBe(0o600);
  });

  test("is looked at before the work begins", () => {
    symlinkSync("nothing.vic", join(folder, "dangling.vic"));
    symlinkSync("round.vic", join(folder, "round.vic"));
    // A line that cannot be read would be the complaint otherwise.
    fails(2, "dangling.vic is a link to a file that is not there", "build", "missing.fvecs", "-o", "dangling.vic");
    fails(1, "round.vic: its links lead round in a circle", "build", "missing.fvecs", "-o", "round.vic");
    fails(1, "the name is too long", "build", "missing.fvecs", "-o", "x".repeat(256));
    fails(2, "folder.csv is a folder; give the path of a file in it", "build", "missing.fvecs", "-o", "folder.csv");
    fails(2, "path is empty", "build", "missing.fvecs", "-o", "");
  });
});

describe("mistakes are told in a sentence", () => {
  const USAGE: [sentence: string, ...args: string[]][] = [
    ["unknown command 'biuld'", "biuld"],
    ["missing required argument 'input'", "build", "-o", "x.vic"],
    ["Allowed choices are npy, fvecs, bvecs", "build", "base.fvecs", "-o", "x.vic", "--format", "xlsx"],
    ["required option '-o, --output <file>'", "build", "base.fvecs"],
    ["unknown option '--metrc'", "build", "base.fvecs", "-o", "x.vic", "--metrc", "l2"],
    ["Allowed choices are l2, cosine, dot, hamming", "build", "base.fvecs", "-o", "x.vic", "--metric", "euclid"],
    ["Expected a whole number from 1", "build", "base.fvecs", "-o", "x.vic", "--m", "1.5"],
    ["m is 1; it must be", "build", "base.fvecs", "-o", "x.vic", "--m", "1"],
    ["mips is for metric", "build", "base.fvecs", "-o", "x.vic", "--mips", "native"],
    ['codec "binary" does not go with metric "l2"', "build", "base.fvecs", "-o", "x.vic", "--metric", "l2", "--codec", "binary"],
    ["--rerank is for codecs that lose something", "build", "base.fvecs", "-o", "x.vic", "--rerank"],
    ["--rerank is for codecs that lose something", "build", "base.fvecs", "-o", "x.vic", "--factory", "IVF8,Flat", "--rerank"],
    ['Expected a number, or "adaptive"', "build", "base.fvecs", "-o", "x.vic", "--codec", "pq", "--rerank", "some"],
    ["--m is for hnsw, not for flat", "build", "base.fvecs", "-o", "x.vic", "--index", "flat", "--m", "16"],
    ["--leaf-size is for kdtree and forest, not for lsh", "build", "a.npy", "-o", "x.vic", "--index", "lsh", "--leaf-size", "8"],
    ["--rabitq-bits is for rabitq, not for pq", "build", "a.npy", "-o", "x.vic", "--codec", "pq", "--rabitq-bits", "2"],
    ["give either --factory or --index", "build", "a.npy", "-o", "x.vic", "--factory", "IVF8", "--index", "flat"],
    ["give either --factory or --codec", "build", "a.npy", "-o", "x.vic", "--factory", "IVF8", "--codec", "pq"],
    ["give either --factory or --rerank-codec", "build", "a.npy", "-o", "x.vic", "--factory", "PQ8", "--rerank-codec", "f16"],
    ["give either --factory or --pq-m", "build", "a.npy", "-o", "x.vic", "--factory", "IVF8", "--pq-m", "8"],
    ['"PQ" is no word of an index description', "build", "base.fvecs", "-o", "x.vic", "--factory", "IVF8,PQ"],
    ['Ivf.create has no option "trees"', "build", "base.fvecs", "-o", "x.vic", "--factory", "IVF8", "--trees", "3"],
    ["bits is 5; pq has 8 or 4", "build", "base.fvecs", "-o", "x.vic", "--codec", "pq", "--pq-bits", "5"],
    ['KdTree does not have metric "hamming"', "build", "bits.bvecs", "-o", "x.vic", "--metric", "hamming", "--index", "kdtree"],
    ["trainAt is for what learns", "build", "base.fvecs", "-o", "x.vic", "--train-at", "100"],
    ['Expected a whole number from 1, or "auto"', "build", "base.fvecs", "-o", "x.vic", "--index", "ivf", "--nlist", "many"],
    ["give either --query FILE or --id N", "search", "x.vic"],
    ["give either --query FILE or --id N", "search", "x.vic", "--id", "1", "--query", "query.fvecs"],
    ["Expected a number", "search", "x.vic", "--id", "1", "--radius", "near"],
    ["Expected a whole number from 1", "eval", "x.vic", "--queries", "query.fvecs", "--ef", "10,,20"],
    ["too many arguments", "info", "a.vic", "b.vic"],
  ];
  for (const [sentence, ...args] of USAGE) test(args.join(" "), () => fails(2, sentence, ...args));
  test("no command at all prints the help", () => fails(2, "Usage: vicinal"));

  const FAILURES: [sentence: string, ...args: string[]][] = [
    ["missing.fvecs: no such file or folder", "build", "missing.fvecs", "-o", "x.vic"],
    ["folder.csv: is a folder", "build", "folder.csv", "-o", "x.vic"],
    ["missing.vic: no such file or folder", "search", "missing.vic", "--id", "1"],
    ["twice.jsonl: ids has 7 twice: number the rows anew, or leave the ids out", "build", "twice.jsonl", "-o", "x.vic"],
    ["no/such: no such file or folder", "build", "base.fvecs", "-o", "no/such/place.vic"],
  ];
  for (const [sentence, ...args] of FAILURES) test(args.join(" "), () => fails(1, sentence, ...args));

  test("queries of other dimensions, and another family's knob", () => {
    json("build", "base.fvecs", "-o", "small.vic", "--index", "flat");
    fails(1, "narrow.fvecs: vectors of 2 dimensions, the index has 16", "search", "small.vic", "--query", "narrow.fvecs");
    fails(2, "--ef is for hnsw, not for flat", "eval", "small.vic", "--queries", "query.fvecs", "--ef", "10");
    fails(2, "--nprobe is for ivf, not for flat", "search", "small.vic", "--id", "1", "--nprobe", "10");
  });
});

describe("the demo", () => {
  const SUBJECTS = ["river", "engine", "garden", "window", "letter", "market", "forest", "signal"];
  const OBJECTS = ["stone", "paper", "colour", "number", "sound", "shape", "taste"];
  const VERBS = ["carries", "moves", "hides", "opens", "answers", "follows"];

  /** Sentences that differ from each other, about one subject. */
  function paragraph(subject: string, seed: number): string {
    const next = random(seed);
    const pick = (from: string[]) => from[Math.floor((next() + 0.5) * from.length)] as string;
    return Array.from({ length: 7 }, (_, i) => `The ${subject} ${pick(VERBS)} every ${pick(OBJECTS)} of part ${seed}-${i}.`).join(
      " ",
    );
  }

  beforeAll(() => {
    mkdirSync(join(folder, "texts", "deeper"), { recursive: true });
    SUBJECTS.forEach((subject, s) => {
      const paragraphs = Array.from({ length: 12 }, (_, i) => paragraph(subject, s * 100 + i));
      writeFileSync(
        join(folder, "texts", s % 2 ? "deeper" : "", `${subject}.md`),
        `# The ${subject}\n\n${paragraphs.join("\n\n")}\n`,
      );
    });
    writeFileSync(join(folder, "texts", "ignored.js"), "const notText = true;");
  });

  test("reads a folder, answers, lives through a kill, measures, and ends by itself", () => {
    const { status, stdout, stderr } = run("demo", "texts", "--lexical");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toContain("8 files, 96 passages");
    expect(stdout).toContain("not meaning");
    expect(stdout).toContain('where {"file":');
    expect(stdout).toMatch(/was killed by SIGKILL in the midst of a write; \d+ documents/);
    expect(stdout).toContain("0 are lost; every byte verified: sound");
    expect(stdout).toContain("recall@10");
    expect(stdout).toContain("hnsw sq8 + rerank");
    expect(stdout).not.toContain("query>");
  });

  /** What must come of a note that is written, edited and deleted. */
  const edits = (before: unknown[]) => [
    { done: "before", nearest: before },
    { done: "upsert", nearest: ["my note", before[1]] },
    { done: "edit", nearest: [before[0], "my note"] },
    { done: "delete", nearest: before },
  ];

  test("as JSON: answers come from the right file, exact search is the measure, nothing is lost", () => {
    const told = json("demo", "texts", "--lexical");
    const { answers, filter, kill, tradeOff, passages, queries } = told;
    expect(passages + queries).toBe(96);
    for (const { question, found } of answers) {
      const subject = /The (\w+)/.exec(question)?.[1];
      expect(found[0].file).toContain(`${subject}.md`);
    }
    expect(filter.found).toEqual(Array(3).fill(expect.objectContaining(filter.where)));
    expect([10, 11]).toContain(filter.passing); // of 12, of which one or two are kept back
    expect(told.edits).toEqual(edits(told.edits[0].nearest));
    expect(kill).toMatchObject({ lost: 0, signal: "SIGKILL", ok: true, documents: passages });
    expect(kill.told).toBeGreaterThanOrEqual(200);
    expect(kill.found).toBeGreaterThanOrEqual(kill.told);
    expect(tradeOff[0]).toMatchObject({ index: "flat f32, exact", recall: 1 });
    expect(tradeOff.length).toBe(13);
    for (const { recall } of tradeOff) expect(recall).toBeGreaterThan(0.9);
  });

  test("without a folder it reads the READMEs of the installed packages, and asks by meaning where the sentence model is", () => {
    for (const subject of SUBJECTS) {
      mkdirSync(join(folder, "node_modules", "@scope", subject), { recursive: true });
      const text = Array.from({ length: 4 }, (_, i) => paragraph(subject, i + 7)).join("\n\n");
      writeFileSync(join(folder, "node_modules", "@scope", subject, "Readme.md"), text);
    }
    const told = json("demo", "--limit", "30");
    const { origin, embedder, dimensions, passages, answers, filter } = told;
    expect(origin).toContain("installed packages");
    expect(embedder).toContain("compares meaning");
    expect(dimensions).toBe(512);
    expect(passages).toBe(27);
    expect(answers.length).toBe(4);
    expect(filter.where.package).toMatch(/^@scope\/[a-z]+$/);
    expect(told.edits).toEqual(edits(told.edits[0].nearest));
  });

  test("says what is missing", () => {
    mkdirSync(join(folder, "bare"));
    fails(1, "0 passages in 0 text files", "demo", "bare");
    fails(1, "nowhere: no such file or folder", "demo", "nowhere");
    fails(1, "--model needs the package @huggingface/transformers: npm install", "demo", "texts", "--model", "some/model");
  });

  test("runs a model through the package that the user installed", () => {
    const at = join(folder, "node_modules", "@huggingface", "transformers");
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, "package.json"), '{ "name": "@huggingface/transformers", "main": "index.cjs" }');
    // Stands in for the real package: unit vectors of 8 dimensions, from letter counts.
    writeFileSync(
      join(at, "index.cjs"),
      `exports.pipeline = async (task, model) => {
        if (model === "no/model") throw new Error("Unauthorized");
        return async (texts) => {
          const rows = texts.map((text) => Array.from({ length: 8 }, (_, i) => text.split(String.fromCharCode(97 + i)).length));
          const unit = rows.flatMap((row) => row.map((value) => value / Math.hypot(...row)));
          return { data: Float32Array.from(unit), dims: [texts.length, 8] };
        };
      };`,
    );
    fails(2, "--lexical is instead of a model: not with --model", "demo", "texts", "--model", "letter/counts", "--lexical");
    const { dimensions, embedder } = json("demo", "texts", "--model", "letter/counts");
    expect(dimensions).toBe(8);
    expect(embedder).toContain("letter/counts");
    fails(
      1,
      'the model "no/model" could not be loaded (its first use downloads it): Unauthorized',
      "demo",
      "texts",
      "--model",
      "no/model",
    );
    rmSync(at, { recursive: true });
  });
});
