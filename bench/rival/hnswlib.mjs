// Native hnswlib: built from Debian's headers with every instruction this processor has.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";

const FLAGS = ["-O3", "-march=native", "-std=c++17"];

/** Compiles the harness into a directory that lasts as long as this process; `about` is for the tables. */
export function buildNative() {
  const dir = mkdtempSync(`${os.tmpdir()}/vicinal-bench-`);
  process.on("exit", () => rmSync(dir, { recursive: true }));
  const source = fileURLToPath(new URL("../native/hnswlib_curve.cpp", import.meta.url));
  const program = `${dir}/hnswlib_curve`;
  try {
    execFileSync("g++", [...FLAGS, source, "-o", program, "-lpthread"], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    throw new Error(`the native peer needs: apt-get install g++ libhnswlib-dev\n${error.stderr ?? error.message}`);
  }
  const run = (command, ...args) => execFileSync(command, args, { encoding: "utf8" }).trim();
  const [, version] = run("dpkg", "-s", "libhnswlib-dev").match(/^Version: (.*)$/m);
  return { dir, program, about: `hnswlib ${version}, g++ ${run("g++", "-dumpfullversion")} ${FLAGS.join(" ")}` };
}

/** Leaves a set in `dir`; returns the arguments with which hnswlib_curve.cpp and hnsw-worker.mjs find it. */
export function handOver(dir, set, { m, efConstruction, k }) {
  for (const name of ["base.f32", "queries.f32", "truth.u32"]) writeFileSync(`${dir}/${name}`, set[name.split(".")[0]]);
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
