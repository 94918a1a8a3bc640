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
  fill(selector: string, value: string): Promise<void>;
  evaluate(expression: string): Promise<unknown>;
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

const MIME: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

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
