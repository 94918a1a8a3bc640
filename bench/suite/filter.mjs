// Filtered searches beside native hnswlib's, over shares and kinds of filters; whether the planner chooses well; and what a filter costs
// in each form that a caller can give.
import { geometricMean, least } from "../kit/curve.mjs";
import { loadSet, queriesOf } from "../kit/data.mjs";
import { limitOr, quick, roundsOr, sets } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { times as asTimes, atLeast, atMost, finish, fixed, whole } from "../kit/result.mjs";
import { VARIANTS } from "../kit/variants.mjs";
import { Cell, KINDS, SHARES, viewsOf } from "./part/filter-cells.mjs";
import { Contest, microseconds, Own, peer, RECALL } from "./part/filter-contest.mjs";
import { formsTable } from "./part/filter-forms.mjs";
import { plansOf, WAYS } from "./part/filter-plans.mjs";

/** With the metric that their vectors are made for. */
const SETS = { "fashion-mnist-784": "l2", "gutenberg-sif-160": "cosine", "minilm-mix-384": "cosine" };
/** Of a set, for the time it takes. */
const MOST_ROWS = 60000;
const QUERIES = quick ? 20 : 100;
const ROUNDS = roundsOr(5, 1);
/** For ratios near 1. */
const FINE_ROUNDS = roundsOr(15, 3);

/** hnswlib's speed times this: in every cell, and in the geometric mean. */
const [LEAST, MEAN] = [2, 3.5];
/** Of the speed without a filter, where so many pass whatever the query. */
const KEPT = { 0.5: 0.55, 0.1: 0.3 };
const ALL_PASS = 0.95;
const BITSET_US = 15;
/** The planner's choice takes at most so many times the better way, in this share of the cells. */
const [NEAR_BEST, MOSTLY] = [1.15, 0.95];

enableRelaxed();

async function measure(set) {
  process.stderr.write(`${set.name}: distances, builds\n`);
  const views = viewsOf(set);
  const contest = await Contest.open(set);
  const all = new Cell(views, "independent", 1);
  const unfiltered = await contest.runUnfiltered(all, ROUNDS);
  const forms = await formCosts(contest, set, views, unfiltered.relaxed.ef);
  const cells = [];
  for (const kind of KINDS) {
    for (const share of SHARES) {
      process.stderr.write(`${set.name}: ${100 * share} % pass, ${kind}\n`);
      const cell = new Cell(views, kind, share);
      const result = await contest.run(cell, ROUNDS);
      const plans = await plansOf(contest.indices.relaxed, set, cell, result.relaxed.ef, ROUNDS);
      cells.push({ set: set.name, kind, share, ...result, us: plans });
    }
  }
  contest.close();
  return { set: set.name, n: set.n, metric: set.metric, unfiltered, forms, cells };
}

/** Microseconds of a search on relaxed: without a filter, with one that all pass, and with half passing, prepared or not. */
async function formCosts(contest, set, views, ef) {
  const index = contest.indices.relaxed;
  const queries = queriesOf(set);
  const bits = new Cell(views, "independent", 0.5).bits();
  const everything = index.prepareFilter(new Uint8Array((set.n + 7) >> 3).fill(255));
  const halves = bits.map((one) => index.prepareFilter(one));
  const side = (filters) => new Own(index, queries, filters);
  const sides = {
    none: side(queries.map(() => undefined)),
    everything: side(queries.map(() => everything)),
    half: side(halves),
    bitset: side(bits),
  };
  const us = await microseconds(sides, queries.length, ef, FINE_ROUNDS);
  for (const filter of [everything, ...halves]) filter.close();
  return us;
}

const measured = [];
for (const [name, metric] of Object.entries(SETS)) {
  if (sets && !sets.includes(name)) continue;
  const limit = Math.min(limitOr(4000), MOST_ROWS);
  const set = loadSet(name, { limit, queries: QUERIES, metric, neighbours: 0 });
  if (set) measured.push(await measure(set));
}
const cells = measured.flatMap((one) => one.cells);

