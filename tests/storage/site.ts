// page.ts and the storages as a site, for as long as a suite runs.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";
import { type Context, errorsOf, type Page, type Site, serve } from "../support/browser.js";
import { ROOT } from "../support/packed.js";

/** A page of the site with page.ts in it. */
export interface Tab {
  readonly page: Page;
  readonly errors: readonly string[];
  /** What an expression comes to there. */
  run<T = unknown>(expression: string): Promise<T>;
}

/** Opens tabs; `origin` once the suite has begun. */
export function storageSite(): { open(context: Pick<Context, "newPage">): Promise<Tab>; readonly origin: string } {
  let folder: string;
  let site: Site;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "vicinal-pages-"));
    copyFileSync(join(ROOT, "tests/package/app/blank.html"), join(folder, "blank.html"));
    // A page that is of no site, as in a sandbox without allow-same-origin.
    const script = `import "./page.js";
      const said = [];
      for (const kind of ["opfs", "indexedDb"]) said.push(...(await attempt(make[kind]("docs"), ["list"], ["lock"])));
      parent.postMessage(said, "*");`;
    writeFileSync(join(folder, "frame.html"), `<!doctype html><script type="module">${script}</script>`);
    await build({
      entryPoints: [fileURLToPath(new URL("page.ts", import.meta.url))],
      outdir: folder,
      bundle: true,
      splitting: true,
      format: "esm",
      alias: Object.fromEntries(
        ["storage", "collection", "tabs"].map((name) => [`vicinal/${name}`, join(ROOT, `dist/${name}.js`)]),
      ),
      logLevel: "warning",
    });
    site = await serve(folder, { "access-control-allow-origin": "*" });
  });
  afterAll(() => {
    site?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    get origin() {
      return site.origin;
    },
    async open(context) {
      const page = await context.newPage();
      const errors = errorsOf(page);
      await page.goto(`${site.origin}/blank.html`);
      await page.evaluate(`import("/page.js").then(() => {})`);
      return { page, errors, run: <T>(expression: string) => page.evaluate(expression) as Promise<T> };
    },
  };
}

/** Ends a tab's process, as running out of memory does. */
export async function crash({ page }: Tab): Promise<void> {
  const crashed = new Promise<void>((resolve) => page.on("crash", resolve));
  page.goto("chrome://crash").catch(() => {});
  await crashed;
}
