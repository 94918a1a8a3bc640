// tuneFactory() within its time beside a sweep of everything: every design that it knows, built of all vectors and tuned. What it recommends against the best of the
// sweep, on each axis.
import { factory, init } from "vicinal";
import { plan, tune, tuneFactory } from "vicinal/guide";
import { loadSet, queriesOf } from "../kit/data.mjs";
import { limitOr, quick } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atMost, finish, fixed, times } from "../kit/result.mjs";
import { seconds } from "../kit/timing.mjs";

const SET = "gutenberg-sif-160";
const RECALL = 0.95;
const SECONDS = quick ? 20 : 120;
const QUERIES = 400;
const PROMISE = 1.1;

enableRelaxed();
await init({ variant: "relaxed" });
const set = loadSet(SET, { limit: limitOr(8000), queries: QUERIES });
if (!set) process.exit();
const { base, d, metric, n } = set;
const queries = queriesOf(set);
const K = 10;
const truth = queries.map((_, q) => set.truth.subarray(q * K, (q + 1) * K));

const race = await tuneFactory(base, { dimensions: d, metric, recall: RECALL, queries, seconds: SECONDS });
process.stderr.write(`race: ${race.vectors} vectors, ${race.seconds.toFixed(0)} s\n`);

async function built(words) {
  const graph = words.startsWith("HNSW") && !words.includes("fs");
  const index = await factory(words, { dimensions: d, metric, ...(graph && { atOnce: true }) });
  const buildSeconds = await seconds(async () => {
    await index.addAll(base);
    if (!index.trained) await index.train();
  });
  const { choice } = await tune(index, { recall: RECALL, k: K, queries, truth });
  const { bytes } = index;
  index.close();
  process.stderr.write(`${words}\n`);
  return { factory: words, recall: choice.recall, p99Ms: choice.p99Ms, bytes, buildSeconds };
}

/** Names are of the whole: what the race names after a part may have fewer lists. */
const nameOf = (words) => words.replace(/^IVF\d+/, "IVF");
const { designs, refused } = await plan({ vectors: n, dimensions: d, metric, recall: RECALL });
const sweep = [];
for (const { factory: words } of [...designs, ...refused]) sweep.push(await built(words));

const whole = (row) => sweep.find((one) => nameOf(one.factory) === nameOf(row.factory));
const reached = sweep.filter((row) => row.recall >= RECALL);
const least = (rows, axis) => Math.min(...rows.map(axis));
const AXES = {
  recallAndLatency: [(row) => row.p99Ms, reached],
  recallAndMemory: [(row) => row.bytes, reached],
  latencyAndMemory: [(row) => row.p99Ms * row.bytes, sweep],
};
const ratios = Object.entries(AXES).map(([name, [axis, rows]]) => [name, axis(whole(race.best[name])) / least(rows, axis)]);

finish("race", {
  tables: {
    race: {
      columns: [`${SET}, ${n}`, "recall@10", "p99 us", "MB", "build s", "recommended for"],
      rows: sweep.map((row) => [
        row.factory,
        fixed(3)(row.recall),
        fixed(0)(1000 * row.p99Ms),
        fixed(1)(row.bytes / 1e6),
        fixed(1)(row.buildSeconds),
        Object.keys(AXES)
          .filter((name) => nameOf(race.best[name].factory) === nameOf(row.factory))
          .join(", "),
      ]),
      notes: [`the race took ${fixed(0)(race.seconds)} s and ended with ${race.vectors} vectors`],
    },
  },
  gates: ratios.map(([name, ratio]) => atMost(`race: ${name}, recommended / best of the sweep`, ratio, PROMISE, times)),
  data: { race, sweep },
});
