// The packed tarball, tried for real where people import it. Browsers: browser.test.ts.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { instantiate } from "@assemblyscript/loader";
import { build, transform } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWith, install, type Project, type Report, ROOT, requireTool, runtime } from "../support/packed.js";
import { thorough } from "../support/thorough.js";
import { inWorkerd } from "../support/workerd.js";

const VARIANTS = ["relaxed", "scalar", "simd", "threads"];
/** Every family and codec, the core, what graphs add to it, and all of it; those of shared memory, where relaxed SIMD is lacking, are for pools alone. */
const BUILDS = [...VARIANTS, "shared"].flatMap((name) => [name, `${name}-core`, `${name}-graph`, `${name}-whole`]);

let project: Project;
let installed: string;
let expected: Report;

const report = (json: string): Report => JSON.parse(json);

beforeAll(async () => {
  project = await install();
  installed = join(project.folder, "node_modules/vicinal");
  expected = report(await project.node("run.mjs", '{"variant":"simd"}'));
});
afterAll(() => project?.remove());

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

describe("tarball", () => {
  test("holds what a user needs and nothing else", () => {
    // builds-static.ts and builds-asked.ts stand in for builds.ts, and have its types; three workers are texts in what makes them.
    const typed =
      /^(?!cli\/|pages\/|border\/builds-(static|asked)|storage\/opfs-worker|(collection|pool)\/worker-script|pool\/(guarded|owner|probes|reader|searching)).*(?<!\.d)\.ts$/;
    const modules = filesIn(join(ROOT, "src")).filter((name) => typed.test(name));
    const holds = [
      "LICENSE",
      "README.md",
      // What dist/wasm is made from.
      "asconfig.json",
      ...filesIn(join(ROOT, "assembly")).map((name) => `assembly/${name}`),
      ...["cache", "compile", "rebuild", "wasm"].map((name) => `src/build/${name}.mjs`),
      "dist/THIRD-PARTY.txt",
      "dist/chunks/builds-rare-HASH.js",
      "dist/chunks/clock-HASH.js",
      "dist/chunks/core-HASH.js",
      "dist/chunks/crowd-HASH.js",
      "dist/cli.js",
      ...["index.html", "offline.js", "page.js", "style.css", "worker.js"].map((name) => `dist/explorer/${name}`),
      "dist/index.cjs",
      "dist/index.js",
      "dist/node.cjs",
      "dist/node.js",
      "dist/static.cjs",
      "dist/static.js",
      ...[
        "collection",
        "guide",
        "hybrid",
        "interop",
        "langchain",
        "llamaindex",
        "nats",
        "nats-cluster",
        "nats-replica",
        "pool",
        "range",
        "storage",
        "storage-node",
        "tabs",
        "transformers",
        "worker",
      ].flatMap((name) => [`dist/${name}.js`, `dist/${name}.cjs`]),
      "dist/core.cjs",
      "dist/chunks/collection-extras-HASH.js",
      "dist/chunks/own-worker-HASH.js",
      "dist/chunks/fielded-HASH.js",
      "dist/chunks/range-where-HASH.js",
      "package.json",
      "dist/chunks/extras-HASH.js",
      "dist/chunks/workers-HASH.js",
      ...BUILDS.flatMap((name) => [`dist/chunks/${name}-HASH.js`, `dist/wasm/${name}.cjs`, `dist/wasm/${name}.wasm`]),
      ...modules
        .flatMap((name) => [name.replace(/\.ts$/, ".d.ts"), name.replace(/\.ts$/, ".d.cts")])
        .map((name) => `dist/types/${name}`),
    ];
    expect(filesIn(installed).map((name) => name.replace(/-[A-Z0-9]{8}\.js$/, "-HASH.js"))).toEqual(holds.sort());
  });

  test("brings no dependencies and runs nothing at install", () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(manifest.dependencies).toBeUndefined();
    expect(manifest.optionalDependencies).toBeUndefined();
    for (const script of ["preinstall", "install", "postinstall", "prepare"]) expect(manifest.scripts).not.toHaveProperty(script);
    const visible = readdirSync(join(project.folder, "node_modules")).filter((name) => !name.startsWith("."));
    expect(visible).toEqual(["vicinal"]);
  });

  test("names the licence of everything bundled into it", () => {
    const notice = readFileSync(join(installed, "dist/THIRD-PARTY.txt"), "utf8");
    for (const name of ["assemblyscript", "commander", "cli-progress", "cli-table3", "csv-parse", "uplot"]) {
      expect(notice).toMatch(new RegExp(`^${name} [0-9.]+, (MIT|Apache-2\\.0)$`, "m"));
    }
  });
});