/** NaN where the recall is not reached. */
const qpsOf = ({ recall, qps }) => (recall >= RECALL ? qps : Number.NaN);
/** hnswlib's may be below the recall, at its largest ef. */
const ratio = (cell, variant) => qpsOf(cell[variant]) / cell.native.qps;
const kept = ({ unfiltered, cells }, variant, share) => {
  const cell = cells.find((one) => one.kind === "independent" && one.share === share);
  return qpsOf(cell[variant]) / qpsOf(unfiltered[variant]);
};
const overBest = ({ us }) => us.own / Math.min(...WAYS.map((way) => us[way]));
const percent = (share) => `${+(100 * share).toFixed(1)} %`;
const planText = (plans) =>
  Object.entries(plans)
    .map(([plan, n]) => `${plan} ${n}`)
    .join(", ");
const worst = (values) => (values.some(Number.isNaN) ? Number.NaN : least(values));

const cellRow = (cell) => [
  `${percent(cell.share)}, ${cell.kind}`,
  ...["native", ...VARIANTS].flatMap((name) => {
    const { ef, recall, qps } = cell[name];
    return [ef, fixed(3)(recall), whole(qps), ...(name === "native" ? [] : [asTimes(ratio(cell, name))])];
  }),
  planText(cell.relaxed.plans),
];
const unfilteredRow = ({ unfiltered }) => [
  "no filter",
  ...["", "", ""],
  ...VARIANTS.flatMap((name) => [unfiltered[name].ef, fixed(3)(unfiltered[name].recall), whole(unfiltered[name].qps), ""]),
  planText(unfiltered.relaxed.plans),
];
const cellColumns = (one) => [
  `${one.set} ${one.metric}, ${whole(one.n)}; passing`,
  ...["hnswlib", ...VARIANTS].flatMap((name) => [`${name} ef`, "recall", "QPS", ...(name === "hnswlib" ? [] : ["/ hnswlib"])]),
  "plans of relaxed",
];
const formRow = ({ set, forms: { none, everything, half, bitset } }) => [
  set,
  ...[none, everything].map(fixed(1)),
  asTimes(none / everything),
  ...[half, bitset, bitset - half].map(fixed(1)),
];
const planRow = (cell) => [
  `${cell.set}, ${percent(cell.share)}, ${cell.kind}`,
  cell.relaxed.ef,
  ...["own", ...WAYS].map((way) => fixed(1)(cell.us[way])),
  asTimes(overBest(cell)),
];

const largest = measured.filter(({ n }) => n >= MOST_ROWS);
const gates = [
  ...VARIANTS.flatMap((variant) => {
    const ratios = cells.map((cell) => ratio(cell, variant));
    return [
      atLeast(`filter, ${variant}: QPS at ${RECALL} / hnswlib, least of ${cells.length} cells`, worst(ratios), LEAST),
      atLeast(`filter, ${variant}: QPS at ${RECALL} / hnswlib, geometric mean`, geometricMean(ratios), MEAN),
      ...Object.entries(KEPT).map(([share, asked]) => {
        const all = measured.map((one) => kept(one, variant, Number(share)));
        return atLeast(`filter, ${variant}: QPS with ${percent(share)} passing / without a filter, least`, worst(all), asked);
      }),
    ];
  }),
  atLeast(
    "filter: QPS with a prepared one that all pass / without, least",
    worst(measured.map(({ forms }) => forms.none / forms.everything)),
    ALL_PASS,
  ),
  atMost(
    `filter: us that a bitset over ${whole(MOST_ROWS)} ids takes longer than a prepared one, most`,
    largest.length ? Math.max(...largest.map(({ forms }) => forms.bitset - forms.half)) : Number.NaN,
    BITSET_US,
    fixed(1),
  ),
  atLeast(
    `filter: share of cells in which the plan takes at most ${NEAR_BEST} of the better way`,
    cells.filter((cell) => overBest(cell) <= NEAR_BEST).length / cells.length,
    MOSTLY,
    fixed(3),
  ),
];

const tables = Object.fromEntries(
  measured.map((one) => [
    `filter-${one.set}`,
    { columns: cellColumns(one), rows: [unfilteredRow(one), ...one.cells.map(cellRow)] },
  ]),
);
finish("filter", {
  tables: {
    ...tables,
    "filter-whole": {
      columns: ["relaxed, us a search", "no filter", "all pass", "QPS / no filter", "half, prepared", "half, bitset", "more"],
      rows: measured.map(formRow),
    },
    "filter-plans": {
      columns: ["relaxed, us a search; passing", "ef", "own", ...WAYS, "own / better"],
      rows: cells.map(planRow),
    },
    "filter-forms": await formsTable(),
  },
  gates: measured.length ? gates : [],
  data: { peer, sets: measured },
});
