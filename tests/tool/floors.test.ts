// The floors of the house: a folder imports only from folders below it, and no file is in a circle of imports.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** From the ground up; folders on one floor do not import each other. A folder within one of these belongs to it. */
const FLOORS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  assembly: [
    ["base"],
    ["memory"],
    ["table"],
    ["kernel"],
    ["codec"],
    ["search"],
    ["family/flat"],
    ["family/graph", "family/ivf", "family/tree", "family/lsh"],
    ["learn"],
    ["index"],
    ["exports"],
  ],
  src: [
    ["words"],
    ["input", "storage"],
    ["border"],
    ["file", "search"],
    ["base"],
    ["family"],
    ["make"],
    ["collection", "pool"],
    ["range", "nats", "guide", "interop", "hybrid"],
    ["adapters"],
    ["."],
    ["cli"],
    ["pages"],
  ],
};

/** What a family takes from codec/: everything else about a codec is behind its scorer. */
const FAMILIES_MAY_TAKE = ["codec/scorer.ts", "codec/touch.ts"];

interface Import {
  readonly from: string;
  readonly to: string;
}

/** Types too: whoever reads one file has to know the other. */
function importsOf(root: string): Import[] {
  const files = readdirSync(join(ROOT, root), { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => /(?<!\.d)\.(ts|mjs)$/.test(file) && !file.startsWith("build/"));
  return files.flatMap((from) => {
    const text = readFileSync(join(ROOT, root, from), "utf8");
    const paths = [...text.matchAll(/(?:\bfrom\s|\bimport\(\s*|^import\s)\s*"(\.[^"]+)"/gm)].map(([, path]) => path);
    return paths.map((path) => {
      const to = normalize(join(dirname(from), path))
        .replaceAll("\\", "/")
        .replace(/\.js$|(?<!\.\w+)$/, ".ts");
      if (!files.includes(to)) throw new Error(`${from} imports ${path}, which is not there`);
      return { from, to };
    });
  });
}

/** A file's folder among the floors, the most exact one, and its number. */
function placeOf(file: string, floors: readonly (readonly string[])[]): { folder: string; floor: number } {
  const folders = floors.flatMap((folders, floor) => folders.map((folder) => ({ folder, floor })));
  const inside = folders.filter(({ folder }) => (folder === "." ? !file.includes("/") : file.startsWith(`${folder}/`)));
  if (inside.length !== 1) throw new Error(`${file} stands on ${inside.length} floors`);
  return inside[0];
}

/** The files of a circle, if there is one. */
function circle(imports: readonly Import[]): string[] {
  const next = new Map(imports.map(({ from }) => [from, imports.filter((one) => one.from === from)]));
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const { to } of next.get(file) ?? []) {
      const found = visit(to, [...path, file]);
      if (found.length) return found;
    }
    done.add(file);
    return [];
  };
  for (const file of next.keys()) {
    const found = visit(file, []);
    if (found.length) return found;
  }
  return [];
}

describe.each(Object.entries(FLOORS))("%s", (root, floors) => {
  const imports = importsOf(root);

  it("imports downwards only", () => {
    expect(imports.length).toBeGreaterThan(100);
    const upward = imports.filter(({ from, to }) => {
      const [a, b] = [placeOf(from, floors), placeOf(to, floors)];
      return a.folder !== b.folder && b.floor >= a.floor;
    });
    expect(upward.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it("has no circles", () => expect(circle(imports)).toEqual([]));
});

it("families take from codec/ nothing but scorer and touch", () => {
  const taken = importsOf("assembly").filter(({ from, to }) => from.startsWith("family/") && to.startsWith("codec/"));
  expect(taken.filter(({ to }) => !FAMILIES_MAY_TAKE.includes(to)).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});
