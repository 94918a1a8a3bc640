// Storages of pages through what happens to pages: tabs that are closed and browsers that are killed at any instant, full quotas, data that are
// cleared.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Browser, type Context, launched, type Page } from "../support/browser.js";
import { CHROMIUM, describeWith, requireTool } from "../support/packed.js";
import { thorough } from "../support/thorough.js";
import { crash, storageSite } from "./site.js";

const KINDS = ["opfs", "indexedDb"] as const;
const PLACES = { opfs: "OPFS folder docs", indexedDb: "IndexedDB store docs" };

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Chromium with a profile on disk, ended by SIGKILL alone. */
async function spawned(profile: string, tries = 3): Promise<{ context: Context; kill(): Promise<void> }> {
  const args = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--remote-debugging-port=0",
    `--user-data-dir=${profile}`,
  ];
  const child: ChildProcess = spawn(CHROMIUM, args, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
  const url = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stderr!.on("data", (chunk) => {
      const found = /DevTools listening on (ws:\S+)/.exec((text += chunk));
      if (found) resolve(found[1]);
    });
    child.once("exit", () => reject(new Error(`Chromium did not start: ${text}`)));
  });
  const end = async (): Promise<void> => {
    const ended = once(child, "exit");
    process.kill(-child.pid!, "SIGKILL");
    await ended;
  };
  try {
    const browser: Browser & { contexts(): Context[] } = await requireTool("playwright-core").chromium.connectOverCDP(url);
    return { context: browser.contexts()[0], kill: () => end().then(() => browser.close()) };
  } catch (error) {
    await end();
    // On a busy machine it may not answer in the 30 s that it has.
    if (tries > 1) return spawned(profile, tries - 1);
    throw error;
  }
}

/**
 * Whether a store is there at all. Chromium (156.0.8078.108) drops a site's IndexedDB as a whole, or cannot open it, after some of the kills: its log then
 * says "Creating DB since it was missing". Of a store that it has kept everything is asked.
 */
async function hasFiles(
  { run }: Awaited<ReturnType<Awaited<ReturnType<typeof storageSite>>["open"]>>,
  kind: string,
): Promise<boolean> {
  if (kind !== "indexedDb") return true;
  for (let tries = 0; ; tries++) {
    try {
      return (await run<string[]>(`make.indexedDb("docs").list()`)).length > 0;
    } catch (error) {
      if (tries === 3 || !String(error).includes("backing store")) throw error;
      await sleep(500);
    }
  }
}

/** The last number that a page has logged, kept as it comes. */
function lastLogged(page: Page, from: number): () => number {
  let last = from;
  page.on("console", (message) => {
    if (message.type() === "log") last = Number(message.text());
  });
  return () => last;
}

/** Waits until something is so. */
async function until(so: () => boolean): Promise<void> {
  for (let waited = 0; !so(); waited += 5) {
    if (waited > 30_000) throw new Error("it has not come to that in 30 s");
    await sleep(5);
  }
}

