// The packed tarball in Chromium: from each bundler and from none, compared with Node byte for byte.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Browser, evaluated, launched, type Site, serve } from "../support/browser.js";
import { describeWith, install, type Project, type Report, requireTool } from "../support/packed.js";

/** A wasm module as src/border/wasm-text.ts has it. */
const WASM_TEXT = /[0-9a-f]{178}[#-~]{9000}/g;
const ENTRIES = ["page.js", "page-worker.js"];

/** Each makes a site of page.html in a folder of the project, with no setting that vicinal would need, and returns the page's path. */
const SITES: Record<string, (project: Project) => Promise<string>> = {
  async "no bundler"({ folder }) {
    mkdirSync(join(folder, "plain"));
    for (const file of ["page.html", "round-trip.js", "documents.js", ...ENTRIES]) {
      const source = readFileSync(join(folder, file), "utf8");
      const found = source.replaceAll(
        /"vicinal(?:\/(\w+))?"/g,
        (_, name) => `"/node_modules/vicinal/dist/${name ?? "index"}.js"`,
      );
      writeFileSync(join(folder, "plain", file), found);
    }
    return "plain/page.html";
  },

  Vite: (project) => vite(project, {}),

  "Vite with workers in ES format": (project) => vite(project, { worker: { format: "es" } }),

  async webpack({ folder }) {
    const webpack = requireTool("webpack");
    const path = join(folder, "webpack");
    const stats = await new Promise<{ toString(): string; hasErrors(): boolean; hasWarnings(): boolean }>((resolve, reject) => {
      webpack(
        {
          mode: "production",
          context: folder,
          entry: "./page.js",
          output: { path, filename: "page.js" },
          performance: { hints: false },
        },
        (error: unknown, result: never) => (error ? reject(error) : resolve(result)),
      );
    });
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
    const page = readFileSync(join(folder, "page.html"), "utf8");
    writeFileSync(join(path, "page.html"), page.replace('type="module"', "defer"));
    return "webpack/page.html";
  },

  async esbuild({ folder }) {
    await build({
      entryPoints: ENTRIES,
      absWorkingDir: folder,
      outdir: "esbuild",
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      logLevel: "warning",
    });
    cpSync(join(folder, "page.html"), join(folder, "esbuild/page.html"));
    return "esbuild/page.html";
  },
};

async function vite({ folder, node }: Project, config: { worker?: { format: "es" } }): Promise<string> {
  const outDir = `vite-${config.worker?.format ?? "default"}`;
  cpSync(join(folder, "page.html"), join(folder, "index.html"));
  writeFileSync(join(folder, "vite.config.mjs"), `export default ${JSON.stringify(config)};`);
  const cli = join(requireTool.resolve("vite/package.json"), "../bin/vite.js");
  await node(cli, "build", "--base", "./", "--outDir", outDir);
  return `${outDir}/index.html`;
}

const RUNS = [
  { name: "the best variant", ask: "", variant: "relaxed" },
  { name: "simd", ask: "?variant=simd", variant: "simd" },
  { name: "scalar", ask: "?variant=scalar", variant: "scalar" },
  { name: "a module worker", ask: "?worker", variant: "relaxed" },
];

describeWith(["tools", "chromium"], "Chromium", () => {
  let project: Project;
  let expected: Report;
  let site: Site;
  /** The wasm modules downloaded, as `path:offset`. */
  let modules: string[] = [];

  beforeAll(async () => {
    project = await install();
    expected = JSON.parse(await project.node("run.mjs", '{"variant":"simd"}'));
    site = await serve(project.folder, {}, (path, body) => {
      for (const { index } of body.toString("latin1").matchAll(WASM_TEXT)) modules.push(`${path}:${index}`);
    });
  });
  afterAll(() => {
    site?.close();
    project?.remove();
  });

  const origin = (): string => site.origin;

  /** Opens the page in a new browser profile: its report. */
  async function visit(browser: Browser, path: string): Promise<Report> {
    modules = [];
    const [report, isolated] = (await evaluated(
      browser,
      `${site.origin}/${path}`,
      "Promise.all([globalThis.answer, crossOriginIsolated])",
    )) as [Report, boolean];
    expect(isolated).toBe(false);
    return report;
  }

  describe("as it comes", () => {
    const browser = launched();
    for (const [site, make] of Object.entries(SITES)) {
      describe(site, () => {
        let path: string;
        beforeAll(async () => {
          path = await make(project);
        });

        for (const { name, ask, variant } of RUNS) {
          // f32 is in the core, sq8 and bits in the build of graphs. By default Vite makes one file of a worker and all it may import.
          const downloads = site === "Vite" && ask === "?worker" ? 16 : 2;
          test(`${name}: the answers and bytes of Node; downloads ${downloads} of the 12 builds`, async () => {
            expect(await visit(browser(), path + ask)).toEqual({ variant, answers: expected.answers });
            expect(modules).toHaveLength(downloads);
          });
        }

        test("a collection is in a worker by one option", async () => {
          const answer = await evaluated(browser(), `${origin()}/${path}?documents`, "globalThis.answer");
          const found = [3, 5].map((id) => ({ id, distance: 1, data: { even: false } }));
          expect(answer).toEqual({ kind: "ivf", found });
        });
      });
    }
  });

  describe("a page with more indices than there can be memories", () => {
    const browser = launched();
    const TASKS = [
      "live ones answer, in any order, inside of each other's filters too",
      "untrained ones hold one memory each, and all can train at once",
      "closed and dropped ones give back",
      "where all are too large to be parked, the next is refused and the others are unharmed",
    ];
    test.each(TASKS)("%s", async (task) => {
      const source = readFileSync(join(project.folder, "crowd.js"), "utf8");
      writeFileSync(join(project.folder, "crowd.js"), source.replace('"vicinal"', '"/node_modules/vicinal/dist/index.js"'));
      const run = `import("/crowd.js").then(({ crowd }) => crowd[${JSON.stringify(task)}]())`;
      expect(await evaluated(browser(), `${site.origin}/blank.html`, run)).toEqual([]);
    });
  });

  describe("a page that is isolated", () => {
    const browser = launched();
    let isolated: Site;
    beforeAll(async () => {
      isolated = await serve(project.folder, {
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      });
    });
    afterAll(() => isolated?.close());

    test("builds with threads, the same graph, and says so", async () => {
      const run = `import("/node_modules/vicinal/dist/index.js").then(async (vicinal) => {
        const { Hnsw, Flat } = vicinal;
        const rows = Float32Array.from({ length: 2000 * 16 }, (_, i) => (i * 7919) % 97);
        const [one, two] = [await Hnsw.create({ dimensions: 16, fastScan: true }), await Hnsw.create({ dimensions: 16, fastScan: true, threads: 2 })];
        const said = [vicinal.variant, two.variant, two.stats().variant];
        for (const index of [one, two]) index.add(rows);
        two.remove([1, 2]);
        await two.compact();
        one.remove([1, 2]);
        await one.compact();
        const [a, b] = [one.toBytes(), two.toBytes()];
        const same = a.length === b.length && a.every((byte, i) => byte === b[i]);
        const after = [two.variant, (await Flat.create({ dimensions: 2 })).variant, vicinal.variant];
        two.close();
        return [...said, same, ...after];
      })`;
      const answer = await evaluated(browser(), `${isolated.origin}/blank.html`, run);
      expect(answer).toEqual(["threads", "threads", "threads", true, "threads", "relaxed", "relaxed"]);
    });
  });

  // V8 has no wasm SIMD on an x64 processor without SSE 4.1.
  describe.runIf(process.arch === "x64")("without wasm SIMD", () => {
    const browser = launched("--js-flags=--no-enable-sse4-1");
    test("runs scalar by itself, and downloads nothing else", async () => {
      const path = await SITES.esbuild(project);
      expect(await visit(browser(), path)).toEqual({ variant: "scalar", answers: expected.answers });
      expect(modules).toEqual([expect.stringContaining("scalar-core"), expect.stringContaining("scalar-graph")]); // f32, and sq8
    });
  });
});
