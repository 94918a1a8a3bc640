// Pools: searches by one worker and by two in one memory, beside an index in the thread that asks; and a page whose index is in a worker, while
// that adds many vectors and is searched.
import { Hnsw, init } from "vicinal";
import { Pool } from "vicinal/pool";
import { loadSet, recall } from "../kit/data.mjs";
import { limitOr, quick, roundsOr } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atLeast, atMost, finish, fixed, times, whole } from "../kit/result.mjs";
import { interleave, median, seconds } from "../kit/timing.mjs";
import { answerOf } from "./part/in-page.mjs";

const SET = "gutenberg-sif-160";
const RECALL = 0.95;
const K = 10;
const EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160];
const ROUNDS = roundsOr(9, 3);
/** Queries of a batch, those of the set again and again. */
const BATCH = quick ? 500 : 8000;
/** Searches that wait for answers at a time, where they are asked one by one. */
const AT_A_TIME = 64;
const LONGEST_FRAME = 25;
const MEMORY = { least: 1.8, bytes: 1.05, p99: 30 };

const say = (text) => process.stderr.write(`${text}\n`);
const percentile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];

enableRelaxed();
await init({ variant: "relaxed" });
const set = loadSet(SET, { limit: limitOr(5000) });
if (!set) process.exit();
const { base, d, metric, queries, nq, truth } = set;

say(`${SET}: an index of ${set.n}`);
const index = await Hnsw.create({ dimensions: d, metric, fastScan: true });
await index.addAll(base);
const recallAt = (ef) => {
  const { ids } = index.searchBatch(queries, { k: K, ef });
  return recall(
    Array.from({ length: nq }, (_, i) => ids.subarray(i * K, (i + 1) * K)),
    truth,
  );
};
const ef = EFS.find((one) => recallAt(one) >= RECALL) ?? EFS.at(-1);

const pools = {
  "one worker": await Pool.open(index, { threads: 1 }),
  "two, one memory": await Pool.open(index, { threads: 2 }),
  "two, a copy each": await Pool.open(index, { threads: 2, replicas: true }),
};
const batch = new Float32Array(BATCH * d);
for (let i = 0; i < BATCH; i++) batch.set(queries.subarray((i % nq) * d, ((i % nq) + 1) * d), i * d);
const expected = index.searchBatch(batch, { k: K, ef });
for (const [name, pool] of Object.entries(pools)) {
  const { ids } = await pool.searchBatch(batch, { k: K, ef });
  if (ids.some((id, i) => id !== expected.ids[i])) throw new Error(`${name} answers otherwise than the index`);
}

const rate = async (work) => BATCH / (await seconds(work));
/** One by one, so many at a time. */
async function oneByOne(pool) {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (let i = next++; i < BATCH; i = next++) await pool.search(batch.subarray(i * d, (i + 1) * d), { k: K, ef });
    }),
  );
}
say("batches");
const batches = await interleave(ROUNDS, {
  "in this thread": () => rate(async () => index.searchBatch(batch, { k: K, ef })),
  ...Object.fromEntries(
    Object.entries(pools).map(([name, pool]) => [name, () => rate(() => pool.searchBatch(batch, { k: K, ef }))]),
  ),
});
say("one by one");
const singles = await interleave(ROUNDS, {
  "in this thread": () =>
    rate(async () => {
      for (let i = 0; i < BATCH; i++) index.search(batch.subarray(i * d, (i + 1) * d), { k: K, ef });
    }),
  ...Object.fromEntries(Object.entries(pools).map(([name, pool]) => [name, () => rate(() => oneByOne(pool))])),
});
const names = Object.keys(batches);
const bytes = { "in this thread": index.bytes };
for (const [name, pool] of Object.entries(pools)) {
  bytes[name] = (await pool.stats()).bytes * (pool.layout === "replicas" ? pool.threads : 1);
  await pool.close();
}

say("a page");
const N = quick ? 5000 : 50_000;
const page = await answerOf("remote", { n: N, d: 160, options: { factory: "HNSW32", fastScan: true } });
const ratio = (samples, one, other) => median(samples[one].map((value, i) => value / samples[other][i]));

finish("pool", {
  tables: {
    "pool-searches": {
      columns: ["", "batches QPS", "/ one worker", "one by one QPS", "/ one worker", "bytes / index"],
      rows: names.map((name) => [
        name,
        whole(median(batches[name])),
        times(ratio(batches, name, "one worker")),
        whole(median(singles[name])),
        times(ratio(singles, name, "one worker")),
        times(bytes[name] / bytes["in this thread"]),
      ]),
    },
    "pool-page": {
      columns: ["", "frames", "p99 ms", "longest ms", `above ${LONGEST_FRAME} ms`, "searches", "p50 ms", "p99 ms", "longest ms"],
      rows: page
        ? [
            [
              `${N} x 160 added and searched by a worker, ${fixed(1)(page.seconds)} s`,
              whole(page.frames.length),
              fixed(1)(percentile(page.frames, 0.99)),
              fixed(1)(Math.max(...page.frames)),
              whole(page.frames.filter((gap) => gap > LONGEST_FRAME).length),
              whole(page.searches.length),
              fixed(2)(percentile(page.searches, 0.5)),
              fixed(1)(percentile(page.searches, 0.99)),
              fixed(1)(Math.max(...page.searches)),
            ],
          ]
        : [],
    },
  },
  gates: [
    atLeast(
      `pool, ${SET}, recall ${RECALL}: two workers on one memory / one`,
      ratio(batches, "two, one memory", "one worker"),
      MEMORY.least,
    ),
    atMost("pool: bytes of that / of one", bytes["two, one memory"] / bytes["one worker"], MEMORY.bytes),
    ...(page
      ? [
          atMost("pool, page: longest frame while a worker adds, ms", Math.max(...page.frames), LONGEST_FRAME, (ms) =>
            fixed(1)(ms),
          ),
          atMost("pool, page: p99 of a search meanwhile, ms", percentile(page.searches, 0.99), MEMORY.p99, fixed(1)),
        ]
      : []),
  ],
  data: { ef, recall: recallAt(ef), batches, singles, bytes, page },
});
