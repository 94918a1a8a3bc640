// README's table of options is what src/words/knobs.ts says; `VICINAL_REWRITE=1` writes it anew.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { textOf } from "../../src/cli/knobs.js";
import { KINDS, type Kind } from "../../src/words/kinds.js";
import { KNOBS, type Knob } from "../../src/words/knobs.js";
import { NONE } from "../../src/words/state.js";
import { ROOT } from "../support/packed.js";

type Name = Parameters<typeof textOf>[0];

function valuesOf({ range, choices, usual }: Knob): string {
  if (choices) return choices.map((word) => `"${word}"`).join(", ");
  if (!range) return "true, false";
  const [least, most] = range;
  const numbers = most === NONE ? `${least} or more` : `${least} to ${most}`;
  return typeof usual === "string" ? `${numbers}, "${usual}"` : numbers;
}

function usualOf({ range, choices, usual }: Knob): string {
  if (usual === undefined) return range ? "" : "false";
  return choices || typeof usual === "string" ? `"${usual}"` : String(usual);
}

/** The command line's words, as code has them. */
const inCode = (text: string): string => text.replace("--nlist auto", 'nlist "auto"').replace('"all"', "Infinity");

function table(): string {
  const rows = Object.entries(KNOBS).flatMap(([kind, knobs]) =>
    Object.entries<Knob>(knobs).map(([name, knob]) => {
      const text = name === "threads" ? "threads that build a graph with fastScan or atOnce" : inCode(textOf(name as Name));
      return `| ${KINDS[kind as Kind].family} | \`${name}\` | ${valuesOf(knob)} | ${usualOf(knob)} | ${text} |`;
    }),
  );
  return ["| family | option | values | default | |", "|---|---|---|---|---|", ...rows].join("\n");
}

it("README lists every option of every family, with its values and default", () => {
  const file = join(ROOT, "README.md");
  const readme = readFileSync(file, "utf8");
  const [, before, said, after] = readme.match(/^([\s\S]*<!-- options -->\n)([\s\S]*?)\n(<!-- end -->[\s\S]*)$/) ?? [];
  if (process.env.VICINAL_REWRITE) writeFileSync(file, `${before}${table()}\n${after}`);
  else expect(said).toBe(table());
});
