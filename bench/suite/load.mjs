// load() of an sq8 index against the least that loading could be: the file's bytes copied into a WebAssembly.Memory and
// XXH64 over them. The reference makes its memory first, as load() must: most of either time is the kernel's, which clears
// pages. Beside it, the same into a memory whose pages are there already.
import { Flat, Hnsw, init, load } from "vicinal";
import { loadSet } from "../kit/data.mjs";
import { openEngine } from "../kit/engine.mjs";
import { limitOr, roundsOr } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atMost, finish, fixed, times } from "../kit/result.mjs";
import { interleave, median, seconds } from "../kit/timing.mjs";

const SET = "fashion-mnist-784";
const VARIANT = "simd";
const ROUNDS = roundsOr(15, 3);
const PAGE_BYTES = 65536;

async function newEngine(fileBytes) {
  const pages = Math.ceil(fileBytes / PAGE_BYTES) + 4;
  return openEngine(`${VARIANT}-core`, pages, { metric: "l2", dimensions: 4 });
}

function copyAndSum(engine, file) {
  engine.scope(() => {
    const at = engine.writeU8(file);
    engine.exports.checksumStart();
    engine.exports.checksumAdd(at, file.length);
    engine.exports.checksumEnd();
  });
}

async function measure(set, Index) {
  const index = await Index.create({ dimensions: set.d, metric: set.metric, codec: "sq8" });
  index.add(set.base);
  const file = index.toBytes();
  index.close();
  const inUse = await newEngine(file.length);
  const contenders = {
    load: () => seconds(() => load(file)),
    fresh: () => seconds(async () => copyAndSum(await newEngine(file.length), file)),
    inUse: () => seconds(() => copyAndSum(inUse, file)),
  };
  await interleave(2, contenders); // warm-up
  const samples = await interleave(ROUNDS, contenders);
  const ms = Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, 1000 * median(all)]));
  return { kind: Index.name, bytes: file.length, ...ms };
}

enableRelaxed();
await init({ variant: VARIANT });
const set = loadSet(SET, { limit: limitOr(4000) });
const rows = [];
for (const Index of set ? [Flat, Hnsw] : []) {
  process.stderr.write(`${Index.name} sq8: build, then ${ROUNDS} rounds\n`);
  rows.push(await measure(set, Index));
}

finish("load", {
  tables: {
    load: {
      columns: ["", "MB", "load() ms", "copy + XXH64 ms, new memory", "ratio", "copy + XXH64 ms, memory in use", "ratio"],
      rows: rows.map(({ kind, bytes, load, fresh, inUse }) => [
        `${kind} sq8, ${set.n} x ${set.d}`,
        fixed(1)(bytes / 1e6),
        fixed(1)(load),
        fixed(1)(fresh),
        times(load / fresh),
        fixed(1)(inUse),
        times(load / inUse),
      ]),
    },
  },
  gates: rows.map(({ kind, load, fresh }) => atMost(`load() of ${kind} sq8 / copy + checksum`, load / fresh, 3)),
  data: rows,
});
