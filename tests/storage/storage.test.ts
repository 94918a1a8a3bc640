// The contract of storages, of those that run in Node.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory } from "vicinal/storage";
import { folder } from "vicinal/storage/node";
import { afterAll, describe, it } from "vitest";
import { CASES, type Ground } from "./contract.js";

const root = mkdtempSync(join(tmpdir(), "vicinal-storage-"));
afterAll(() => rmSync(root, { recursive: true }));

const GROUNDS: Record<string, () => Ground> = {
  memory() {
    const storage = memory();
    return { storage, later: async () => storage };
  },
  folder() {
    const path = join(mkdtempSync(join(root, "case-")), "made/by/lock");
    return { storage: folder(path), later: async () => folder(path), beside: () => folder(path) };
  },
};

describe.each(Object.keys(GROUNDS))("%s", (kind) => {
  it.each(CASES)("$name", async ({ run }) => {
    const ground = GROUNDS[kind]();
    await run(ground).finally(() => ground.storage.close());
  });
});
