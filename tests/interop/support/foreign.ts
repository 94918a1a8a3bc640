// Index files that other libraries have written, where there are some: they are no part of the repository.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";
import { haveData } from "../../support/data-sets.js";
import { THOROUGH } from "../../support/thorough.js";

const FOLDER = join(
  process.env.VICINAL_DATA ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url)),
  "index-files",
);

export const pathOf = (name: string): string => join(FOLDER, name);
export const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(pathOf(name)));
export const goldenOf = <T>(name: string): T => JSON.parse(readFileSync(pathOf(`${name}.golden.json`), "utf8")) as T;

/** Tests over these files, which CI has. */
export function describeForeign(name: string, tests: () => void): void {
  const there = haveData("index-files");
  if (!there && THOROUGH) throw new Error("no index-files where VICINAL_DATA says");
  (there ? describe : describe.skip)(`${name} (index-files${there ? "" : ": set VICINAL_DATA to have them"})`, tests);
}
