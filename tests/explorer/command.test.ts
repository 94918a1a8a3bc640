// vicinal explore: serves the page and a file to this machine.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorsOf, launched } from "../support/browser.js";
import { CLI, commandLine } from "../support/command-line.js";
import { describeWith } from "../support/packed.js";
import { THOROUGH, thorough } from "../support/thorough.js";

const folder = mkdtempSync(join(tmpdir(), "vicinal-explore-"));
const NAME = "my 5% vectors.csv.gz";
const TEXT = Array.from({ length: 1300 }, (_, i) => [0, 1, 2, 3].map((j) => Math.sin(i * (j + 1.5)).toFixed(4)).join(",")).join(
  "\n",
);

let served: ChildProcess;
let url: string;
beforeAll(async () => {
  writeFileSync(join(folder, NAME), gzipSync(TEXT));
  served = spawn(process.execPath, [CLI, "explore", NAME, "--port", "0"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(served.stdout as NonNullable<typeof served.stdout>, "data");
  url = String(line).split(" ")[0] as string;
});
afterAll(() => {
  served?.kill();
  rmSync(folder, { recursive: true });
});

describe("vicinal explore", () => {
  it("serves the page and the file, isolated, and nothing else", async () => {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#given\/my%205%25%20vectors\.csv\.gz$/);
    const { origin, hash } = new URL(url);
    const page = await fetch(origin);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    expect(await page.text()).toContain("<title>vicinal explorer");
    const file = await (await fetch(`${origin}/${hash.slice(1)}`)).arrayBuffer();
    expect(gunzipSync(file).toString()).toBe(TEXT);
    for (const path of ["given/other.csv", "..%2fcli.js", "given/"]) expect((await fetch(`${origin}/${path}`)).status).toBe(404);
  });

  it("says what is wrong", () => {
    const { fails } = commandLine(folder);
    fails(1, "nowhere.npy: no such file or folder", "explore", "nowhere.npy");
    for (const [sentence, ...args] of thorough(
      [],
      [
        [`${folder}: is no file`, folder],
        ["--port is 70000; it must be 0 to 65535", "--port", "70000"],
        [`port ${new URL(url).port} is taken: --port 0 takes another`, "--port", new URL(url).port],
      ],
    )) {
      fails(1, sentence, "explore", ...args);
    }
  });
});

if (THOROUGH) {
  describeWith(["tools", "chromium"], "vicinal explore in Chromium", () => {
    const browser = launched();
    it("begins with the file", async () => {
      const page = await browser().newPage();
      const errors = errorsOf(page);
      await page.goto(url);
      for (let status = ""; !/^Measured 9 indices of 1,100 vectors/.test(status); ) {
        status = (await page.evaluate(`document.querySelector("#status").innerText`)) as string;
      }
      expect(await page.evaluate(`document.querySelector("#source").selectedOptions[0].text`)).toBe(NAME);
      expect(errors).toEqual([]);
    });
  });
}
