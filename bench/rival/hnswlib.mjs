// Native hnswlib 0.8, whose headers come with the npm package hnswlib-node: built with every instruction this processor has.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";

/** As hnswlib's own builds, which have -Ofast. */
const FLAGS = ["-O3", "-ffast-math", "-march=native", "-std=c++17"];

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const run = (command, ...args) => execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

const { "hnswlib-node": VERSION } = JSON.parse(readFileSync(here("peers/package.json"), "utf8")).optionalDependencies;

/** The folder that has hnswlib/hnswlib.h: fetched once, kept in out/. */
function headers() {
  const folder = here(`out/hnswlib-node-${VERSION}`);
  if (!existsSync(folder)) {
    const dir = mkdtempSync(`${os.tmpdir()}/vicinal-bench-`);
    const packed = run("npm", "pack", "--silent", "--pack-destination", dir, `hnswlib-node@${VERSION}`);
    mkdirSync(folder, { recursive: true });
    run("tar", "xzf", `${dir}/${packed}`, "-C", folder, "--strip-components", "1");
    rmSync(dir, { recursive: true });
  }
  return `${folder}/src`;
}

/** Compiles native/`name`.cpp into a directory that lasts as long as this process; `about` is for the tables. */
export function buildNative(name) {
  const dir = mkdtempSync(`${os.tmpdir()}/vicinal-bench-`);
  process.on("exit", () => rmSync(dir, { recursive: true }));
  const program = `${dir}/${name}`;
  try {
    run("g++", ...FLAGS, `-I${headers()}`, here(`native/${name}.cpp`), "-o", program, "-lpthread");
  } catch (error) {
    throw new Error(`the native peer needs g++, and npm to fetch hnswlib-node ${VERSION}\n${error.stderr ?? error.message}`);
  }
  const about = `hnswlib 0.8.0 (headers of hnswlib-node ${VERSION}), g++ ${run("g++", "-dumpfullversion")} ${FLAGS.join(" ")}`;
  return { dir, program, about };
}

/** Leaves a set in `dir`; returns the arguments with which the programs of native/ and hnsw-worker.mjs find it. */
export function handOver(dir, set, { m, efConstruction, k }) {
  for (const name of ["base.f32", "queries.f32", "truth.u32"]) {
    const values = set[name.split(".")[0]];
    if (values) writeFileSync(`${dir}/${name}`, values);
  }
  return [dir, set.n, set.d, set.nq, set.metric, m, efConstruction, k];
}

/**
 * Bytes per element beside its vector, from the fields of HierarchicalNSW: what a search reads (links, label, upper
 * layers), without locks, visited list, label table and allocator.
 */
export function structBytes(m) {
  const layer0 = 4 + 2 * m * 4 + 8; // link count, links, label
  const upperLayers = 1 / (m - 1); // mean level at 1/ln(m): the sum of m^-i
  return layer0 + 8 + 4 + upperLayers * (4 + m * 4); // + pointer to the upper links, level
}
