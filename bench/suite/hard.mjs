// Sets on which graphs go astray, drawn anew by seed: every kind x layout x metric, held against exact answers and against an f32
// graph that grew one by one.
import { HARD_GATES, HARD_LAYOUTS, HARD_METRICS, measureHard, YARDSTICK } from "../kit/hard-measure.mjs";
import { drawSet, HARD_SETS } from "../kit/hard-sets.mjs";
import { drawsOr } from "../kit/options.mjs";
import { atLeast, atMost, finish, fixed, whole } from "../kit/result.mjs";

const DRAWS = drawsOr(3, 1);
const LAYOUTS = Object.keys(HARD_LAYOUTS);

/** One set in every layout and metric; `below`: how much less than the yardstick is found, without what subtracting adds. */
async function measureSet(set) {
  const all = [];
  for (const metric of Object.keys(HARD_METRICS)) {
    const yardstick = await measureHard(set, YARDSTICK, metric);
    for (const layout of LAYOUTS) {
      const found = layout === YARDSTICK ? yardstick : await measureHard(set, layout, metric);
      const { name, seed, dimensions } = set;
      all.push({
        name,
        seed,
        n: set.rows.length,
        dimensions,
        layout,
        metric,
        ...found,
        below: +(yardstick.recall - found.recall).toFixed(9),
      });
    }
  }
  return all;
}

const sum = (values) => values.reduce((total, one) => total + one, 0);
/** NaN, which no gate passes, where one could not be counted. */
const total = (all, what) => sum(all.map((one) => one[what] ?? Number.NaN));

/** What several measurements come to. */
const summary = (all) => ({
  mean: sum(all.map(({ recall }) => recall)) / all.length,
  worst: Math.min(...all.map(({ recall }) => recall)),
  below: Math.max(...all.map(({ below }) => below)),
  blind: total(all, "blind"),
  lost: total(all, "lost"),
  unreachable: total(all, "unreachable"),
});

const measured = [];
for (const name of HARD_SETS) {
  for (let seed = 1; seed <= DRAWS; seed++) {
    process.stderr.write(`${name}, draw ${seed} of ${DRAWS}\n`);
    measured.push(...(await measureSet(drawSet(name, seed))));
  }
}

const COLUMNS = ["worst recall@10", "mean", "below f32", "blind", "lost", "out of reach"];
const cells = ({ worst, mean, below, blind, lost, unreachable }) => [
  ...[worst, mean, below].map(fixed(4)),
  ...[blind, lost, unreachable].map(whole),
];
const where = (layout, name) => measured.filter((one) => one.layout === layout && (name === undefined || one.name === name));
const worstOf = ({ name, seed, layout, metric, recall }) => `${layout}: ${fixed(4)(recall)} on ${name} ${seed}, ${metric}`;

function gatesOf(layout) {
  const { worst, below, blind, unreachable } = summary(where(layout));
  const of = `hard sets, ${layout}`;
  return [
    atLeast(`${of}: recall@10 at ef 100, worst`, worst, HARD_GATES.recall, fixed(4)),
    atMost(`${of}: below f32 one by one, worst`, below, HARD_GATES.below, fixed(4)),
    atMost(`${of}: queries that find nothing right at ef 1,000`, blind, HARD_GATES.blind, whole),
    atMost(`${of}: vectors out of reach`, unreachable, HARD_GATES.unreachable, whole),
  ];
}

finish("hard", {
  tables: {
    hard: {
      columns: ["hard sets", "layout", ...COLUMNS],
      rows: HARD_SETS.flatMap((name) => LAYOUTS.map((layout) => [name, layout, ...cells(summary(where(layout, name)))])),
      notes: LAYOUTS.map((layout) => worstOf(where(layout).toSorted((a, b) => a.recall - b.recall)[0])),
    },
    "hard-metrics": {
      columns: ["hard sets", "layout", ...Object.keys(HARD_METRICS).map((metric) => `${metric}: worst, lost, out of reach`)],
      rows: HARD_SETS.flatMap((name) =>
        LAYOUTS.map((layout) => [
          name,
          layout,
          ...Object.keys(HARD_METRICS).map((metric) => {
            const { worst, lost, unreachable } = summary(where(layout, name).filter((one) => one.metric === metric));
            return `${fixed(3)(worst)}, ${whole(lost)}, ${whole(unreachable)}`;
          }),
        ]),
      ),
    },
  },
  gates: LAYOUTS.flatMap(gatesOf),
  data: { draws: DRAWS, measured },
});
