// The variants of assembly/: compiled side by side, each kept by the hash of sources, flags and compiler.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashOf, keep, recall, versionOf } from "./cache.mjs";

/** The doors of assembly/, by the build they make; the longest to compile first. Those of shared memory have doors of their own. */
const ENTRIES = {
  whole: "assembly/exports/whole.ts",
  checked: "assembly/exports/whole.ts",
  full: "assembly/exports/full.ts",
  graph: "assembly/exports/graph.ts",
  core: "assembly/exports/core.ts",
};
/** For tests alone: with asserts, and no part of the package. */
const CHECKED = "checked";

const compiler = fileURLToPath(new URL("compile.mjs", import.meta.url));
const buildOf = (target) => (target === CHECKED ? CHECKED : (target.split("-")[1] ?? "full"));

const doorOf = (target) =>
  /^(threads|shared)/.test(target) ? `assembly/exports/${target.replace("shared", "threads")}.ts` : ENTRIES[buildOf(target)];

/** What compileAll() takes to write `folder`/TARGET.wasm. */
export const taskOf = (target, folder) => ({ target, entry: doorOf(target), file: join(folder, `${target}.wasm`) });

/** Compiles `tasks`, a process a core. */
export async function compileAll(tasks, done) {
  const left = [...tasks];
  const work = async () => {
    const child = fork(compiler);
    const ended = once(child, "exit");
    try {
      for (let task = left.shift(); task; task = left.shift()) {
        child.send(task);
        const [answer] = await Promise.race([once(child, "message"), ended]);
        if (answer?.failure || typeof answer !== "object")
          throw new Error(answer?.failure ?? `${task.target}: the compiler died`);
        done(task);
      }
    } finally {
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), tasks.length) }, work));
}

/**
 * Writes `folder`/TARGET.wasm for all targets of asconfig.json; where it has to compile it tells `progress(n, of)`. Returns the names of
 * those that are published.
 */
export async function writeWasm(folder, progress) {
  mkdirSync(folder, { recursive: true });
  const { options, targets } = JSON.parse(readFileSync("asconfig.json", "utf8"));
  const sources = hashOf(["assembly", "src/build/compile.mjs"], versionOf("assemblyscript"), versionOf("binaryen"));
  const names = Object.keys(targets);
  const builds = Object.keys(ENTRIES);
  const write = (target, bytes) => writeFileSync(join(folder, `${target}.wasm`), bytes);
  const scratch = mkdtempSync(join(tmpdir(), "vicinal-"));
  try {
    const missing = names.flatMap((target) => {
      const key = `${hashOf([], sources, options, targets[target])}.wasm`;
      const kept = recall(key);
      if (kept) write(target, kept);
      return kept ? [] : [{ ...taskOf(target, scratch), key }];
    });
    missing.sort((a, b) => builds.indexOf(buildOf(a.target)) - builds.indexOf(buildOf(b.target)));
    let written = names.length - missing.length;
    if (missing.length) progress(written, names.length);
    await compileAll(missing, ({ target, key, file }) => {
      const bytes = readFileSync(file);
      keep(key, bytes);
      write(target, bytes);
      progress(++written, names.length);
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return names.filter((name) => name !== CHECKED);
}
