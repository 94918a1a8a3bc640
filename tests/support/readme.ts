// README.md as its reader runs it: its snippets, each with how it is tried, and its commands.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./packed.js";

/** As the comment before a snippet says it: `<!-- node: app.js, given index, query -->`. */
export interface Snippet {
  readonly how: string;
  readonly file: string;
  /** With the names that it takes for granted imported. */
  readonly source: string;
}

export const README = readFileSync(join(ROOT, "README.md"), "utf8");

const FENCE = /(?:<!-- ([^\n]*) -->\n)?```(\w+)\n([\s\S]*?)```/g;
/** All that stands between fences. */
export const FENCES = [...README.matchAll(FENCE)].map(([, mark, language, source]) => ({ mark, language, source }));

/** Every snippet of a language that runs must be marked. */
export const SNIPPETS: readonly Snippet[] = FENCES.filter(({ language }) => language !== "sh" && language !== "text").map(
  ({ mark, language, source }) => {
    const [, how, file, given] = mark?.match(/^(\w+): ([\w.-]+)(?:, given (.*))?$/) ?? [];
    if (!how) throw new Error(`README.md has a ${language} snippet that no test runs: ${source.split("\n")[0]}`);
    return { how, file, source: given ? `import { ${given} } from "./given.js";\n${source}` : source };
  },
);

export function snippet(file: string): Snippet {
  const found = SNIPPETS.find((one) => one.file === file);
  if (!found) throw new Error(`README.md has no snippet ${file}`);
  return found;
}

/** Tables of "Coming from elsewhere": `<!-- from: usearch.mjs -->`; what ends with a semicolon in their right columns is a program. */
export const TABLES: readonly { readonly file: string; readonly source: string }[] = [
  ...README.matchAll(/<!-- from: ([\w.-]+) -->\n([\s\S]*?)<!-- end -->/g),
].map(([, file, rows]) => {
  const cells = rows.split("\n").map((row) => row.split(" | ")[1] ?? "");
  const statements = cells.flatMap((cell) => [...cell.matchAll(/`([^`]*;)`/g)].map(([, statement]) => statement));
  return {
    file,
    source: `import { queries, query, vectors } from "./given.js";\nimport { embed } from "./embed.js";\n${statements.join("\n")}\n`,
  };
});

/** A text that begins with this line. */
export function textOf(first: string): string {
  const found = FENCES.find(({ language, source }) => language === "text" && source.startsWith(`${first}\n`));
  if (!found) throw new Error(`README.md has no text that begins with ${first}`);
  return found.source;
}

/** Lines to type, without what is said about them. */
export const COMMANDS: readonly string[] = FENCES.filter(({ language }) => language === "sh")
  .flatMap(({ source }) => source.split("\n"))
  .map((line) => line.replace(/ +# .*/, "").trim())
  .filter((line) => line && !line.startsWith("#"));
