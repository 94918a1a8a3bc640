// One collection in several tabs of Chromium.
import { describe, expect, it } from "vitest";
import { crash, joined, storageSite, type Tab } from "../storage/site.js";
import { launched } from "../support/browser.js";
import { describeWith } from "../support/packed.js";
import { thorough } from "../support/thorough.js";

describeWith(["tools", "chromium"], "shared by tabs", () => {
  const browser = launched();
  const site = storageSite();

  const tabsOf = (n: number, kind = "opfs"): ReturnType<typeof joined> =>
    joined(browser(), site, n, `openShared("${kind}").then((opened) => void (globalThis.docs = opened))`);

  /** What an expression comes to, or the error. */
  const said = (tab: Tab, expression: string): Promise<unknown> =>
    tab.run(`(async () => ${expression})().catch(({ name, code, message }) => name + " " + code + ": " + message)`);

  it("every call answers in each tab as in the one that has it open", async () => {
    const { tabs, close } = await tabsOf(2);
    const [one, two] = tabs;
    expect(await Promise.all(tabs.map((tab) => tab.run("[docs.leads, docs.dimensions, docs.size]")))).toEqual([
      [true, 4, 0],
      [false, 4, 0],
    ]);
    await two.run(`docs.upsert([
      { id: "a", vector: [1, 0, 0, 0], data: { lang: "en", year: 2020 } },
      { id: 1, vector: new Float32Array([2, 0, 0, 0]), data: { lang: "de", year: 2021 } },
      { id: "1", text: "text", data: { lang: "en", year: 2022 } },
    ])`);
    await one.run(`docs.upsert({ id: "b", vector: [3, 0, 0, 0], data: { lang: "fr" } })`);
    const CALLS: [call: string, answer: unknown][] = [
      [`docs.count()`, 4],
      [`docs.count({ where: { lang: "en" } })`, 2],
      [`docs.has(1)`, true],
      [`docs.has("2")`, false],
      [`docs.get("a")`, { id: "a", data: { lang: "en", year: 2020 }, vector: Float32Array.of(1, 0, 0, 0) }],
      [`docs.get("none").then((none) => none === undefined)`, true],
      [
        `docs.search([0, 0, 0, 0], { k: 2, select: ["lang"] })`,
        [
          { id: "a", distance: 1, data: { lang: "en" } },
          { id: 1, distance: 4, data: { lang: "de" } },
        ].map((hit) => expect.objectContaining({ id: hit.id, data: hit.data })),
      ],
      [`docs.search("text", { k: 1 }).then(([hit]) => hit.id)`, "1"],
      [
        `docs.search([0, 0, 0, 0], { k: 2, rescore: (hits) => hits.map(({ data }) => data.year ?? 0) }).then((hits) => hits.map(({ id, score }) => [id, score]))`,
        [
          ["1", 2022],
          [1, 2021],
        ],
      ],
      [
        `docs.searchBatch([[0, 0, 0, 0], [9, 0, 0, 0]], { k: 1, where: { year: { $lt: 2022 } } }).then((all) => all.map(([hit]) => hit.id))`,
        ["a", 1],
      ],
      [
        `docs.searchBatch([[0, 0, 0, 0], [9, 0, 0, 0]], { k: 1, rescore: (hits) => hits.map(({ data }) => data.year ?? 0) }).then((all) => all.map(([hit]) => hit.id))`,
        ["1", "1"],
      ],
      [`docs.health.then(({ state, fresh }) => [state, fresh])`, ["ready", 4]],
      [
        `(async () => { const told = []; await docs.upsert([{ id: "1", text: "text", data: { lang: "en", year: 2022 } }], { onProgress: (so) => told.push(so) }); return told; })()`,
        [{ done: 1, total: 1 }],
      ],
      [`docs.update("a", { year: 2019 })`, 1],
      [`docs.verify().then(({ ok }) => ok)`, true],
      [`docs.snapshot()`, undefined],
      [`docs.compact()`, undefined],
      [`docs.reindex({ kind: "flat" })`, undefined],
      [`docs.stats().then(({ size, place }) => [size, place])`, [4, "OPFS folder docs"]],
    ];
    for (const [call, answer] of CALLS) {
      for (const tab of tabs) expect(await said(tab, call), call).toEqual(answer);
    }
    for (const tab of tabs) {
      expect(
        await said(
          tab,
          `(async () => { const ids = []; for await (const { id } of docs.scan({ where: { lang: "en" } })) ids.push(id); return ids.sort(); })()`,
        ),
      ).toEqual(["1", "a"]);
    }
    expect(await two.run(`docs.delete({ where: { lang: "fr" } }).then((n) => [n, docs.size])`)).toEqual([1, 3]);
    expect(await one.run(`docs.delete(["a", "a1"]).then((n) => [n, docs.size])`)).toEqual([1, 2]);
    expect([...one.errors, ...two.errors]).toEqual([]);
    await close();
  });

  it("bad calls have the same errors, and change nothing", async () => {
    const { tabs, close } = await tabsOf(2);
    const CALLS: [call: string, error: RegExp][] = [
      [`docs.upsert({ id: "a", vector: [1] })`, /^VicinalError BAD_DIMENSION: /],
      [`docs.upsert([{ id: 1.5, vector: [1, 2, 3, 4] }])`, /^VicinalError BAD_ID: /],
      [`docs.search([1, 2, 3, 4], { where: { a: { $foo: 1 } } })`, /^VicinalError BAD_WHERE: /],
      [`docs.search([1, 2, 3, 4], { candidates: 5 })`, /^VicinalError BAD_OPTION: candidates are what rescore/],
      [`docs.search([1, 2, 3, 4], { rescore: 5 })`, /^VicinalError BAD_OPTION: rescore is 5/],
      [
        `docs.search([1, 2, 3, 4], { rescore: () => [], after: { id: 1, distance: 1 } })`,
        /^VicinalError BAD_OPTION: after goes on/,
      ],
      [`docs.search([1, 2, 3, 4], { signal: AbortSignal.abort(new TypeError("enough")) })`, /^TypeError undefined: enough/],
      [`docs.search([1, 2, 3, 4], { signal: 5 })`, /^VicinalError BAD_OPTION: signal is 5/],
      [`docs.onChange(5)`, /^VicinalError BAD_OPTION: listener is 5/],
      [`docs.constructor.open("", () => {})`, /^VicinalError BAD_OPTION: name is ""/],
      [`docs.constructor.open("a", 5)`, /^VicinalError BAD_OPTION: open is 5/],
    ];
    for (const [call, error] of CALLS) for (const tab of tabs) expect(await said(tab, call), call).toMatch(error);
    expect(await tabs[1].run("docs.count()")).toBe(0);
    await close();
  });

  it("all hear of changes; one that closes hands over", async () => {
    const { tabs, close } = await tabsOf(3);
    const [one, two, three] = tabs;
    for (const tab of tabs) await tab.run(`void (globalThis.heard = 0, globalThis.stop = docs.onChange(() => heard++))`);
    await two.run(`docs.upsert({ id: "a", vector: [1, 0, 0, 0] })`);
    await one.run(`docs.upsert({ id: "b", vector: [1, 0, 0, 0] })`);
    await three.run(`docs.count()`);
    expect(await Promise.all(tabs.map((tab) => tab.run("[heard, docs.size]")))).toEqual(Array(3).fill([2, 2]));
    await one.run("docs.close()");
    await two.run("stop()");
    expect(await said(one, "docs.count()")).toBe("VicinalError CLOSED: the shared collection docs has been closed in this tab");
    await three.run(`docs.upsert({ id: "c", vector: [1, 0, 0, 0] })`);
    expect(await Promise.all([two, three].map((tab) => tab.run("docs.count().then((n) => [n, heard, docs.leads])")))).toEqual([
      [3, 2, true],
      [3, 3, false],
    ]);
    await close();
  });

  it("an opening that fails fails for who opens, and another may", async () => {
    const context = await browser().newContext();
    const tab = await site.open(context);
    const failed = `docs.constructor.open("other", () => { throw new TypeError("not today"); })`;
    await tab.run(`openShared("opfs").then((opened) => void (globalThis.docs = opened))`);
    expect(await said(tab, failed)).toBe("TypeError undefined: not today");
    expect(await said(tab, `docs.constructor.open("other", async () => { throw new TypeError("nor now"); })`)).toBe(
      "TypeError undefined: nor now",
    );
    await context.close();
  });

  describe.each(["opfs", "indexedDb"])("%s", (kind) => {
    it("no resolved change is lost and no scan leaves out or repeats, whichever leader dies", async () => {
      // The lock goes to them in the order in which they came.
      const DEATHS = thorough(3, 8);
      const { tabs, close } = await tabsOf(DEATHS + 1, kind);
      const last = tabs.pop()!;
      await last.run(`docs.upsert(Array.from({ length: 1000 }, (_, i) => ({ id: "old" + i, vector: [i, 0, 0, 0] })))`);
      await last.run(`void (globalThis.busy = true, globalThis.n = 0, globalThis.done = (async () => {
        const scans = [];
        const scanning = (async () => {
          while (busy) {
            const ids = [];
            for await (const { id } of docs.scan()) if (String(id).startsWith("old")) ids.push(id);
            scans.push(ids.length, new Set(ids).size);
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        })();
        for (; busy; n++) await docs.upsert({ id: n, vector: [0, n, 0, 0], data: { n } });
        await scanning;
        return { n, scans: [...new Set(scans)] };
      })())`);
      // Each leader that dies has made a change before.
      const changedAfter = (n: number) =>
        last.run<number>(`(async () => {
          while (n <= ${n}) await new Promise((resolve) => setTimeout(resolve, 5));
          return n;
        })()`);
      for (let death = 0, n = 0; death < DEATHS; death++) {
        n = await changedAfter(n);
        await new Promise((resolve) => setTimeout(resolve, 100 + ((death * 37) % 100)));
        const leader = tabs.shift()!;
        if (death % 2) await leader.page.close();
        else await crash(leader);
      }
      const { n, scans } = await last.run<{ n: number; scans: number[] }>("(globalThis.busy = false, done)");
      expect(n).toBeGreaterThan(DEATHS);
      expect(scans).toEqual([1000]);
      expect(await last.run("docs.count()")).toBe(1000 + n);
      expect(
        await last.run(
          `Promise.all(Array.from({ length: ${n} }, (_, i) => docs.get(i))).then((all) => all.every(({ data }, i) => data.n === i))`,
        ),
      ).toBe(true);
      expect(last.errors).toEqual([]);
      await close();
    });
  });
});
