// vicinal/static, where import() is forbidden: in service workers of Chromium, as a module and as a classic script; and what the
// entry in chunks says there.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluated, launched, type Site, serve } from "../support/browser.js";
import { describeWith, install, type Project } from "../support/packed.js";

interface Answer {
  variant: string;
  report: Record<string, unknown>;
  bare?: unknown;
}

let project: Project;
let expected: Answer;

beforeAll(async () => {
  project = await install();
  expected = JSON.parse(await project.node("everything.mjs", "import", "vicinal", "simd"));
}, 120_000);
afterAll(() => project?.remove());

describe("in Node", () => {
  test("all tasks of the entry in chunks are done", () => {
    expect(Object.keys(expected.report).length).toBeGreaterThan(10);
    for (const [name, answer] of Object.entries(expected.report)) expect(Array.isArray(answer), name).toBe(true);
  });

  for (const way of ["import", "require"]) {
    test(`${way}: one file that imports nothing, with the answers of the entry in chunks`, async () => {
      const file = join(project.folder, "node_modules/vicinal/dist", way === "import" ? "static.js" : "static.cjs");
      const imports = readFileSync(file, "utf8").match(/\bimport\(|^import |^\} from |\brequire\("\./gm);
      expect(imports).toBeNull();
      expect(JSON.parse(await project.node("everything.mjs", way, "vicinal/static"))).toEqual(expected);
    });
  }

  test("a variant that is not in it is refused, with the way to have it", async () => {
    const script = `
      const { init } = require("vicinal/static");
      init({ variant: "relaxed" }).catch(({ code, message }) => console.log(JSON.stringify({ code, message })));`;
    expect(JSON.parse(await project.node("-e", script))).toEqual({
      code: "BAD_VARIANT",
      message: "this runtime cannot run the relaxed build: vicinal/static has simd alone, and takes others as init({ module })",
    });
  });
});

describeWith(["tools", "chromium"], "in a service worker of Chromium", () => {
  const browser = launched();
  let site: Site;

  beforeAll(async () => {
    site = await serve(project.folder);
    mkdirSync(join(project.folder, "workers"));
    for (const file of ["everything.js", "service-worker.js", "service-worker-chunks.js"]) {
      const source = readFileSync(join(project.folder, file), "utf8")
        .replace('"vicinal/static"', '"/node_modules/vicinal/dist/static.js"')
        .replace('"vicinal"', '"/node_modules/vicinal/dist/index.js"');
      writeFileSync(join(project.folder, "workers", file), source);
    }
    await build({
      entryPoints: ["service-worker.js"],
      absWorkingDir: project.folder,
      outfile: join(project.folder, "workers/classic.js"),
      bundle: true,
      minify: true,
      format: "iife",
      logLevel: "warning",
    });
  }, 60_000);
  afterAll(() => site?.close());

  /** Registers the worker of a page of its own, and asks it. */
  async function asked(script: string, type: "module" | "classic"): Promise<Answer> {
    const scope = `/workers/${script}-`;
    const ask = `(async () => {
      const registered = await navigator.serviceWorker.register("/workers/${script}", { type: "${type}", scope: "${scope}" });
      const worker = registered.installing ?? registered.active;
      const { port1, port2 } = new MessageChannel();
      const answer = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
      worker.postMessage("everything", [port2]);
      return answer.finally(() => registered.unregister());
    })()`;
    return (await evaluated(browser(), `${site.origin}/blank.html`, ask)) as Answer;
  }

  for (const [script, type] of [
    ["service-worker.js", "module"],
    ["classic.js", "classic"],
  ] as const) {
    test(`a ${type} worker has all answers of Node, with nothing handed in`, async () => {
      expect(await asked(script, type)).toEqual(expected);
    });
  }

  test("the entry in chunks does what one module can, and names vicinal/static for the rest", async () => {
    const { bare, report } = await asked("service-worker-chunks.js", "module");
    const refused = {
      name: "VicinalError",
      code: "BAD_RUNTIME",
      message: expect.stringMatching(/cannot be imported \(.*import\(\).*\): "vicinal\/static" has all in one file/),
    };
    expect(bare).toEqual(refused);
    const works = ["flat", "hnsw", "kdtree", "forest"];
    for (const [name, answer] of Object.entries(report)) {
      expect(answer, name).toEqual(works.includes(name) ? expected.report[name] : refused);
    }
  });
});
