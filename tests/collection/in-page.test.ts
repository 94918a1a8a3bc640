// A collection in a worker of a page, by one option, in Chromium.
import { describe, expect, it } from "vitest";
import { storageSite, type Tab } from "../storage/site.js";
import { launched } from "../support/browser.js";
import { describeWith } from "../support/packed.js";

describeWith(["tools", "chromium"], "in a page's worker", () => {
  const browser = launched();
  const site = storageSite();
  /** As what a page answers with may allow. */
  const strict = storageSite({ "content-security-policy": "worker-src 'self'" });

  const said = (tab: Tab, expression: string): Promise<unknown> =>
    tab.run(`(async () => ${expression})().catch(({ name, code, message }) => name + " " + code + ": " + message)`);

  describe.each(["opfs", "indexedDb", "memory"])("%s", (kind) => {
    it("answers, is kept, and leaves the page's thread free", async () => {
      const context = await browser().newContext();
      const tab = await site.open(context);
      await tab.run(`openInWorker("${kind}").then((opened) => void (globalThis.docs = opened))`);
      await tab.run(`docs.upsert([
        { id: "a", vector: [1, 0, 0, 0], data: { lang: "en" } },
        { id: 1, vector: new Float32Array([2, 0, 0, 0]), data: { lang: "de" } },
        { id: "1", text: "text", data: { lang: "en" } },
      ])`);
      expect(await said(tab, `docs.search("text", { k: 1 })`)).toEqual([{ id: "1", distance: 0, data: { lang: "en" } }]);
      expect(await said(tab, `docs.search([0, 0, 0, 0], { where: { lang: "de" }, select: [] })`)).toEqual([
        { id: 1, distance: 2 },
      ]);
      expect(await said(tab, `docs.health.then(({ state }) => state)`)).toBe("ready");
      // The page goes on, though a graph is built; how smoothly is measured by bench:pool.
      const turns = await tab.run<number>(`(async () => {
        const many = Array.from({ length: 20_000 }, (_, id) => ({ id, vector: [id, id % 7, id % 11, id % 13] }));
        for (let from = 0; from < many.length; from += 2000) await docs.upsert(many.slice(from, from + 2000));
        let done = false;
        const work = docs.reindex().then(() => { done = true; });
        let turns = 0;
        for (; !done; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
        await work;
        return turns;
      })()`);
      expect(turns).toBeGreaterThan(2);
      if (kind === "opfs") {
        expect(await said(tab, `openInWorker("opfs")`)).toMatch(/^VicinalError LOCKED: /);
      }
      await tab.run("docs.close()");
      expect(await said(tab, "docs.count()")).toMatch(/^VicinalError CLOSED: the collection in .* is closed$/);
      if (kind !== "memory") {
        await tab.run(`openInWorker("${kind}").then((opened) => void (globalThis.docs = opened))`);
        expect(await said(tab, `docs.count()`)).toBe(20_002);
        await tab.run("docs.close()");
      }
      expect(tab.errors).toEqual([]);
      await context.close();
    });
  });

  it("says what a Content-Security-Policy must have", async () => {
    const context = await browser().newContext();
    const tab = await strict.open(context);
    expect(await said(tab, `openInWorker("indexedDb")`)).toMatch(/^VicinalError BAD_RUNTIME: .*worker-src blob:/);
    await context.close();
  });
});
