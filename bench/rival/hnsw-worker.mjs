// vicinal's Hnsw on one variant, under the same commands as native/hnswlib_curve.cpp: `build`, `search K EF
// TIMES`.
// usage: node hnsw-worker.mjs VARIANT OPTIONS DIR N D QUERIES METRIC M EFC NEIGHBOURS; OPTIONS is JSON for Hnsw.create
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Hnsw, init } from "vicinal";
import { queriesOf, recall } from "../kit/data.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";

const [variant, options, dir, , ...rest] = process.argv.slice(2);
const [dimensions, nq, metric, m, efConstruction, neighbours] = rest.map((arg) =>
  Number.isNaN(Number(arg)) ? arg : Number(arg),
);
/** What is short lies in a buffer that Node shares out. */
const read = (name, Type) => {
  const { buffer, byteOffset, byteLength } = readFileSync(`${dir}/${name}`);
  return new Type(buffer, byteOffset, byteLength / Type.BYTES_PER_ELEMENT);
};
const base = read("base.f32", Float32Array);
const truth = read("truth.u32", Uint32Array);
const queries = queriesOf({ nq, d: dimensions, queries: read("queries.f32", Float32Array) });

enableRelaxed();
await init({ variant });
let index;

const COMMANDS = {
  async build() {
    index?.close();
    const before = process.memoryUsage.rss();
    const start = performance.now();
    index = await Hnsw.create({ dimensions, metric, m, efConstruction, ...JSON.parse(options) });
    index.add(base);
    const seconds = (performance.now() - start) / 1000;
    const most = 1024 * process.resourceUsage().maxRSS;
    return { seconds, bytes: index.bytes, peak: (most - before) / (process.memoryUsage.rss() - before) };
  },
  search(k, ef, times) {
    const wanted = { k, ef };
    let distances = 0;
    const warmUp = queries.slice(0, Math.floor(nq / 5));
    for (const query of warmUp) {
      index.search(query, wanted);
      distances += index.lastStats.distances;
    }
    const answers = new Array(nq);
    const start = performance.now();
    for (let t = 0; t < times; t++) for (let i = 0; i < nq; i++) answers[i] = index.search(queries[i], wanted);
    const seconds = (performance.now() - start) / 1000;
    const found = answers.map((hits) => hits.map(({ id }) => id));
    return {
      seconds,
      hits: Math.round(recall(found, truth, { k, columns: neighbours }) * nq * k),
      distances: distances / warmUp.length,
    };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...numbers] = line.split(" ");
  console.log(JSON.stringify(await COMMANDS[command](...numbers.map(Number))));
}
