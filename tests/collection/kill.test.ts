// kill -9 at any instant: what was said to be done is there, and nothing is there by half.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Collection } from "vicinal/collection";
import { folder } from "vicinal/storage/node";
import { expect, it } from "vitest";
import { often } from "../support/thorough.js";
import type { Model } from "./support/model.js";
import { operation, performOn } from "./support/operations.mjs";

const KILLS = often(5, 100);
const WRITER = fileURLToPath(new URL("support/writer.mjs", import.meta.url));
/** Longer than opening and some snapshots take. */
const MOST_MS = 400;

/**
 * Has a writer go on from an operation and kills it, so long after its start or after it has opened; tells which it has begun,
 * and which it said are done.
 */
async function killed(
  path: string,
  first: number,
  afterMs: number,
  opened: boolean,
): Promise<{ begun: number; done: Set<number> }> {
  const child = spawn(process.execPath, [WRITER, path, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  const kill = (): void => void setTimeout(() => child.kill("SIGKILL"), afterMs);
  if (!opened) kill();
  child.stdout.on("data", (chunk) => {
    if (opened && text === "") kill();
    text += chunk;
  });
  await new Promise((resolve) => child.on("close", resolve));
  expect(text).not.toMatch(/failed|background/);
  const numbers = (sign: string): number[] =>
    text.split("\n").flatMap((line) => (line.startsWith(sign) ? [Number(line.slice(1))] : []));
  return { begun: Math.max(first - 1, ...numbers("+")), done: new Set(numbers("-")) };
}

async function contentOf(collection: Collection): Promise<Model> {
  const content: Model = new Map();
  for await (const { id, data, vector } of collection.scan({ vectors: true })) {
    content.set(id, { vector: Array.from(vector as Float32Array), data });
  }
  return content;
}

const textOf = (model: Model): string =>
  JSON.stringify(
    [...model].map(([id, { vector, data }]) => JSON.stringify([typeof id, id, vector, Object.entries(data).sort()])).sort(),
  );

it(
  `loses nothing by ${KILLS} kills`,
  async () => {
    const path = mkdtempSync(join(tmpdir(), "vicinal-kill-"));
    const model: Model = new Map();
    let next = 0;
    let performed = 0;
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        const { begun, done } = await killed(path, next, (50 + kill * 151) % MOST_MS, kill % 4 !== 3);
        const collection = await Collection.open({ storage: folder(path), dimensions: 8, metric: "l2" });
        const found = textOf(await contentOf(collection));
        // In the order in which they were begun, up to one of them.
        let last = next - 1;
        for (; textOf(model) !== found || [...done].some((number) => number > last); last++) {
          expect(last, `after kill ${kill} no state between operations ${next} and ${begun} is what was found`).toBeLessThan(
            begun,
          );
          performOn(model, operation(last + 1));
        }
        performed += last + 1 - next;
        next = last + 1;
        expect((await collection.verify()).problems).toEqual([]);
        await collection.close();
      }
      expect(performed).toBeGreaterThan(KILLS);
    } finally {
      rmSync(path, { recursive: true, force: true });
    }
  },
  300_000 * Number(process.env.VICINAL_TIMES ?? 1),
);
