// One store of documents in a process of its own. Reads commands and answers each with one line of JSON, { error } where the
// package throws.
//   prepare                    imports the package: outside the clock
//   build                      makes the store in DIR and closes it: seconds
//   open                       opens it and searches once: ms
//   recall SHARE EF            hits: true neighbours among the answers to all queries, SHARE % of the documents passing
//   time SHARE EF SECONDS      queries over and over, for so long at least: qps
// usage: node worker.mjs ADAPTER INPUT DIR N D QUERIES K
//
// ADAPTER.mjs gives
//   row(values)                a vector in the form that it takes; all are made before the clock starts
//   build(dir, documents)      [{ id, vector, part }], part an integer from 0 to 99; cosine
//   open(dir)                  perhaps later:
//     effort(ef)               of the searches to come; none where a search is exact
//     search(query, k, share)  the k nearest of those whose part is below share
//     ids(answer)              outside the clock
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

console.log = console.info = console.warn = console.error; // stdout is for answers

const [adapter, input, dir, ...rest] = process.argv.slice(2);
const [n, dimensions, nq, k] = rest.map(Number);
const read = (name, Type) => new Type(Uint8Array.from(readFileSync(`${input}/${name}`)).buffer); // a small file shares its buffer
const split = (values, row) =>
  Array.from({ length: values.length / dimensions }, (_, i) => row(values.slice(i * dimensions, (i + 1) * dimensions)));

let module;
let queries;
let store;

const COMMANDS = {
  async prepare() {
    module = await import(`./${adapter}.mjs`);
    queries = split(read("queries.f32", Float32Array), module.row);
    return {};
  },
  async build() {
    const parts = read("parts.u8", Uint8Array);
    const vectors = split(read("base.f32", Float32Array), module.row);
    const documents = vectors.map((vector, i) => ({ id: `document-${String(i).padStart(11, "0")}`, vector, part: parts[i] }));
    const start = performance.now();
    await module.build(dir, documents, { n, dimensions });
    return { seconds: (performance.now() - start) / 1000 };
  },
  async open() {
    const start = performance.now();
    store = await module.open(dir, { n, dimensions });
    await store.search(queries[0], k, 50);
    return { ms: performance.now() - start };
  },
  async recall(share, ef) {
    await store.effort?.(ef);
    const truth = read(`truth-${share}.u32`, Uint32Array);
    let hits = 0;
    for (let i = 0; i < nq; i++) {
      const near = new Set(truth.subarray(i * k, (i + 1) * k));
      const ids = store.ids(await store.search(queries[i], k, share));
      for (const id of ids) if (near.has(Number(id.slice(-11)))) hits++;
    }
    return { hits };
  },
  async time(share, ef, seconds) {
    await store.effort?.(ef);
    await stretch(share, seconds / 5);
    return { qps: await stretch(share, seconds) };
  },
};

/** Queries a second; what is not a promise is not awaited. */
async function stretch(share, seconds) {
  const start = performance.now();
  for (let done = 0; ; ) {
    for (const stop = done + 5; done < stop; done++) {
      const answer = store.search(queries[done % nq], k, share);
      if (answer instanceof Promise) await answer;
    }
    const elapsed = (performance.now() - start) / 1000;
    if (elapsed >= seconds) return done / elapsed;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...numbers] = line.split(" ");
  const answer = await COMMANDS[command](...numbers.map(Number)).catch((error) => ({ error: String(error.message ?? error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(); // some packages leave timers
