// Several tabs on what one alone may have open, in Chromium: they ask the leader, and are answered though leaders die.
import { describe, expect, it } from "vitest";
import { launched } from "../support/browser.js";
import { describeWith } from "../support/packed.js";
import { thorough } from "../support/thorough.js";
import { crash, joined, storageSite } from "./site.js";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describeWith(["tools", "chromium"], "tabs", () => {
  const browser = launched();
  const site = storageSite();

  /** Tabs that have been answered. */
  const tabsOf = (n: number, kind = "opfs"): ReturnType<typeof joined> =>
    joined(browser(), site, n, `(globalThis.tabs = joinTabs("${kind}"), answers(tabs, { verb: "hello" }))`);

  it("one leads, the others ask it and hear its news", async () => {
    const { tabs, close } = await tabsOf(3);
    const [one, two, three] = tabs;
    expect(await Promise.all(tabs.map((tab) => tab.run(`answers(tabs, { verb: "hello" }).then(() => tabs.leads)`)))).toEqual([
      true,
      false,
      false,
    ]);
    await two.run(`answers(tabs, { verb: "add", text: "two" })`);
    await one.run(`answers(tabs, { verb: "add", text: "one" })`);
    expect(await three.run(`answers(tabs, { verb: "read" })`)).toEqual(["two\none\n"]);
    expect(await Promise.all(tabs.map((tab) => tab.run("tabs.heard")))).toEqual([[], ["two", "one"], ["two", "one"]]);
    await close();
  });

  it("errors come as they are, what is no data is refused, and what is not wanted any more is dropped", async () => {
    const { tabs, close } = await tabsOf(2);
    for (const tab of tabs) {
      const said = await tab.run<string[]>(`answers(tabs, { verb: "fail" }, { verb: "type" })`);
      expect(said).toEqual(["VicinalError MISSING: missing is not in OPFS folder docs", "TypeError undefined: no such thing"]);
    }
    expect(await tabs[1].run<string[]>(`answers(tabs, { verb: "function" }, { verb: () => {} })`)).toEqual([
      expect.stringMatching(/^DataCloneError [\s\S]*could not be cloned/),
      expect.stringMatching(/^VicinalError BAD_OPTION: what is asked of another tab must be plain data: .*could not be cloned/),
    ]);
    const dropped = await tabs[1].run(`(async () => {
      const abort = new AbortController();
      const asked = tabs.request({ verb: "wait", text: "60000" }, abort).catch((error) => error);
      await answers(tabs, { verb: "hello" });
      abort.abort("enough");
      const said = [await asked, await tabs.request({ verb: "hello" }, abort).catch((error) => error)];
      while (tabs.heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return [...said, ...tabs.heard];
    })()`);
    expect(dropped).toEqual(["enough", "enough", "dropped"]);
    await close();
  });

  it("a leader that leaves answers what it has begun, and the next leads", async () => {
    const { tabs, close } = await tabsOf(2);
    const [one, two] = tabs;
    const waiting = two.run(`answers(tabs, { verb: "wait", text: "300" }).then(([said]) => [said, tabs.leads])`);
    await sleep(100);
    const said = one.run(`(async () => {
      const asked = answers(tabs, { verb: "wait", text: "60000" });
      await tabs.leave();
      await tabs.leave();
      return [...(await asked), ...(await answers(tabs, { verb: "hello" }))];
    })()`);
    expect(await waiting).toEqual(["wait", false]);
    const closed = "VicinalError CLOSED: the log has been closed in this tab";
    expect(await said).toEqual([closed, closed]);
    expect(
      await two.run(`answers(tabs, { verb: "add", text: "mine" }, { verb: "read" }).then((said) => [...said, tabs.leads])`),
    ).toEqual(["add", "mine\n", true]);
    await close();
  });

  it("a leader that cannot open it says why, and another may", async () => {
    const context = await browser().newContext();
    const [one, two] = [await site.open(context), await site.open(context)];
    await one.run(`void (globalThis.tabs = joinTabs("opfs", true))`);
    const why = "VicinalError IO_ERROR: no log today";
    expect(await one.run(`answers(tabs, { verb: "hello" })`)).toEqual([why]);
    expect(await one.run(`answers(tabs, { verb: "hello" })`)).toEqual([why]);
    await two.run(`void (globalThis.tabs = joinTabs("opfs"))`);
    expect(await two.run(`answers(tabs, { verb: "add", text: "a" })`)).toEqual(["add"]);
    expect(await one.run(`answers(tabs, { verb: "read" })`)).toEqual(["a\n"]);
    // It is in the queue once more.
    await two.page.close();
    expect(await one.run(`answers(tabs, { verb: "hello" })`)).toEqual([why]);
    await context.close();
  });

  describe.each(["opfs", "indexedDb"])("%s", (kind) => {
    it("whichever leader is closed or crashes at any instant, all that was asked is done and answered, in each tab's order", async () => {
      // The lock goes to them in the order in which they came.
      const DEATHS = thorough(3, 8);
      const { tabs, close } = await tabsOf(DEATHS + 1, kind);
      const last = tabs[DEATHS];
      const EACH = thorough(60, 400);
      const texts = (who: number): string[] => Array.from({ length: EACH }, (_, i) => `${who}-${i}`);
      const add = (who: number): string => `(async () => {
        const said = [];
        for (const text of ${JSON.stringify(texts(who))}) {
          said.push(...(await answers(tabs, { verb: "add", text })));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        return said;
      })()`;
      // The last tab asks all the while, and never leads before the others are gone; those before it lead and die.
      const asked = last.run<string[]>(add(0));
      const leaders = tabs.slice(0, DEATHS);
      for (let death = 0; death < DEATHS; death++) {
        const leader = leaders.shift()!;
        await sleep(50 + ((death * 37) % 100));
        if (death % 2) await leader.page.close();
        else await crash(leader);
      }
      expect(await asked).toEqual(Array(EACH).fill("add"));
      const [log] = await last.run<string[]>(`answers(tabs, { verb: "read" })`);
      const lines = log.trimEnd().split("\n");
      const firsts = [...new Set(lines)];
      expect(firsts).toEqual(texts(0));
      // Once again is what a leader had done and could not answer any more.
      expect(lines.length - firsts.length).toBeLessThanOrEqual(DEATHS);
      expect(last.errors).toEqual([]);
      await close();
    });
  });
});
