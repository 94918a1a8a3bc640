// The contract of storages in Chromium: on a page, in a worker, and where a page may have no worker.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launched } from "../support/browser.js";
import { describeWith } from "../support/packed.js";
import { CASES } from "./contract.js";
import { storageSite, type Tab } from "./site.js";

/** What runs a case there, and how many workers that takes. */
const WAYS: Record<string, { run: (name: string) => string; workers: "none" | "one" | "some" }> = {
  "OPFS on a page": { run: (name) => `runCase("opfs", ${name})`, workers: "some" },
  "OPFS in a worker": { run: (name) => `runInWorker("opfs", ${name})`, workers: "one" },
  "OPFS where no worker may be made": { run: (name) => `withoutWorkers(() => runCase("opfs", ${name}))`, workers: "none" },
  "IndexedDB on a page": { run: (name) => `runCase("indexedDb", ${name})`, workers: "none" },
  "IndexedDB in a worker": { run: (name) => `runInWorker("indexedDb", ${name})`, workers: "one" },
  memory: { run: (name) => `runCase("memory", ${name})`, workers: "none" },
};

describeWith(["tools", "chromium"], "storages of pages", () => {
  const browser = launched();
  const site = storageSite();

  describe.each(Object.entries(WAYS))("%s", (_, { run, workers }) => {
    let tab: Tab;
    beforeAll(async () => {
      tab = await site.open(browser());
    });
    afterAll(() => tab?.page.close());

    it.each(CASES)("$name", async ({ name }) => {
      const [wrong, made] = await tab.run<[string | null, number]>(`countingWorkers(() => ${run(JSON.stringify(name))})`);
      expect(wrong).toBeNull();
      expect(tab.errors).toEqual([]);
      expect(workers === "some" ? made > 0 : made === (workers === "one" ? 1 : 0)).toBe(true);
    });
  });
});
