// Chromium, driven by playwright-core of tests/package.
import { afterAll, beforeAll } from "vitest";
import { CHROMIUM, requireTool } from "./packed.js";

/** The part of playwright-core that is used here. */
export interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
interface Page {
  on(event: "pageerror", listener: (error: unknown) => void): void;
  on(event: "console", listener: (message: { type(): string; text(): string }) => void): void;
  goto(url: string): Promise<unknown>;
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
