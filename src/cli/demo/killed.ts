// The promise of a collection, kept before the reader's eyes: a process that writes to it is killed, and nothing it was told is lost.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Collection } from "../core.js";
import { counted, figure } from "../print.js";
import type { Say } from "./living.js";

/** Changes that the process is told are durable before it is killed. */
const TOLD = 200;

const PROGRAM = `import { Collection } from "vicinal/collection";
import { folder } from "vicinal/storage/node";

const docs = await Collection.open({ storage: folder(process.argv[1]) });
for (let n = 0; ; n++) {
  const vector = Array.from({ length: docs.dimensions }, (_, i) => Math.sin(n * i + 1));
  await docs.upsert({ id: \`line \${n}\`, vector, data: { by: "the killed", n } });
  console.log(n); // told: from here on it must not be lost
}`;

const BY_THE_KILLED = { by: "the killed" };

/** Beside dist/cli.js, where this runs. */
const beside = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

export interface Killed {
  /** Documents that the process was told are durable, and those that are there. */
  readonly told: number;
  readonly found: number;
  /** Of the first, what is not among the second. */
  readonly lost: number;
  readonly signal: string | null;
  readonly openMs: number;
  readonly documents: number;
  readonly ok: boolean;
}

/** Starts the program on a folder that nobody has open, kills it, and opens the folder by `open`. Removes what it wrote. */
export async function killed(path: string, open: () => Promise<Collection>, say: Say): Promise<[Collection, Killed]> {
  say(`\nAnother process opens the folder and runs this:\n\n${PROGRAM.replace(/^/gm, "  ")}\n`);
  const program = PROGRAM.replace('"vicinal/collection"', beside("./collection.js")).replace(
    '"vicinal/storage/node"',
    beside("./storage-node.js"),
  );
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Promise<[code: number | null, signal: string | null]>;
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    told = Number(line) + 1;
    if (told === TOLD) child.kill("SIGKILL");
  }
  const [code, signal] = await exited;
  if (told < TOLD)
    throw new Error(`the process that was to be killed ended by itself, with ${signal ?? code}, after ${told} writes`);

  const start = performance.now();
  const collection = await open();
  const openMs = performance.now() - start;
  const found = await collection.count({ where: BY_THE_KILLED });
  let lost = 0;
  for (let n = 0; n < told; n++) if (!collection.has(`line ${n}`)) lost++;
  const { ok } = await collection.verify();
  say(
    `Process ${child.pid} was killed by ${signal} in the midst of a write; ${counted(told, "document")} it had been told are durable.`,
  );
  say(
    `Opened again in ${figure(openMs)} ms: ${found} of its documents are there, ${lost} are lost; every byte verified: ${ok ? "sound" : "damaged"}.`,
  );
  await collection.delete({ where: BY_THE_KILLED });
  return [collection, { told, found, lost, signal, openMs, documents: collection.size, ok }];
}
