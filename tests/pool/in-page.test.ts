// Pools of a page, in Chromium: in one memory where the page is isolated, elsewhere with a copy each; and where no worker may be made, that is
// said.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluated, launched, type Site, serve } from "../support/browser.js";
import { describeWith, install, type Project } from "../support/packed.js";

const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

describeWith(["tools", "chromium"], "a pool of a page", () => {
  const browser = launched();
  let project: Project;
  const sites: Site[] = [];
  beforeAll(async () => {
    project = await install();
  });
  afterAll(() => {
    for (const site of sites) site.close();
    project?.remove();
  });

  const run = async (headers: Record<string, string>, work: string): Promise<unknown> => {
    const site = await serve(project.folder, headers);
    sites.push(site);
    return evaluated(
      browser(),
      `${site.origin}/blank.html`,
      `import("/node_modules/vicinal/dist/pool.js").then(async ({ Pool, remote }) => {
        const rows = Float32Array.from({ length: 3000 * 16 }, (_, i) => (i * 7919) % 97);
        const row = (i) => rows.subarray(16 * i, 16 * (i + 1));
        ${work}
      })`,
    );
  };

  describe.each([
    ["shared", ISOLATED],
    ["replicas", {}],
  ])("%s", (layout, headers) => {
    it("searches while it adds, and changes what all find", async () => {
      const answer = await run(
        headers as Record<string, string>,
        `const pool = await Pool.open({ factory: "HNSW16", dimensions: 16, metric: "l2", fastScan: true }, { threads: 3 });
        await pool.add(rows.subarray(0, 16 * 500));
        let adding = true;
        const added = pool.addAll(rows.subarray(16 * 500)).then(() => { adding = false; });
        let right = 0, asked = 0;
        while (adding) {
          const i = asked++ % 97;
          const [hit] = await pool.search(row(i), { k: 1 });
          if (hit.distance === 0) right++;
        }
        await added;
        await pool.remove([0, 1]);
        await pool.compact();
        const [hits, { ids }] = [await pool.search(row(5), { k: 1 }), await pool.searchBatch(rows.subarray(0, 160), { k: 1 })];
        const size = pool.size;
        await pool.close();
        return [pool.layout, asked > 0 && right === asked, size, hits[0].distance, ids.length];`,
      );
      expect(answer).toEqual([layout, true, 2998, 0, 10]);
    });
  });

  it("leaves the page's thread free with one worker", async () => {
    const answer = await run(
      {},
      `const index = await remote({ dimensions: 16, metric: "l2" });
      await index.addAll(rows, { ids: Array.from({ length: 3000 }, (_, i) => 3 * i) });
      const bytes = await index.toBytes();
      const again = await remote(new Blob([bytes]));
      const [hit] = await again.search(row(8), { k: 1 });
      await again.close();
      return [index.threads, index.layout, index.size, hit.distance];`,
    );
    expect(answer).toEqual([1, "replicas", 3000, 0]);
  });

  it("says what a Content-Security-Policy must have", async () => {
    const site = await serve(project.folder, { "content-security-policy": "worker-src 'self'" });
    sites.push(site);
    const page = await browser().newPage();
    await page.goto(`${site.origin}/blank.html`);
    const answer = await page.evaluate(
      `import("/node_modules/vicinal/dist/pool.js")
        .then(({ Pool }) => Pool.open({ dimensions: 16 }, { threads: 2 }))
        .catch(({ code, message }) => code + ": " + message)`,
    );
    expect(answer).toMatch(/^BAD_RUNTIME: .*could not start: .*must have worker-src blob:/);
    await page.close();
  });
});
