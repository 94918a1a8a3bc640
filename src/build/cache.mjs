// What a build has made before, by the hash of what it was made from: node_modules/.cache/vicinal, which `npm ci` empties.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const FOLDER = "node_modules/.cache/vicinal";
/** Files kept: the builds of some ten states of the sources. */
const KEPT = 150;

/** All files below `paths`, with their contents, as one hash. */
export function hashOf(paths, ...words) {
  const hash = createHash("sha256").update(JSON.stringify(words));
  const add = (path) => {
    if (!existsSync(path)) return void hash.update(`${path} is not there\0`);
    if (!statSync(path).isDirectory()) return void hash.update(`${path}\0`).update(readFileSync(path)).update("\0");
    for (const name of readdirSync(path).sort()) add(join(path, name));
  };
  for (const path of paths) add(path);
  return hash.digest("hex").slice(0, 32);
}

/** The version of a package that builds depend on. */
export const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;

export function recall(name) {
  const file = join(FOLDER, name);
  if (!existsSync(file)) return undefined;
  const now = new Date();
  utimesSync(file, now, now);
  return readFileSync(file);
}

/** Whole or not at all: another build may be reading. */
export function keep(name, bytes) {
  mkdirSync(FOLDER, { recursive: true });
  const scratch = join(FOLDER, `${name}.${process.pid}`);
  writeFileSync(scratch, bytes);
  renameSync(scratch, join(FOLDER, name));
}

/** Removes what has not been used for longest. */
export function prune() {
  if (!existsSync(FOLDER)) return;
  const files = readdirSync(FOLDER).map((name) => ({ name, usedMs: statSync(join(FOLDER, name)).mtimeMs }));
  files.sort((a, b) => b.usedMs - a.usedMs);
  for (const { name } of files.slice(KEPT)) rmSync(join(FOLDER, name), { force: true });
}
