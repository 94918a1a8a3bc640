// The storages of pages in Chromium.
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluated, launched, type Site, serve } from "../support/browser.js";
import { describeWith, ROOT } from "../support/packed.js";
import { CASES } from "./contract.js";

describeWith(["tools", "chromium"], "storages of pages", () => {
  const browser = launched();
  let folder: string;
  let site: Site;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "vicinal-pages-"));
    copyFileSync(join(ROOT, "tests/package/app/blank.html"), join(folder, "blank.html"));
    await build({
      entryPoints: [fileURLToPath(new URL("page.ts", import.meta.url))],
      outdir: folder,
      bundle: true,
      format: "esm",
      alias: { "vicinal/storage": join(ROOT, "dist/storage.js") },
      logLevel: "warning",
    });
    site = await serve(folder);
  });
  afterAll(() => {
    site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What an expression comes to on a page of its own, in a profile of its own. */
  const onPage = (expression: string): Promise<unknown> =>
    evaluated(browser(), `${site.origin}/blank.html`, `import("/page.js").then(() => ${expression})`);

  const WAYS: Record<string, (name: string) => string> = {
    "OPFS on a page": (name) => `runCase("opfs", ${name})`,
    "OPFS in a worker": (name) => `runInWorker("opfs", ${name})`,
    "OPFS where no worker may be made": (name) => `(globalThis.Worker = undefined, runCase("opfs", ${name}))`,
    "IndexedDB on a page": (name) => `runCase("indexedDb", ${name})`,
    "IndexedDB in a worker": (name) => `runInWorker("indexedDb", ${name})`,
    memory: (name) => `runCase("memory", ${name})`,
  };
  describe.each(Object.keys(WAYS))("%s", (way) => {
    it.each(CASES)("$name", async ({ name }) => {
      expect(await onPage(WAYS[way](JSON.stringify(name)))).toBeUndefined();
    });
  });
});
