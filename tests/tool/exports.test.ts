// Entries are doors only: re-exports, and a constant that says which build it is. And what a file exports somebody else imports.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Sources below a folder, by their path from the root, without comments. */
function sources(folder: string): Map<string, string> {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  const files = names.filter((name) => /\.m?[tj]s$/.test(name) && !/\.d\.m?ts$|node_modules\//.test(name));
  return new Map(
    files.map((name) => {
      const text = readFileSync(join(ROOT, folder, name), "utf8");
      return [`${folder}/${name}`, text.replaceAll(/^\s*\/\/.*$|\/\*[\s\S]*?\*\//gm, "")];
    }),
  );
}

const FILES = new Map(["src", "assembly", "tests", "bench"].flatMap((folder) => [...sources(folder)]));

/** The file that an import names: with the extension it will have, or with none. */
function fileOf(from: string, path: string): string | undefined {
  const at = normalize(join(dirname(from), path)).replaceAll("\\", "/");
  return [at, at.replace(/\.js$/, ".ts"), `${at}.ts`].find((file) => FILES.has(file));
}

describe("entries are nothing but doors", () => {
  /** saveFile and openFile, which no page wants. */
  const WITH_WORK = ["src/node.ts"];
  const entries = [...FILES.keys()].filter((file) => /^(src|assembly\/exports)\/[^/]+\.ts$/.test(file));

  it.each(entries.filter((file) => !WITH_WORK.includes(file)))("%s", (file) => {
    const rest = FILES.get(file)!.replaceAll(/^(import|export)\s[^;]*\sfrom\s"[^"]+";$|^export const BUILD\b[^;]*;$/gm, "");
    expect(rest.trim()).toBe("");
  });
});

describe("what is exported is imported", () => {
  /** Tables of numbers, all of which have a name; what stands in for another file; what a build bundles; and the entries, for whoever imports the package. */
  const FOR_ALL = [
    "assembly/base/codes.ts",
    "assembly/memory/state.ts",
    "src/border/builds-static.ts",
    "src/border/builds-asked.ts",
    "src/pool/guarded.ts",
    "src/pool/probes.ts",
    "src/node.ts",
    "src/pages/demo/passages.ts",
  ];

  /** Names that others import, by file; "*" where a file is taken as a whole. */
  const taken = new Map<string, Set<string>>();
  const take = (from: string, path: string, name: string): void => {
    const file = fileOf(from, path);
    if (file) taken.set(file, (taken.get(file) ?? new Set()).add(name));
  };
  for (const [file, text] of FILES) {
    for (const [, names, path] of text.matchAll(/\b(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s*from\s*"(\.[^"]+)"/g)) {
      for (const name of names.split(","))
        take(
          file,
          path,
          name
            .trim()
            .replace(/^type /, "")
            .split(" as ")[0],
        );
    }
    for (const [, path] of text.matchAll(/(?:\*(?: as \w+)? from\s*|\bimport\(\s*)"(\.[^"]+)"/g)) take(file, path, "*");
  }

  it.each(["src", "assembly"])("%s", (root) => {
    let exported = 0;
    const dead: string[] = [];
    for (const [file, text] of FILES) {
      if (!file.startsWith(`${root}/`) || FOR_ALL.includes(file) || taken.get(file)?.has("*")) continue;
      // Types may be exported because what is exported names them.
      for (const [, name] of text.matchAll(/^export (?:abstract |async )?(?:function\*?|class|const|let|enum) (\w+)/gm)) {
        exported++;
        if (!taken.get(file)?.has(name)) dead.push(`${file} ${name}`);
      }
    }
    expect(exported).toBeGreaterThan(100);
    expect(dead).toEqual([]);
  });
});