describeWith(["tools", "chromium"], "what happens to pages", () => {
  const browser = launched();
  const site = storageSite();

  describe.each(KINDS)("%s", (kind) => {
    it("a tab closed at any instant leaves whole files, all that has resolved, and its lock to the next", async () => {
      const context = await browser().newContext();
      let n = -1;
      for (let closed = 0; closed < 8; closed++) {
        const writer = await site.open(context);
        const logged = lastLogged(writer.page, n);
        const started = n;
        writer.run(`void writeForever("${kind}", ${n + 1})`).catch(() => {});
        await until(() => logged() > started);
        await sleep((closed * 17) % 60);
        const resolved = logged();
        // Without a word to the page.
        await writer.page.close();
        const checker = await site.open(context);
        const { wrong, swapped, last } = await checker.run<Record<"wrong" | "swapped" | "last", never>>(
          `checkWritten("${kind}", ${n + 1})`,
        );
        expect({ wrong, errors: checker.errors }).toEqual({ wrong: [], errors: [] });
        expect(swapped).toBeGreaterThanOrEqual(resolved);
        expect(last).toBeGreaterThanOrEqual(resolved);
        // They are written side by side.
        expect(Math.abs(swapped - last)).toBeLessThanOrEqual(1);
        n = last;
        await checker.page.close();
      }
      await context.close();
    }, 900_000);

    it("a browser killed at any instant, too", async () => {
      const profile = mkdtempSync(join(tmpdir(), "vicinal-profile-"));
      try {
        let n = -1;
        let begun = 0;
        for (let kills = 0; kills < thorough(3, 6); kills++) {
          const first = await spawned(profile);
          const writer = await site.open(first.context);
          if (kills > 0 && (await hasFiles(writer, kind))) {
            const { wrong, swapped, last } = await writer.run<Record<"wrong" | "swapped" | "last", never>>(
              `checkWritten("${kind}", ${n + 1})`,
            );
            expect(wrong).toEqual([]);
            expect([swapped >= n, last >= n], `${swapped} swapped, ${last} appended, ${n} told`).toEqual([true, true]);
            n = last;
          } else {
            n = -1;
            begun++;
          }
          const logged = lastLogged(writer.page, n);
          writer.run(`void writeForever("${kind}", ${n + 1})`).catch(() => {});
          const started = n;
          await until(() => logged() > started + 2);
          await sleep((kills * 17) % 60);
          n = logged();
          await first.kill();
        }
        expect(begun).toBeLessThanOrEqual(kind === "opfs" ? 1 : thorough(3, 4));
      } finally {
        rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
      }
    }, 900_000);

    it("another tab hears who writes since when, reads meanwhile, and has the lock after a crash", async () => {
      const context = await browser().newContext();
      const [one, two] = [await site.open(context), await site.open(context)];
      await one.run(`lockSoon("${kind}").then(async (storage) => {
        await storage.append("a", pattern(1000));
        await storage.sync("a");
        await storage.swap("b", pattern(500));
      })`);
      await two.run(`void (globalThis.storage = make.${kind}("docs"))`);
      const since = String.raw`since \d{4}-\d\d-\d\dT[\d:.]+Z`;
      const said = await two.run<string[]>(
        `attempt(storage, ["lock"], ["append", "a", pattern(1)], ["list"], ["read", "a"], ["read", "b"])`,
      );
      expect(said[0]).toMatch(
        new RegExp(`^LOCKED: ${PLACES[kind]} is being written by another tab or worker of this site, ${since}; one writes`),
      );
      expect(said[1]).toMatch(/^LOCKED: a in .* lock\(\) was not called$/);
      expect(said.slice(2)).toEqual(['[{"name":"a","bytes":1000},{"name":"b","bytes":500}]', "1000 bytes", "500 bytes"]);
      await crash(one);
      await two.run(`lockSoon("${kind}").then(async (storage) => {
        await storage.append("a", pattern(1));
        await storage.close();
      })`);
      expect(await two.run(`attempt(storage, ["list"])`)).toEqual(['[{"name":"a","bytes":1001},{"name":"b","bytes":500}]']);
      await context.close();
    });

    it("a full quota leaves what was there, says which file, and goes on when there is room", async () => {
      const context = await browser().newContext();
      const tab = await site.open(context);
      const cdp = await context.newCDPSession(tab.page);
      await cdp.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize: 3_000_000 });
      await tab.run(`lockSoon("${kind}").then((storage) => void (globalThis.storage = storage))`);
      const filled = await tab.run<string[]>(`attempt(storage, ["swap", "m", pattern(1000)],
        ...Array.from({ length: 8 }, () => ["append", "a", pattern(500_000)]), ["sync", "a"], ["swap", "m", pattern(3_000_000)])`);
      const taken = filled.slice(1, 9).filter((said) => said === "done").length;
      const full = (name: string): RegExp =>
        new RegExp(
          `^NO_SPACE: ${name} in ${PLACES[kind]} could not be written: the disk or the browser's quota is full \\(.*\\); remove something`,
        );
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(8);
      for (const said of filled.slice(1 + taken, 9)) expect(said).toMatch(full("a"));
      // A transaction that only confirms takes room too, where the browser has counted by then what there is.
      expect(filled[9]).toMatch(kind === "indexedDb" ? new RegExp(`^done$|${full("a").source}`) : /^done$/);
      expect(filled[10]).toMatch(full("m"));
      const after = await tab.run(`attempt(storage, ["list"], ["read", "m"], ["remove", "a"], ["swap", "m", pattern(10_000)],
        ["append", "a", pattern(1000)], ["sync", "a"], ["list"])`);
      expect(after).toEqual([
        `[{"name":"a","bytes":${taken * 500_000}},{"name":"m","bytes":1000}]`,
        ...["1000 bytes", "done", "done", "done", "done"],
        '[{"name":"a","bytes":1000},{"name":"m","bytes":10000}]',
      ]);
      await context.close();
    });

    it("data cleared while it is open: every sync says so, and the place opens anew", async () => {
      const context = await browser().newContext();
      const tab = await site.open(context);
      await tab.run(`lockSoon("${kind}").then(async (storage) => {
        globalThis.storage = storage;
        await storage.append("a", pattern(1000));
        await storage.swap("m", pattern(1000));
        await storage.sync("a");
      })`);
      const cdp = await context.newCDPSession(tab.page);
      await cdp.send("Storage.clearDataForOrigin", { origin: site.origin, storageTypes: "all" });
      await sleep(100);
      const lost = await tab.run<string[]>(
        `attempt(storage, ["append", "a", pattern(10)], ["sync", "a"], ["swap", "m", pattern(10)], ["append", "new", pattern(10)], ["list"])`,
      );
      for (const said of lost.slice(1))
        expect(said).toMatch(new RegExp(`^STORAGE_LOST: .*${PLACES[kind]} could not be (written|read): .* open it again`));
      const again = await tab.run(
        `attempt(storage, ["close"], ["list"], ["lock"], ["append", "a", pattern(10)], ["sync", "a"], ["swap", "m", pattern(20)], ["list"])`,
      );
      const files = '[{"name":"a","bytes":10},{"name":"m","bytes":20}]';
      expect(again).toEqual(["done", "[]", "done", "done", "done", "done", files]);
      await context.close();
    });
  });

  it("OPFS: of a swap that was cut short anywhere the old file is left", async () => {
    const tab = await site.open(browser());
    const wrong = await tab.run(`(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("docs", { create: true });
      const storage = make.opfs("docs");
      const write = async (name, bytes) => {
        const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
        await stream.write(bytes);
        await stream.close();
      };
      const bytesOf = async (name) => new Uint8Array(await (await (await folder.getFileHandle(name)).getFile()).arrayBuffer());
      await storage.lock();
      await storage.swap("a", pattern(100, 1));
      const first = await bytesOf("a~0");
      await storage.swap("a", pattern(50, 2));
      const second = await bytesOf("a~1");
      await storage.close();
      const wrong = [];
      const check = async (what, seed) => {
        const [{ bytes } = {}] = await storage.list();
        const read = await storage.read("a").catch(({ code }) => code);
        const wanted = seed && pattern(seed === 1 ? 100 : 50, seed);
        if (seed ? bytes !== wanted.length || String(read) !== String(wanted) : bytes !== undefined || read !== "MISSING") wrong.push(what);
      };
      // The first is whole, of the second ever more is there.
      await write("a~0", first);
      for (let cut = 0; cut < second.length; cut++) {
        await write("a~1", second.subarray(0, cut));
        await check("cut to " + cut, 1);
      }
      for (let at = second.length - 32; at < second.length - 4; at++) {
        await write("a~1", second.map((byte, i) => (i === at ? byte ^ 1 : byte)));
        await check("flipped at " + at, 1);
      }
      await write("a~1", second);
      await check("both whole", 2);
      // The first swap ever, cut short.
      await folder.removeEntry("a~1");
      await write("a~0", first.subarray(0, 120));
      await check("none whole", 0);
      // It can be written again, and goes on from there.
      await storage.lock();
      await storage.swap("a", pattern(50, 2));
      await check("anew", 2);
      await storage.close();
      return wrong;
    })()`);
    expect(wrong).toEqual([]);
    await tab.page.close();
  });

  it("an IndexedDB database that another script deletes is not in its way", async () => {
    const context = await browser().newContext();
    const [one, two] = [await site.open(context), await site.open(context)];
    await one.run(`lockSoon("indexedDb").then(async (storage) => {
      globalThis.storage = storage;
      await storage.append("a", pattern(1000));
    })`);
    const deleted = await two.run(`new Promise((resolve) => {
      const request = indexedDB.deleteDatabase("vicinal:docs");
      request.onsuccess = () => resolve("deleted");
      request.onblocked = () => resolve("blocked");
    })`);
    expect(deleted).toBe("deleted");
    const [said] = await one.run<string[]>(`attempt(storage, ["append", "a", pattern(10)])`);
    expect(said).toMatch(
      /^STORAGE_LOST: a in IndexedDB store docs could not be written: it is being deleted by another tab or script; close/,
    );
    await context.close();
  });

  it("names of stores are checked", async () => {
    const tab = await site.open(browser());
    for (const kind of KINDS) {
      for (const name of ['""', '"a/b"', '".."', "7", "undefined", '"ä"', '"a".repeat(81)']) {
        const said = await tab.run(
          `(() => { try { make.${kind}(${name}); } catch ({ code, message }) { return code + message; } })()`,
        );
        expect(said).toMatch(/^BAD_OPTION.* is no name of a store/);
      }
    }
    await tab.page.close();
  });

  it("a page that may store nothing is told so", async () => {
    const tab = await site.open(browser());
    const said = await tab.run<string[]>(`new Promise((resolve) => {
      addEventListener("message", ({ data }) => resolve(data));
      const frame = document.createElement("iframe");
      frame.sandbox = "allow-scripts";
      frame.src = "frame.html";
      document.body.append(frame);
    })`);
    const sentences = KINDS.flatMap((kind) => {
      const could = new RegExp(
        `^NO_STORAGE: ${PLACES[kind]} (could not|cannot) be (read|opened|locked|made): .*(may not store|there are no|there is no)`,
      );
      return [expect.stringMatching(could), expect.stringMatching(could)];
    });
    expect(said).toEqual(sentences);
    await tab.page.close();
  });
});
