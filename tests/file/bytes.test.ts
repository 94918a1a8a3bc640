// Seeded builds give the same bytes as ever: an index per family x codec, after additions and removals, by the XXH64 of its file. A
// hash that changes is a changed behaviour: where that is meant, `VICINAL_REWRITE=1` writes golden/bytes.json anew.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { init } from "vicinal";
import { afterAll, beforeAll, expect, it } from "vitest";
import { create, EVERY_CASE } from "../support/cases.js";
import { filled, random } from "../support/data.js";
import { xxh64 } from "../support/vic.js";

const DIMENSIONS = 24;
const FILE = fileURLToPath(new URL("golden/bytes.json", import.meta.url));
const REWRITE = process.env.VICINAL_REWRITE !== undefined;
const golden: Record<string, string> = REWRITE ? {} : JSON.parse(readFileSync(FILE, "utf8"));

/** Sums of uniform values, near to normal and the same on every machine. */
function rows(n: number, seed: number): Float32Array[] {
  const next = random(seed);
  return filled(n, DIMENSIONS, () => next() + next() + next() - 1.5);
}

beforeAll(() => init({ variant: "simd" }));

it.each(EVERY_CASE.map((of) => [of.name, of] as const))("%s", async (name, of) => {
  const index = await create(of.kind, { dimensions: DIMENSIONS, seed: 7, ...of.options });
  const bits = of.metric === "hamming";
  const taken = (some: Float32Array[]) => (bits ? some.map((row) => row.map((x) => (x > 0 ? 1 : 0))) : some);
  if (of.learns) await index.train(taken(rows(300, 1)));
  // As many as graphs with codes of neighbours build at once.
  index.add(taken(rows(600, 2)));
  index.remove(Array.from({ length: 150 }, (_, i) => 4 * i));
  index.add(taken(rows(50, 3)));
  index.add(
    taken(rows(50, 4)),
    Array.from({ length: 50 }, (_, i) => 5000 + 7 * i),
  );
  const hash = xxh64(index.toBytes()).toString(16);
  index.close();
  if (REWRITE) golden[name] = hash;
  else expect(hash).toBe(golden[name]);
});

afterAll(() => {
  if (REWRITE) writeFileSync(FILE, `${JSON.stringify(golden, null, 1)}\n`);
});
