// The contract of storages, of those that run in Node.

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { indexedDb, memory, opfs, type Storage } from "vicinal/storage";
import { folder } from "vicinal/storage/node";
import { afterAll, describe, expect, it } from "vitest";
import { expectError, thrownBy } from "../support/errors.js";
import { ROOT } from "../support/packed.js";
import { CASES, runOn } from "./contract.js";

const root = mkdtempSync(join(tmpdir(), "vicinal-storage-"));
afterAll(() => rmSync(root, { recursive: true }));

it("errors are those of vicinal, for require() too", async () => {
  const require = createRequire(import.meta.url);
  const from = (name: string): Record<string, never> => require(join(ROOT, `dist/${name}.cjs`));
  for (const storage of [from("storage").memory, from("storage-node").folder] as ((path: string) => Storage)[]) {
    const error = await thrownBy(() => storage(join(root, "none")).read("a"));
    expect(error).toBeInstanceOf(from("index").VicinalError);
    expect(error).toMatchObject({ name: "VicinalError", code: "MISSING" });
  }
});

it("what takes a browser says so in Node", async () => {
  await expectError(() => opfs("docs").list(), "NO_STORAGE", "OPFS folder docs cannot be opened: there is no OPFS here");
  await expectError(
    () => indexedDb("docs").read("a"),
    "NO_STORAGE",
    "IndexedDB store docs cannot be opened: there is no IndexedDB here",
  );
});

describe("memory", () => {
  it.each(CASES)("$name", (one) => runOn(one, memory, false));
});

describe("folder", () => {
  it.each(CASES)("$name", async (one) => {
    const path = join(mkdtempSync(join(root, "case-")), "made/by/lock");
    await runOn(one, () => folder(path), true);
  });
});