describe("wasm", () => {
  test.each(BUILDS.filter((name) => !/relaxed|threads|shared/.test(name)))("%s needs nothing but a memory", async (name) => {
    const bytes = readFileSync(join(installed, `dist/wasm/${name}.wasm`));
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { module, exports } = await instantiate<{ variant(): number }>(bytes, { env: { memory } });
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
    expect(exports.variant()).toBe(name.startsWith("simd") ? 1 : 0);
  });
});

describe("sources", () => {
  /** What a stranger does: installs the package beside the compiler, and runs its script. */
  async function rebuilt(change: (wasm: string) => void, targets: string[]): Promise<{ lines: string[]; code: number }> {
    const folder = mkdtempSync(join(tmpdir(), "vicinal-rebuild-"));
    try {
      const vicinal = join(folder, "node_modules/vicinal");
      cpSync(installed, vicinal, { recursive: true });
      symlinkSync(join(ROOT, "node_modules/assemblyscript"), join(folder, "node_modules/assemblyscript"), "junction");
      change(join(vicinal, "dist/wasm"));
      const args = ["run", "--silent", "--prefix", vicinal, "build:wasm", "--", ...targets];
      const { stdout, code } = await project.run("npm", ...args).then(
        (stdout) => ({ stdout, code: 0 }),
        ({ stdout, stderr, code }) =>
          stderr ? Promise.reject(new Error(stderr)) : { stdout: String(stdout), code: Number(code) },
      );
      return { lines: stdout.trim().split("\n").sort(), code };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const same = (name: string): string => {
    return `${name}.wasm: the same ${statSync(join(installed, `dist/wasm/${name}.wasm`)).size} bytes`;
  };

  test("give the published wasm, byte for byte", async () => {
    const targets = thorough(["simd-core"], ["simd-core", "scalar", "relaxed-graph", "threads-whole", "shared-graph"]);
    const lines = targets.map(same).sort();
    expect(await rebuilt(() => {}, targets)).toEqual({ lines, code: 0 });
  }, 300_000);

  test("do not give another", async () => {
    const change = (wasm: string): void => {
      const file = join(wasm, "scalar-core.wasm");
      const bytes = readFileSync(file);
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(file, bytes);
    };
    const lines = ["scalar-core.wasm: another module than the one in dist/wasm"];
    expect(await rebuilt(change, ["scalar-core"])).toEqual({ lines, code: 1 });
  }, 300_000);
});

describe("size", () => {
  /**
   * What a page downloads, minified and gzipped: the entry, what it imports statically, and of what is imported when it is
   * needed the wasm of the best variant, of the graph build also the clock and of the full one what trains.
   */
  async function download(
    names: string,
    kind: "core" | "graph" | "full",
    from = "vicinal",
    beside = { core: /^$/, graph: /clock/, full: /extras/ }[kind],
  ): Promise<number> {
    const { metafile, outputFiles } = await build({
      stdin: { contents: `export { ${names} } from "${from}";`, resolveDir: project.folder },
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      platform: "browser",
      outdir: join(project.folder, "size"),
      absWorkingDir: project.folder,
      write: false,
      metafile: true,
    });
    const gzipBytes = new Map(
      outputFiles.map(({ path, contents }) => [
        relative(project.folder, path).replaceAll("\\", "/"),
        gzipSync(contents, { level: 9 }).length,
      ]),
    );
    const everything = kind === "full";
    const wasm = new RegExp(`/(relaxed|simd)${everything ? "" : `-${kind}`}-[A-Z0-9]{8}\\.js$`);
    const entry = Object.keys(metafile.outputs).filter((path) => metafile.outputs[path].entryPoint === "<stdin>");
    const needed = new Set(entry);
    const variants = new Set<string>();
    for (const path of needed) {
      for (const { kind, path: imported } of metafile.outputs[path].imports) {
        const name = metafile.outputs[imported].entryPoint ?? "";
        if (kind !== "dynamic-import" || beside.test(name)) needed.add(imported);
        else if (wasm.test(name)) variants.add(imported);
      }
    }
    expect(variants.size).toBe(2);
    const sizes = (paths: Iterable<string>): number[] => Array.from(paths, (path) => gzipBytes.get(path) ?? Number.NaN);
    return sizes(needed).reduce((sum, bytes) => sum + bytes) + Math.max(...sizes(variants));
  }

  test("{ Flat } needs nothing of the rest; everything is below 75.5 KiB", async () => {
    const flat = await download("Flat", "core");
    const both = await download("Hnsw, Flat", "core");
    const all = await download(
      "Flat, Hnsw, Ivf, KdTree, Forest, Lsh, factory, createIndex, compareMetrics, load, inspect",
      "full",
    );
    const fast = await download("Hnsw, Flat", "graph");
    console.log(
      `minified and gzipped: { Flat } ${flat} bytes, { Hnsw, Flat } ${both} bytes, with fastScan ${fast} bytes, everything ${all} bytes`,
    );
    expect(both).toBeLessThanOrEqual(33_700);
    expect(fast).toBeLessThanOrEqual(57 * 1024);
    expect(all).toBeLessThanOrEqual(75.5 * 1024);
  });

  test("{ Collection } is below 62 KiB", async () => {
    const collection = await download("Collection", "core", "vicinal/collection");
    console.log(`minified and gzipped: { Collection } ${collection} bytes`);
    expect(collection).toBeLessThanOrEqual(62 * 1024);
  });

  /** What each adds to the collection that it stands on. */
  const ON_TOP = { hybrid: 3.5, langchain: 2.5, llamaindex: 1.75, transformers: 1 };
  test.each(Object.entries(ON_TOP))("vicinal/%s adds no more than %d KiB", async (name, most) => {
    const { code } = await transform(readFileSync(join(installed, `dist/${name}.js`), "utf8"), { minify: true });
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(most * 1024);
    expect(code).not.toMatch(/from"node:/);
  });

  test("{ RangeIndex } is below 70 KiB", async () => {
    const range = await download("RangeIndex", "full", "vicinal/range", /^$/);
    console.log(`minified and gzipped: { RangeIndex } ${range} bytes`);
    expect(range).toBeLessThanOrEqual(70 * 1024);
  });

  /** Beside the core, which a page with a collection has. */
  const LAYERS: [name: string, entry: string, most: number][] = [
    ["opfs", "storage", 7000],
    ["indexedDb", "storage", 4000],
    ["memory", "storage", 1800],
    ["SharedCollection", "tabs", 3900],
    ["WorkerCollection", "worker", 3200],
    ["readFaiss", "interop", 15 * 1024],
  ];
  test.each(LAYERS)("{ %s } of vicinal/%s adds at most %i bytes", async (name, entry, most) => {
    const { outputFiles } = await build({
      stdin: { contents: `export { ${name} } from "vicinal/${entry}";`, resolveDir: project.folder },
      external: ["./chunks/*"],
      bundle: true,
      minify: true,
      format: "esm",
      write: false,
    });
    expect(gzipSync(outputFiles[0].contents, { level: 9 }).length).toBeLessThanOrEqual(most);
  });
});

describe("node", () => {
  test("the round trip is right, not only the same everywhere", () => {
    for (const { index, hits, hitsAgain } of expected.answers) {
      expect(hitsAgain, index).toEqual(hits);
      const self = index.includes("dot") ? undefined : [7, 123];
      if (self)
        expect(
          hits.map(([first]) => first),
          index,
        ).toEqual(self.map((id) => ({ id, distance: 0 })));
    }
  });

  for (const options of ["{}", '{"variant":"simd"}', '{"variant":"scalar"}']) {
    test(`import, require and a worker thread agree, init(${options})`, async () => {
      const [esm, cjs, thread] = await Promise.all(
        ["run.mjs", "run.cjs", "thread.mjs"].map(async (file) => report(await project.node(file, options))),
      );
      const { variant = expect.stringMatching(/^(relaxed|simd)$/) } = JSON.parse(options);
      expect(esm).toEqual({ variant, answers: expected.answers });
      expect(cjs).toEqual(esm);
      expect(thread).toEqual(esm);
    });
  }

  // V8 has no wasm SIMD on an x64 processor without SSE 4.1.
  test.runIf(process.arch === "x64")("without wasm SIMD scalar runs by itself", async () => {
    const answer = report(await project.node("--no-enable-sse4-1", "run.mjs", "{}"));
    expect(answer).toEqual({ variant: "scalar", answers: expected.answers });
  });

  test("VICINAL_VARIANT forces a variant", async () => {
    const script = 'process.env.VICINAL_VARIANT = "scalar"; import("vicinal").then(({ init }) => init()).then(console.log)';
    expect(await project.node("-e", script)).toBe("scalar\n");
  });

  test("vicinal/node saves and opens, from import and require", async () => {
    expect(JSON.parse(await project.node("files.mjs"))).toEqual([
      { id: 0, distance: 0 },
      { id: 1, distance: 5 },
    ]);
  });

  for (const variant of VARIANTS) {
    test(`vicinal/wasm/${variant}.wasm is a file`, async () => {
      const path = await project.node("-p", `require.resolve("vicinal/wasm/${variant}.wasm")`);
      expect(readFileSync(path.trim()).subarray(0, 4).toString("latin1")).toBe("\0asm");
    });
  }

  test("a compiled module can be handed in", async () => {
    const script = `
      const wasm = require("node:fs").readFileSync(require.resolve("vicinal/wasm/scalar.wasm"));
      const { init } = require("vicinal");
      WebAssembly.compile(wasm).then((module) => init({ module })).then(console.log);`;
    expect(await project.node("-e", script)).toBe("scalar\n");
  });

  test("also one of another realm", async () => {
    const script = `
      const wasm = require("node:fs").readFileSync(require.resolve("vicinal/wasm/simd.wasm"));
      const Module = require("node:vm").runInNewContext("WebAssembly.Module");
      const { init, Ivf } = require("vicinal");
      init({ module: new Module(wasm) }).then(async (variant) => {
        const index = await Ivf.create({ dimensions: 2, nlist: 2 });
        const error = await init({ module: {} }).catch(({ message }) => message);
        console.log(JSON.stringify([variant, index.variant, error]));
      });`;
    expect(JSON.parse(await project.node("-e", script))).toEqual([
      "simd",
      "simd",
      "module is [Object]; it must be a WebAssembly.Module",
    ]);
  });

  /** What runtimes put in the place of Deno and of Node's process. */
  const PRETENCES = [
    "globalThis.Deno = {}",
    "globalThis.Deno = { permissions: {} }",
    'globalThis.Deno = { permissions: { querySync() { throw new Error("no") } } }',
    "globalThis.process = undefined",
    "globalThis.process = {}",
    'Object.defineProperty(globalThis, "process", { get() { throw new Error("no") } })',
    'globalThis.process = { get env() { throw new Error("no") } }',
    'globalThis.process = { env: new Proxy({}, { get() { throw new Error("no") } }) }',
  ];
  test.each(PRETENCES)("with %s it works as without", async (pretence) => {
    const script = `
      const { stdout } = process;
      import("vicinal").then(async ({ Flat, init }) => {
        ${pretence};
        await init();
        const index = await Flat.create({ dimensions: 2 });
        stdout.write(index.variant);
      });`;
    expect(await project.node("-e", script)).toMatch(/^(relaxed|simd)$/);
  });

  test("the vicinal command runs", async () => {
    const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(await project.run("npm", "exec", "--offline", "--", "vicinal", "--version")).toBe(`${version}\n`);
  });
});

const NODE16 = { module: "node16", moduleResolution: "node16", files: ["types.mts", "types.cts"] };
const NODENEXT = { module: "nodenext", moduleResolution: "nodenext", files: ["types.mts", "types.cts"] };
const BUNDLER = { module: "preserve", moduleResolution: "bundler", files: ["types.ts"] };
const DOM = { libraries: "the DOM", lib: ["ES2022", "DOM"], types: [] as string[] };
const NODE = { libraries: "Node", lib: ["ES2022"], types: ["node"], typeRoots: [join(ROOT, "node_modules/@types")] };

/** Compiles types.ts of package/app, and where there is a DOM types-dom.ts. */
function typesCompile(
  compiler: () => string,
  { files, ...resolved }: typeof BUNDLER,
  { libraries, ...declared }: typeof DOM,
): void {
  test(`${files.join(" and ")} compile under ${resolved.moduleResolution} for ${libraries}`, async () => {
    const all = declared.lib.includes("DOM") ? [...files, ...files.map((file) => file.replace("types", "types-dom"))] : files;
    for (const file of all) {
      const source = readFileSync(join(project.folder, file.replace(/[mc]ts$/, "ts")), "utf8");
      writeFileSync(join(project.folder, file), source);
    }
    const compilerOptions = { target: "es2022", strict: true, noEmit: true, ...resolved, ...declared };
    writeFileSync(join(project.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: all }));
    const tsc = project.node(compiler(), "-p", "tsconfig.json");
    await expect(tsc.catch(({ stdout }) => stdout)).resolves.toBe("");
  });
}

describe("types under the newest TypeScript", () => {
  const compiler = (): string => join(ROOT, "node_modules/typescript/bin/tsc");
  for (const resolution of [NODE16, NODENEXT, BUNDLER]) {
    for (const library of [DOM, NODE]) typesCompile(compiler, resolution, library);
  }
});

// Its libraries have no Uint8Array<ArrayBuffer>, and its modules no "preserve"; @types/node is too new for it.
describeWith(["tools"], "types under the oldest TypeScript, 5.0", () => {
  const compiler = (): string => requireTool.resolve("typescript-old/bin/tsc");
  for (const resolution of [NODE16, { ...BUNDLER, module: "es2022" }]) typesCompile(compiler, resolution, DOM);
});

describeWith(["tools"], "other runtimes and publint", () => {
  test("publint finds nothing", async () => {
    const { publint } = await import(requireTool.resolve("publint"));
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages).toEqual([]);
  });

  test("Deno", async () => {
    const deno = runtime("deno", "@deno");
    const answer = report(await project.run(deno, "run", "--no-prompt", "--allow-read=.", "run.mjs", "{}"));
    expect(answer).toEqual({ ...expected, variant: "relaxed" });
  });

  test("Bun", async () => {
    const bun = runtime("bun", "@oven");
    const answer = report(await project.run(bun, "run.mjs", "{}"));
    expect(answer.answers).toEqual(expected.answers);
    expect(answer.variant).toMatch(/^(relaxed|simd)$/);
    expect(report(await project.run(bun, "run.cjs", "{}"))).toEqual(answer);
  });

  /** As packed, where the variant has what it takes; the test waits for the process to end. */
  const THREADS = ["threads", "threads", "threads", 3];
  test("Deno: threads build, and the process ends", async () => {
    const deno = runtime("deno", "@deno");
    expect(JSON.parse(await project.run(deno, "run", "--no-prompt", "--allow-read=.", "threads.mjs"))).toEqual(THREADS);
  });
  test("Bun: threads build, and the process ends", async () => {
    expect(JSON.parse(await project.run(runtime("bun", "@oven"), "threads.mjs"))).toEqual(THREADS);
  });

  const POOLED = ["shared", 2000, 3, 4, 5, 6];
  test("Deno: a pool, and the process ends", async () => {
    const deno = runtime("deno", "@deno");
    expect(JSON.parse(await project.run(deno, "run", "--no-prompt", "--allow-read=.", "--allow-sys=cpus", "pool.mjs"))).toEqual(
      POOLED,
    );
  });
  test("Bun: a pool, and the process ends", async () => {
    expect(JSON.parse(await project.run(runtime("bun", "@oven"), "pool.mjs"))).toEqual(POOLED);
  });
  test("Node: a pool, and the process ends", async () => {
    expect(JSON.parse(await project.node("pool.mjs"))).toEqual(POOLED);
  });

  // Until 2025-05-05 there are no weak references.
  test.each(["2026-01-01", "2024-01-01"])("workerd as of %s, with the module handed in", async (date) => {
    await inWorkerd(project, "cloudflare.js", date, async (url) => expect(await (await fetch(url)).json()).toEqual(expected));
  });
});
