// `vicinal convert` of a large .npy against building the same index from vectors that are in memory already, each in a process of its own;
// and what memory it takes beyond the index, as Linux counts it. Random rows: what is measured is reading, not the graph.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { partial, quick, roundsOr } from "../kit/options.mjs";
import { atMost, finish, fixed, times, whole } from "../kit/result.mjs";
import { median } from "../kit/timing.mjs";

const MIB = 2 ** 20;
const WIDTH = 1024;
const FILE_MIB = quick ? 8 : 1024;
/** Links are few, so that a gigabyte is built in minutes; of more of them reading is a smaller part. */
const GRAPH = { m: 8, efConstruction: 16 };
const ROUNDS = roundsOr(3, 1);
const BLOCK = 1024;

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const entry = new URL("../../dist/index.js", import.meta.url).href;
const dir = mkdtempSync(`${os.tmpdir()}/vicinal-convert-`);
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

function writeNpy(path, mib) {
  const rows = Math.round((mib * MIB) / (4 * WIDTH * BLOCK)) * BLOCK;
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${WIDTH}), }`.padEnd(117).concat("\n");
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${dict}`, "latin1");
  head.writeUInt16LE(118, 8);
  const file = openSync(path, "w");
  writeSync(file, head);
  const values = new Float32Array(BLOCK * WIDTH);
  let state = 1;
  for (let row = 0; row < rows; row += BLOCK) {
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      values[i] = state / 2 ** 31 - 1;
    }
    writeSync(file, new Uint8Array(values.buffer));
  }
  closeSync(file);
  return rows;
}

/** Prints its seconds, and the most memory that the process had, in MiB. */
const PEAK = `import { readFileSync, writeFileSync } from "node:fs";
const from = performance.now();
process.on("exit", () => {
  const [, kib] = /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  writeFileSync(process.env.PEAK, JSON.stringify({ seconds: (performance.now() - from) / 1000, mib: kib / 1024 }));
});`;
writeFileSync(`${dir}/peak.mjs`, PEAK);

/** The rows are in memory before the clock starts. */
const FROM_MEMORY = `import { readFileSync, writeFileSync } from "node:fs";
import { Hnsw } from ${JSON.stringify(entry)};
const [path, rows, width, out] = process.argv.slice(2);
const bytes = readFileSync(path);
const vectors = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + 128 + 4 * rows * width));
const start = performance.now();
const index = await Hnsw.create({ dimensions: Number(width), metric: "l2", ...${JSON.stringify(GRAPH)} });
for (let row = 0; row < rows; row += ${BLOCK}) index.add(vectors.subarray(row * width, (row + ${BLOCK}) * width));
writeFileSync(out, index.toBytes());
writeFileSync(process.env.PEAK, JSON.stringify({ seconds: (performance.now() - start) / 1000 }));`;
writeFileSync(`${dir}/memory.mjs`, FROM_MEMORY);

function ran(args) {
  const env = { ...process.env, PEAK: `${dir}/peak.json` };
  const { status } = spawnSync(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}`);
  return JSON.parse(readFileSync(`${dir}/peak.json`, "utf8"));
}

const flags = ["--metric", "l2", "--m", String(GRAPH.m), "--ef-construction", String(GRAPH.efConstruction)];
const convert = (input, output) =>
  ran(["--import", `file://${dir}/peak.mjs`, cli, "convert", `${dir}/${input}`, `${dir}/${output}`, ...flags]);

writeNpy(`${dir}/tiny.npy`, 4);
const rows = writeNpy(`${dir}/big.npy`, FILE_MIB);
const idle = convert("tiny.npy", "tiny.vic");
const samples = { convert: [], memory: [] };
for (let round = 0; round < ROUNDS; round++) {
  process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${FILE_MIB} MiB, ${rows} x ${WIDTH}\n`);
  samples.convert.push(convert("big.npy", "big.vic"));
  samples.memory.push(ran([`${dir}/memory.mjs`, `${dir}/big.npy`, String(rows), String(WIDTH), `${dir}/memory.vic`]));
}
if (!readFileSync(`${dir}/big.vic`).equals(readFileSync(`${dir}/memory.vic`))) throw new Error("the two indices differ");

const seconds = (name) => median(samples[name].map((one) => one.seconds));
const index = statSync(`${dir}/big.vic`).size / MIB;
const beyond = Math.max(...samples.convert.map(({ mib }) => mib)) - idle.mib - index;
const ratio = seconds("convert") / seconds("memory");
finish("convert", {
  tables: {
    convert: {
      columns: ["", "rows", "MiB", "seconds", "from memory", "ratio", "MiB beyond the index"],
      rows: [
        [
          ".npy to .vic",
          whole(rows),
          whole(FILE_MIB),
          fixed(1)(seconds("convert")),
          fixed(1)(seconds("memory")),
          times(ratio),
          whole(beyond),
        ],
      ],
    },
  },
  gates: partial
    ? []
    : [
        atMost("convert of a .npy / building from memory", ratio, 1.5),
        atMost("MiB beyond index and idle process", beyond, 64, whole),
      ],
  data: { samples, idle, index },
});
