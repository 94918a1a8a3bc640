// page.ts and the storages as a site, for as long as a suite runs.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";
import { type Browser, type Context, errorsOf, type Page, type Site, serve } from "../support/browser.js";
import { ROOT } from "../support/packed.js";

/** A page of the site with page.ts in it. */
export interface Tab {
  readonly page: Page;
  readonly errors: readonly string[];
  /** What an expression comes to there. */
  run<T = unknown>(expression: string): Promise<T>;
}

export interface StorageSite {
  open(context: Pick<Context, "newPage">): Promise<Tab>;
  /** Once the suite has begun. */
  readonly origin: string;
}

/** n tabs of one profile, each of which has joined the others, by an expression, before the next is opened: the first leads. */
export async function joined(
  browser: Browser,
  site: StorageSite,
  n: number,
  join: string,
): Promise<{ tabs: Tab[]; close(): Promise<void> }> {
  const context = await browser.newContext();
  const tabs: Tab[] = [];
  while (tabs.length < n) {
    const tab = await site.open(context);
    await tab.run(join);
    tabs.push(tab);
  }
  return { tabs, close: () => context.close() };
}

/** `headers` go with all of it. */
export function storageSite(headers: Record<string, string> = {}): StorageSite {
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
    site = await serve(folder, { "access-control-allow-origin": "*", ...headers });
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
