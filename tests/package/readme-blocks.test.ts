// Every block of README.md between fences is tried by some test: this one lists them, and fails for one that is not.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandLine } from "../support/command-line.js";
import { ROOT } from "../support/packed.js";
import { COMMANDS, FENCES, SNIPPETS } from "../support/readme.js";
import { THOROUGH } from "../support/thorough.js";

const suites = readdirSync(join(ROOT, "tests"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith("readme.test.ts") && !name.includes("node_modules"))
  .map((name) => readFileSync(join(ROOT, "tests", name), "utf8"));
const someSuiteHas = (text: string): boolean => suites.some((suite) => suite.includes(text));

/** What is made of snippets by the word before them; those not named here are named in a test, each. */
const ALL_OF = { node: 'how === "node"', page: 'how === "page"' };

/** Texts, by how they begin, and what tries them. */
const TEXTS = {
  "vicinal cluster": commandsAreKnown,
  "# nats.conf": (text: string) => expect(someSuiteHas(`textOf("${text.split("\n")[0]}")`)).toBe(true),
  "# /etc/systemd": commandsAreKnown,
  "# compose.yaml": commandsAreKnown,
  "assembly/ ": foldersAreThere,
};

/** `vicinal serve --collection docs ...`: the commands and their flags are those that --help tells of. */
function commandsAreKnown(text: string): void {
  const commands = [...text.matchAll(/\bvicinal ((?:[a-z]+ )+)[^\n]*/g)];
  expect(commands.length).toBeGreaterThan(0);
  if (!THOROUGH) return;
  const { run } = commandLine(ROOT);
  for (const [line, words] of commands) {
    const [first, second] = words.split(" ");
    const { status, stdout } = run(...(first === "cluster" ? [first, second] : [first]), "--help");
    expect([line, status]).toEqual([line, 0]);
    for (const [flag] of line.split(" #")[0].matchAll(/(?<= )--[a-z]+/g))
      expect([line, stdout]).toEqual([line, expect.stringContaining(flag)]);
  }
}

/** Two columns: what lies in assembly/, what lies in src/. */
function foldersAreThere(text: string): void {
  const [head, ...lines] = text.trimEnd().split("\n");
  const half = head.indexOf("src/");
  const foldersOf = (column: string): string[] =>
    [
      ...column
        .trim()
        .split(/ {2,}/)[0]
        .matchAll(/([a-z]+)\/(?= |$)/g),
    ].map(([, name]) => name);
  const named = {
    assembly: lines.flatMap((line) => foldersOf(line.slice(0, half))),
    src: lines.flatMap((line) => foldersOf(line.slice(half))),
  };
  for (const [root, names] of Object.entries(named)) {
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) expect([name, existsSync(join(ROOT, root, name))]).toEqual([name, true]);
  }
}

it("there are blocks of JavaScript, of commands and of text, and no others", () => {
  expect(new Set(FENCES.map(({ language }) => language))).toEqual(new Set(["js", "sh", "text"]));
});

it.each(SNIPPETS)("$how: $file", ({ how, file }) => {
  const all = ALL_OF[how as keyof typeof ALL_OF];
  expect(all ? someSuiteHas(all) : someSuiteHas(file)).toBe(true);
});

it.each(COMMANDS)("%s", (line) => {
  expect(line).toMatch(/^(npm|npx vicinal) /);
  for (const start of ["npm ", "npx vicinal"]) expect(someSuiteHas(`startsWith("${start}")`)).toBe(true);
});

describe("texts", () => {
  const texts = FENCES.filter(({ language }) => language === "text").map(({ source }) => source);
  it.each(texts.map((text) => [text.split("\n")[0], text]))("%s", (_, text) => {
    const tried = Object.entries(TEXTS).find(([begins]) => text.startsWith(begins));
    if (!tried) throw new Error("no test tries this text");
    tried[1](text);
  });
});
