// What plan() says beside what is built: bytes, build time, time of a search and recall, for every design that fits. A cell is a design, a set and so many
// vectors of it.
import { factory, init } from "vicinal";
import { plan } from "vicinal/guide";
import { geometricMean } from "../kit/curve.mjs";
import { loadSet, queriesOf, recall } from "../kit/data.mjs";
import { limitOr, quick, sets } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atMost, finish, fixed, times } from "../kit/result.mjs";

const CELLS = [
  ["words-es-64", 20_000],
  ["words-es-64", 54_000],
  ["gutenberg-sif-160", 20_000],
  ["gutenberg-sif-160", 80_000],
  ["minilm-mix-384", 11_000],
];
const K = 10;
const TARGET = 0.9;
const QUERIES = quick ? 50 : 300;
const ROUNDS = quick ? 1 : 3;
/** As factors, one way or the other; of recall the difference. */
const PROMISE = { bytes: 1.05, build: 1.5, search: 1.5, recall: 0.03 };

enableRelaxed();
await init({ variant: "relaxed" });

const off = (planned, measured) => Math.max(planned / measured, measured / planned);

async function cell(set, design) {
  const { base, d, metric } = set;
  const graph = design.factory.startsWith("HNSW") && !design.factory.includes("fs");
  const index = await factory(design.factory, { dimensions: d, metric, ...(graph && { atOnce: true }) });
  const start = performance.now();
  await index.addAll(base);
  if (!index.trained) await index.train();
  const build = (performance.now() - start) / 1000;
  const { factor, ...effort } = design.search;
  const queries = queriesOf(set);
  let p50 = Number.POSITIVE_INFINITY;
  let found = [];
  for (let round = 0; round < ROUNDS; round++) {
    const spent = [];
    found = queries.map((query) => {
      const from = performance.now();
      const hits = index.search(query, { k: K, ...effort });
      spent.push(performance.now() - from);
      return hits.map(({ id }) => id);
    });
    p50 = Math.min(p50, spent.toSorted((a, b) => a - b)[spent.length >> 1]);
  }
  const { bytes } = index;
  index.close();
  return {
    set: set.name,
    n: set.n,
    factory: design.factory,
    bytes: [design.bytes, bytes],
    build: [design.buildSeconds, build],
    search: [design.p50Ms, p50],
    recall: [design.recall, recall(found, set.truth)],
  };
}

const cells = [];
for (const [name, n] of CELLS) {
  if (sets && !sets.includes(name)) continue;
  const set = loadSet(name, { limit: Math.min(n, limitOr(5000)), queries: QUERIES });
  if (!set) continue;
  const { designs } = await plan({ vectors: set.n, dimensions: set.d, metric: set.metric, recall: TARGET });
  for (const design of designs) {
    cells.push(await cell(set, design));
    process.stderr.write(`${name} ${set.n} ${design.factory}\n`);
  }
}

const axes = ["bytes", "build", "search"];
const worst = (axis) => Math.max(...cells.map((one) => off(...one[axis])));
const difference = ({ recall: [planned, measured] }) => Math.abs(planned - measured);

finish("plan", {
  tables: {
    plan: {
      columns: ["", "planned MB", "built", "planned build s", "took", "planned p50 us", "took", "planned recall", "found"],
      rows: cells.map(({ set, n, factory: words, bytes, build, search, recall: found }) => [
        `${set}, ${n}: ${words}`,
        ...bytes.map((one) => fixed(1)(one / 1e6)),
        ...build.map(fixed(2)),
        ...search.map((one) => fixed(0)(1000 * one)),
        ...found.map(fixed(3)),
      ]),
      notes: cells.length
        ? [
            ...axes.map(
              (axis) =>
                `${axis}: off by ${times(geometricMean(cells.map((one) => off(...one[axis]))))} on average, ${times(worst(axis))} at most`,
            ),
            `recall: off by ${fixed(3)(cells.reduce((sum, one) => sum + difference(one), 0) / cells.length)} on average, ${fixed(3)(Math.max(...cells.map(difference)))} at most`,
          ]
        : [],
    },
  },
  gates: cells.length
    ? [
        ...axes.map((axis) => atMost(`plan: ${axis} off by at most`, worst(axis), PROMISE[axis])),
        atMost("plan: recall off by at most", Math.max(...cells.map(difference)), PROMISE.recall, fixed(3)),
      ]
    : [],
  data: { cells },
});
