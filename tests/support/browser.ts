// Chromium, and a folder served to it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { CHROMIUM, requireTool } from "./packed.js";

/** The part of playwright-core that is used here. */
export interface Browser {
  newPage(): Promise<Page>;
  newContext(): Promise<Context>;
  startTracing(page: Page, options: { categories: string[] }): Promise<void>;
  stopTracing(): Promise<Buffer>;
  close(): Promise<void>;
}
/** A profile of its own, with as many tabs as are opened in it. */
export interface Context {
  newPage(): Promise<Page>;
  newCDPSession(page: Page): Promise<{ send(method: string, parameters?: object): Promise<unknown> }>;
  close(): Promise<void>;
}
export interface Page {
  on(event: "pageerror", listener: (error: unknown) => void): void;
  on(event: "crash", listener: () => void): void;
  on(event: "console", listener: (message: { type(): string; text(): string }) => void): void;
  goto(url: string): Promise<unknown>;
  addInitScript(script: { content: string }): Promise<unknown>;
  fill(selector: string, value: string): Promise<void>;
  evaluate(expression: string): Promise<unknown>;
  readonly keyboard: { press(key: string): Promise<void> };
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  emulateMedia(how: { colorScheme: "light" | "dark" }): Promise<void>;
  close(): Promise<void>;
}

/** A browser for the tests of the suite that calls this. */
export function launched(...flags: string[]): () => Browser {
  let browser: Browser;
  beforeAll(async () => {
    const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync", ...flags];
    browser = await requireTool("playwright-core").chromium.launch({ executablePath: CHROMIUM, args });
  });
  afterAll(() => browser?.close());
  return () => browser;
}

const MIME: Record<string, string> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

export interface Site {
  origin: string;
  close(): void;
}

/** A folder on a port of this machine, also ranges of its files; `headers` go with all of it, and `served` hears of every file. */
export async function serve(
  folder: string,
  headers: Record<string, string> = {},
  served: (path: string, body: Buffer) => void = () => {},
): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    try {
      const body = readFileSync(join(folder, pathname));
      served(pathname, body);
      const type = MIME[extname(pathname)] ?? "application/octet-stream";
      const own = { "content-type": type, "cache-control": "no-store", ...headers };
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
      if (from === undefined) response.writeHead(200, own).end(body);
      else
        response
          .writeHead(206, { ...own, "content-range": `bytes ${from}-${to}/${body.length}` })
          .end(body.subarray(Number(from), Number(to) + 1));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** What goes wrong on a page from now on. */
export function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  return errors;
}

/** A browser that shares two cores with other tests embeds one passage a second. */
const PATIENCE_MS = 120_000;

/** Waits for an expression to come to something true on a page, and returns it. */
export async function until<T>(page: Page, expression: string): Promise<T> {
  for (const from = Date.now(); ; ) {
    const value = await page.evaluate(expression);
    if (value) return value as T;
    if (Date.now() - from > PATIENCE_MS) {
      throw new Error(`not true in time: ${expression}; the page says ${await page.evaluate("document.body.innerText")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Milliseconds that the longest task of a page's own thread, by a script that it loads, has kept the processor, while `action` goes on; garbage collection apart. */
export async function longestTask(browser: Browser, page: Page, script: string, action: () => Promise<void>): Promise<number> {
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline"] });
  await action();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  // Other processes of a browser have pages of their own.
  const own = traceEvents.find(({ name, args }) => name === "EvaluateScript" && args.data?.url?.endsWith(script));
  const tasks = traceEvents.filter(({ name, pid, tid }) => name.endsWith("::RunTask") && pid === own?.pid && tid === own.tid);
  expect(tasks.length).toBeGreaterThan(0);
  // Garbage is collected by other threads where there are cores for them, and by this one where others have taken those.
  const collected = traceEvents.filter(({ name, pid, tid }) => name === "MajorGC" && pid === own?.pid && tid === own.tid);
  const within = (task: TraceEvent): number =>
    collected.filter(({ ts }) => ts >= task.ts && ts < task.ts + (task.dur ?? 0)).reduce((sum, { tdur = 0 }) => sum + tdur, 0);
  return tasks.reduce((most, task) => Math.max(most, (task.tdur ?? 0) - within(task)), 0) / 1000;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly data?: { readonly url?: string } };
  /** Microseconds: when it began, how long it took, and how much of that the thread ran. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
}

/** What an expression comes to on a page; anything that goes wrong there fails. */
export async function evaluated(browser: Browser, url: string, expression: string): Promise<unknown> {
  const page = await browser.newPage();
  const errors = errorsOf(page);
  try {
    await page.goto(url);
    const answer = await page.evaluate(expression);
    expect(errors).toEqual([]);
    return answer;
  } finally {
    await page.close();
  }
}
