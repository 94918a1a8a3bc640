// Published indices in a page: of the same origin and of another, with the headers that it needs and without; and kept for the next visit.
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { publish } from "vicinal/range";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launched, type Page, type Site, serve } from "../support/browser.js";
import { describeWith, ROOT } from "../support/packed.js";
import { type Files, type Host, hosted, WRONGS } from "./support/host.js";
import { flatOf, vectorsOf } from "./support/made.js";

const ALLOWED = { "access-control-allow-origin": "*" };
const EXPOSED = { ...ALLOWED, "access-control-expose-headers": "Content-Range, ETag" };

describeWith(["tools", "chromium"], "in a page", () => {
  const browser = launched();
  const flat = flatOf(vectorsOf(2000));
  const query = Array.from(vectorsOf(1, 3)[0]);
  let folder: string;
  let site: Site;
  let files: Files;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "vicinal-range-"));
    copyFileSync(join(ROOT, "tests/package/app/blank.html"), join(folder, "blank.html"));
    const contents = `import * as range from "./dist/range.js"; globalThis.range = range;`;
    await build({
      stdin: { contents, resolveDir: ROOT },
      outdir: folder,
      entryNames: "range",
      bundle: true,
      splitting: true,
      format: "esm",
    });
    files = (await publish(await flat, { pageKib: 4 })).files;
    site = await serve(folder);
  });
  afterAll(() => {
    site.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What an expression comes to on a page of the site, or the error as text. */
  async function said(page: Page, expression: string): Promise<unknown> {
    return page.evaluate(`(async () => ${expression})().catch(({ name, code, message }) => name + " " + code + ": " + message)`);
  }

  async function opened(): Promise<Page> {
    const page = await (await browser().newContext()).newPage();
    await page.goto(`${site.origin}/blank.html`);
    await page.evaluate(`import("/range.js").then(() => {})`);
    return page;
  }

  const search = (url: string, options = "{}"): string => `{
    const index = await range.RangeIndex.open(${JSON.stringify(url)}, ${options});
    const hits = await index.search(${JSON.stringify(query)});
    return { ids: hits.map(({ id }) => id), ...index.lastStats };
  }`;

  describe.each([
    ["with its headers exposed", EXPOSED],
    ["with no more than Access-Control-Allow-Origin", ALLOWED],
  ])("from another origin, %s", (_, headers) => {
    let host: Host;
    beforeAll(async () => {
      host = await hosted(files, headers);
    });

    it("answers as in Node, and asks nothing before it asks", async () => {
      const methods = new Set<string | undefined>();
      host.misbehave = ({ request }) => !methods.add(request.method);
      const page = await opened();
      const truth = (await flat).search(query, { k: 10 }).map(({ id }) => id);
      const { ids, rounds } = (await said(page, search(host.url))) as { ids: number[]; rounds: number };
      expect(ids.filter((id) => truth.includes(id)).length).toBeGreaterThanOrEqual(8);
      expect(rounds).toBe(2);
      expect([...methods]).toEqual(["GET"]); // no OPTIONS
      await page.close();
    });

    it.each(["ignores", "short", "silently", "gzip"])("%s", async (how) => {
      host.misbehave = WRONGS[how];
      const page = await opened();
      expect(await said(page, search(host.url))).toMatch(/^VicinalError (BAD_HOST|BAD_FILE|IO_ERROR): /);
      host.misbehave = undefined;
      await page.close();
    });
  });

  it("says what another origin must send that sends nothing", async () => {
    const host = await hosted(files);
    const page = await opened();
    expect(await said(page, search(host.url))).toMatch(
      /^VicinalError IO_ERROR: .*does not let http:.* read it: it must send Access-Control-Allow-Origin/,
    );
    await page.close();
  });

  it("lists are in Cache Storage at the next visit, and an index published later takes their place", async () => {
    const host = await hosted(files, EXPOSED);
    const page = await opened();
    const options = `{ cacheStorage: "docs" }`;
    const first = (await said(page, search(host.url, options))) as { ids: number[]; requests: number };
    await page.evaluate("new Promise((resolve) => setTimeout(resolve, 300))"); // they are put there without being waited for
    await page.goto(`${site.origin}/blank.html`);
    await page.evaluate(`import("/range.js").then(() => {})`);
    const second = (await said(page, search(host.url, options))) as typeof first;
    expect(second.ids).toEqual(first.ids);
    expect(second.requests).toBeLessThan(first.requests);
    // What was kept and is no more what it was is fetched again.
    await page.evaluate(`caches.open("docs").then(async (cache) => {
      for (const request of await cache.keys()) await cache.put(request, new Response(new Uint8Array(9)));
    })`);
    expect(await said(page, search(host.url, options))).toEqual({ ...first });
    host.files = (await publish(await flatOf(vectorsOf(300)), { pageKib: 4 })).files;
    await said(page, search(host.url, options));
    const names = (await page.evaluate(
      `caches.open("docs").then((cache) => cache.keys()).then((keys) => keys.map(({ url }) => url))`,
    )) as string[];
    await page.evaluate("new Promise((resolve) => setTimeout(resolve, 100))");
    const [data] = [...host.files.keys()];
    expect(names.every((name) => name.includes(data.slice(0, 16)))).toBe(true);
    await page.close();
  });
});
