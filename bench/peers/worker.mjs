// One index of one package in a process of its own. Reads commands and answers each with one line of JSON, { error } where the
// package throws; between commands it waits and uses no processor.
//   build              builds the index anew: seconds, and bytes of memory it takes (of the first build)
//   filter             searches from now on are for what passes a filter (tasks.mjs), prepared where a package can
//   update             without a filter again, replaces vectors (tasks.mjs): seconds, and how many
//   recall EF          hits: true neighbours among the answers to all queries
//   time EF SECONDS    queries over and over, for so long at least: qps
// usage: node --expose-gc worker.mjs ADAPTER DIR N D QUERIES METRIC K OPTIONS
//
// ADAPTER.mjs gives
//   row(values)        a vector in the form that add() and search() take; all are made before the clock starts
//   open({ n, dimensions, metric, ...options })   an empty index, perhaps later:
//     add(rows, groups)    ids 0 to n - 1, each with its group as a field where the package has fields
//     effort(ef)           of the searches to come; none where a search is exact
//     search(query, k)     one public call; its answer as it is
//     filter(group)        makes ready for filtered(query, k), for the ids of one group; both, or none where it has no filters
//     update(ids, rows)    other vectors for these ids; the effort stays
//     ids(answer)          outside the clock
//     memory               "wasm", with bytes(): all linear memory; "heap": growth of the JS heap and its buffers;
//                          "RSS": growth of the process, from before open()
//     close()              so that another can be built
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { recall } from "../kit/data.mjs";
import { GROUP, groupOf, replacements } from "./tasks.mjs";

console.log = console.info = console.error; // stdout is for answers

const [adapter, dir, ...rest] = process.argv.slice(2);
const [n, dimensions, nq, metric, k, options] = rest.map((arg) => (/^\d+$/.test(arg) ? Number(arg) : arg));
const read = (name, Type) => new Type(Uint8Array.from(readFileSync(`${dir}/${name}`)).buffer); // a small file shares its buffer
const split = (values) =>
  Array.from({ length: values.length / dimensions }, (_, i) => row(values.slice(i * dimensions, (i + 1) * dimensions)));

let row;
let open;
let rows;
let queries;
let index;
let memoryBytes;
const plain = (query) => index.search(query, k);
let ask = plain;
const base = read("base.f32", Float32Array);
let truth = read("truth.u32", Uint32Array);
const groups = Uint8Array.from({ length: n }, (_, id) => groupOf(id));

const MEMORY = {
  wasm: () => index.bytes(),
  heap() {
    const { heapUsed, external } = process.memoryUsage(); // external has the array buffers
    return heapUsed + external;
  },
  RSS: () => process.memoryUsage.rss(),
};

function usage(kind) {
  for (let i = 0; i < 3; i++) global.gc();
  return MEMORY[kind]();
}

const COMMANDS = {
  async prepare() {
    ({ row, open } = await import(`./${adapter}.mjs`));
    queries = split(read("queries.f32", Float32Array));
    return {};
  },
  async build() {
    index?.close();
    index = undefined;
    const heap = usage("heap"); // without the rows: JS keeps the very ones it is given
    rows = split(base);
    const before = { wasm: 0, heap, RSS: usage("RSS") };
    index = await open({ n, dimensions, metric, ...JSON.parse(options) });
    const start = performance.now();
    await index.add(rows, groups);
    const seconds = (performance.now() - start) / 1000;
    if (index.memory === "heap") rows = undefined;
    memoryBytes ??= usage(index.memory) - before[index.memory];
    return { seconds, bytes: memoryBytes, memory: index.memory };
  },
  async filter() {
    if (!index.filter) throw new Error("no filters");
    await index.filter(GROUP);
    ask = (query) => index.filtered(query, k);
    truth = read("truth-filtered.u32", Uint32Array);
    return {};
  },
  async update() {
    ask = plain;
    truth = read("truth-updated.u32", Uint32Array);
    const pairs = replacements(n);
    const vectors = pairs.map(([, from]) => row(base.slice(from * dimensions, (from + 1) * dimensions)));
    const ids = pairs.map(([id]) => id);
    const start = performance.now();
    await index.update(ids, vectors);
    return { seconds: (performance.now() - start) / 1000, count: ids.length };
  },
  async recall(ef) {
    await index.effort?.(ef);
    const found = [];
    for (const query of queries) found.push(index.ids(await ask(query)));
    return { hits: Math.round(recall(found, truth) * nq * k) };
  },
  async time(ef, seconds) {
    await index.effort?.(ef);
    await stretch(seconds / 5);
    const { done, elapsed } = await stretch(seconds);
    return { qps: done / elapsed };
  },
};

/** Looks at the clock after every 20 queries. What is not a promise is not awaited: that alone costs time. */
async function stretch(seconds) {
  let done = 0;
  let elapsed;
  const start = performance.now();
  do {
    for (const stop = done + 20; done < stop; done++) {
      const answer = ask(queries[done % nq]);
      if (answer instanceof Promise) await answer;
    }
    elapsed = (performance.now() - start) / 1000;
  } while (elapsed < seconds);
  return { done, elapsed };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...numbers] = line.split(" ");
  const answer = await COMMANDS[command](...numbers.map(Number)).catch((error) => ({ error: String(error.message ?? error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(); // some packages leave timers
