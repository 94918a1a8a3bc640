// What tune() promises, on queries that it has not seen: half of a set's queries tune, the other half judge. Every set, three kinds of index, three
// recalls, two k, with a filter and without; and for each several halves, drawn by lot: all cells of one pair of halves err to the same side.
import { Hnsw, Ivf, init } from "vicinal";
import { tune } from "vicinal/guide";
import { loadSet, queriesOf, recall } from "../kit/data.mjs";
import { Draw } from "../kit/made-set.mjs";
import { limitOr, quick, sets } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atLeast, atMost, finish, fixed, times } from "../kit/result.mjs";

const SETS = [
  "bible-bge-1024",
  "clip-images-512",
  "fashion-mnist-784",
  "gowalla-als-64",
  "gutenberg-sif-160",
  "minilm-mix-384",
  "mnist-784",
  "siftsmall-128",
  "words-es-64",
  "words-glove-100",
  "words-gutenberg-160",
];
const TARGETS = quick ? [0.95] : [0.9, 0.95, 0.99];
const KS = [10, 100];
/** Of ten ids one passes. */
const SHARE = 10;
const HALVES = quick ? 1 : 4;
const PROMISE = { within: 0.95, below: 0.015, effort: 1.2 };
const FAMILIES = {
  hnsw: (of) => Hnsw.create({ ...of, atOnce: true }),
  fastScan: (of) => Hnsw.create({ ...of, fastScan: true }),
  "ivf, pq": (of) => Ivf.create({ ...of, codec: { type: "pq", bits: 4 }, rerank: true }),
};

enableRelaxed();
await init({ variant: "relaxed" });

/** Recall of the queries at an effort, against the exact answers. */
function judge(index, queries, options, truth) {
  const { ids, k } = index.searchBatch(queries, options);
  return recall(
    Array.from({ length: ids.length / k }, (_, i) => ids.subarray(i * k, (i + 1) * k)),
    truth,
    { k },
  );
}

/** The least effort from `from` on with which the queries reach the recall, by halves. */
function leastFor(reaches, from, to, most) {
  let [low, high] = [from, to];
  while (!reaches(high) && high < most) [low, high] = [high + 1, Math.min(2 * high, most)];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reaches(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Each query with its exact answers, of all vectors and of those that pass. */
function answered(set, index, passing) {
  const queries = queriesOf(set);
  const k = Math.max(...KS);
  const [all, filtered] = [undefined, passing].map((filter) => index.searchBatch(queries, { k, filter, exact: true }).ids);
  const of = (ids, i) => ids.subarray(i * k, (i + 1) * k);
  return queries.map((vector, i) => ({ vector, all: of(all, i), filtered: of(filtered, i) }));
}

/** Of the first k of each list. */
const firstOf = (lists, k) => Uint32Array.from(lists.flatMap((list) => [...list.subarray(0, k)]));

async function cellsOf(set, family, index, passing, asked, draw) {
  const lot = new Draw(draw);
  const mixed = asked.map((one) => [lot.uniform(), one]).sort(([a], [b]) => a - b);
  const [own, other] = [0, 1].map((half) => mixed.filter((_, i) => i % 2 === half).map(([, one]) => one));
  const [mine, theirs] = [own, other].map((half) => half.map(({ vector }) => vector));
  const effort = index.kind === "ivf" ? "nprobe" : "ef";
  const cells = [];
  for (const target of TARGETS) {
    const truth = own.map(({ all }) => all);
    const { curves } = await tune(index, { recall: target, queries: mine, truth, k: KS, filters: [1, passing] });
    for (const { k, share, choice } of curves) {
      const filter = share < 1 ? passing : undefined;
      const right = firstOf(
        other.map((one) => (filter ? one.filtered : one.all)),
        k,
      );
      const at = (value) => judge(index, theirs, { k, filter, [effort]: value }, right);
      const least = choice.reached
        ? leastFor(
            (value) => at(value) >= target,
            effort === "ef" ? k : 1,
            choice.effort,
            index.kind === "ivf" ? index.stats().options.nlist : index.size,
          )
        : Number.NaN;
      cells.push({ set: set.name, family, target, k, filter: share < 1, ...choice, found: at(choice.effort), least });
    }
  }
  return cells;
}

const cells = [];
for (const name of sets ?? SETS) {
  const set = loadSet(name, { limit: limitOr(5000), neighbours: 0 });
  if (!set) continue;
  for (const [family, create] of Object.entries(FAMILIES)) {
    const index = await create({ dimensions: set.d, metric: set.metric });
    await index.addAll(set.base);
    if (!index.trained) await index.train();
    const passing = index.prepareFilter((id) => id % SHARE === 3);
    const asked = answered(set, index, passing);
    const own = [];
    for (let draw = 1; draw <= HALVES; draw++) own.push(...(await cellsOf(set, family, index, passing, asked, draw)));
    index.close();
    cells.push(...own);
    process.stderr.write(
      `${name} ${family}: ${own.filter(({ found, low, high }) => found >= low && found <= high).length} of ${own.length} within\n`,
    );
  }
}

const reached = cells.filter((cell) => cell.reached);
const share = (list, test) => (list.length ? list.filter(test).length / list.length : Number.NaN);
const within = ({ found, low, high }) => found >= low && found <= high;
const short = (list) => Math.max(...list.map(({ target, found }) => target - found));
/** Where efforts are a few whole numbers, the next one up is allowed. */
const over = ({ effort, least }) => (effort - least <= 1 ? 1 : effort / least);
const quantile = (list, part) =>
  list.map(over).toSorted((a, b) => a - b)[Math.min(Math.floor(part * list.length), list.length - 1)];
const row = (what, list) => [
  what,
  list.length,
  fixed(3)(share(list, within)),
  fixed(4)(short(list)),
  fixed(4)(share(list, ({ target, found }) => target - found > PROMISE.below)),
  ...[0.5, 0.95, 1].map((part) => times(quantile(list, part))),
];

finish("tune", {
  tables: {
    tune: {
      columns: [
        "",
        "cells",
        "within interval",
        "most below target",
        "share more than .015",
        "effort / least, median",
        "95 %",
        "most",
      ],
      rows: [
        row("all", reached),
        ...Object.keys(FAMILIES).map((family) =>
          row(
            family,
            reached.filter((cell) => cell.family === family),
          ),
        ),
        ...TARGETS.map((target) =>
          row(
            `recall ${target}`,
            reached.filter((cell) => cell.target === target),
          ),
        ),
        ...KS.map((k) =>
          row(
            `k ${k}`,
            reached.filter((cell) => cell.k === k),
          ),
        ),
        ...[true, false].map((filter) =>
          row(
            filter ? "10 % pass" : "no filter",
            reached.filter((cell) => cell.filter === filter),
          ),
        ),
        ...[...new Set(reached.map(({ set }) => set))].map((name) =>
          row(
            name,
            reached.filter((cell) => cell.set === name),
          ),
        ),
      ].filter(([, n]) => n > 0),
      notes: [`${cells.length - reached.length} cells in which no effort reached the target, and tune said so`],
    },
  },
  gates: [
    atLeast(
      "tune: recall of other queries within its interval, share of cells",
      share(reached, within),
      PROMISE.within,
      fixed(3),
    ),
    atMost("tune: most that recall of other queries was below the target", short(reached), PROMISE.below, fixed(4)),
    atMost("tune: effort chosen / the least for those, in 95 % of the cells", quantile(reached, 0.95), PROMISE.effort),
    atMost("tune: effort chosen / the least for those, most", Math.max(...reached.map(over)), PROMISE.effort),
  ],
  data: { cells },
});
