// The packed tarball in Chromium: from each bundler and from none, compared with Node byte for byte.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Browser, launched } from "../support/browser.js";
import { describeWith, install, type Project, type Report, requireTool } from "../support/packed.js";

const MIME: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
/** A wasm module as src/border/wasm-text.ts has it. */
const WASM_TEXT = /[0-9a-f]{178}[#-~]{9000}/g;
const ENTRIES = ["page.js", "page-worker.js"];

/** Each makes a site of page.html in a folder of the project, with no setting that vicinal would need, and returns the page's path. */
const SITES: Record<string, (project: Project) => Promise<string>> = {
  async "no bundler"({ folder }) {
    mkdirSync(join(folder, "plain"));
    for (const file of ["page.html", "round-trip.js", ...ENTRIES]) {
      const source = readFileSync(join(folder, file), "utf8");
      writeFileSync(join(folder, "plain", file), source.replace('"vicinal"', '"/node_modules/vicinal/dist/index.js"'));
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
  let origin: string;
  /** The wasm modules downloaded, as `path:offset`. */
  let modules: string[] = [];

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", origin);
    try {
      const body = readFileSync(join(project.folder, pathname));
      for (const { index } of body.toString("latin1").matchAll(WASM_TEXT)) modules.push(`${pathname}:${index}`);
      response
        .writeHead(200, { "content-type": MIME[extname(pathname)] ?? "application/octet-stream", "cache-control": "no-store" })
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });

  beforeAll(async () => {
    project = await install();
    expected = JSON.parse(await project.node("run.mjs", '{"variant":"simd"}'));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    project?.remove();
  });

  /** Opens the page in a new browser profile: its report, and what went wrong on the way. */
  async function visit(browser: Browser, path: string): Promise<Report> {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    try {
      modules = [];
      await page.goto(`${origin}/${path}`);
      const report = (await page.evaluate("globalThis.answer")) as Report;
      expect(errors).toEqual([]);
      expect(await page.evaluate("crossOriginIsolated")).toBe(false);
      return report;
    } finally {
      await page.close();
    }
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
          // By default Vite makes one file of a worker and all it may import.
          const downloads = site === "Vite" && ask === "?worker" ? 12 : 1;
          test(`${name}: the answers and bytes of Node; downloads ${downloads} of the 12 builds`, async () => {
            expect(await visit(browser(), path + ask)).toEqual({ variant, answers: expected.answers });
            expect(modules).toHaveLength(downloads);
          });
        }
      });
    }
  });

  // V8 has no wasm SIMD on an x64 processor without SSE 4.1.
  describe.runIf(process.arch === "x64")("without wasm SIMD", () => {
    const browser = launched("--js-flags=--no-enable-sse4-1");
    test("runs scalar by itself, and downloads nothing else", async () => {
      const path = await SITES.esbuild(project);
      expect(await visit(browser(), path)).toEqual({ variant: "scalar", answers: expected.answers });
      expect(modules).toEqual([expect.stringContaining("scalar")]);
    });
  });
});
