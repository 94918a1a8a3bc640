// Whether what a search costs grows smoothly: its median time over a grid of ef, k, share that passes and share removed, each point
// held against its neighbours.
import { Hnsw, init } from "vicinal";
import { loadSet, queriesOf } from "../kit/data.mjs";
import { limitOr, quick, sets } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { times as asTimes, atMost, finish, fixed, whole } from "../kit/result.mjs";
import { chance } from "./part/filter-cells.mjs";
import { Grid } from "./part/grid.mjs";

const SETS = { "gutenberg-sif-160": "cosine", "minilm-mix-384": "cosine" };
const LAYOUTS = { fastScan: { fastScan: true }, f32: {} };
/** Of a set, for the time it takes. */
const MOST_ROWS = 60000;
const QUERIES = quick ? 5 : 15;
/** The outermost last: a stage of the index, then a filter. The work asked for is as ef and as k; a share asks for none. */
const AXES = quick
  ? { ef: [1, 8, 64, 512], k: [1, 30, 1000], share: [1, 0.5, 0.2], removed: [0, 0.5] }
  : {
      ef: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      k: [1, 3, 10, 30, 100, 300, 1000],
      share: [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001],
      removed: [0, 0.1, 0.2, 0.3, 0.4, 0.5],
    };
const GROWS = ["ef", "k"];
/** From a point to its neighbour time grows by at most so many times what the work does, or 1 where that shrinks. */
const SMOOTH = 3;
/** In the table; the file of results has them all. */
const MOST_LISTED = 40;

enableRelaxed();
await init({ variant: "relaxed" });

async function measure(set, layout) {
  const index = await Hnsw.create({ dimensions: set.d, metric: set.metric, ...LAYOUTS[layout] });
  index.add(set.base);
  const queries = queriesOf(set);
  const all = Array.from({ length: set.n }, (_, id) => id);
  const filters = new Map(
    AXES.share.map((share) => [share, share < 1 ? index.prepareFilter(all.filter((id) => chance(id, 1) < share)) : undefined]),
  );
  /** The median of all queries, after two that are not timed: { us, plan }. */
  const time = ({ ef, k, share }) => {
    const options = { k, ef, filter: filters.get(share) };
    for (const query of queries.slice(0, 2)) index.search(query, options);
    const spent = queries.map((query) => {
      const start = performance.now();
      index.search(query, options);
      return 1000 * (performance.now() - start);
    });
    return { us: spent.sort((a, b) => a - b)[spent.length >> 1], plan: index.lastStats.plan };
  };
  const grid = new Grid(AXES, GROWS, SMOOTH, time);
  let gone = 0;
  for (const removed of AXES.removed) {
    process.stderr.write(`${set.name}, ${layout}: ${100 * removed} % removed\n`);
    index.remove(all.filter((id) => chance(id, 2) >= gone && chance(id, 2) < removed));
    gone = removed;
    grid.measure("removed", removed);
  }
  index.close();
  return { set: set.name, layout, n: set.n, points: grid.points, steps: grid.steps };
}

const measured = [];
for (const [name, metric] of Object.entries(SETS)) {
  if (sets && !sets.includes(name)) continue;
  const set = loadSet(name, { limit: Math.min(limitOr(4000), MOST_ROWS), queries: QUERIES, metric, neighbours: 0 });
  if (!set) continue;
  for (const layout of Object.keys(LAYOUTS)) measured.push(await measure(set, layout));
}

const cliffs = measured.flatMap(({ set, layout, steps }) =>
  steps.filter(({ over }) => over > SMOOTH).map((step) => ({ set, layout, ...step })),
);
const worst = (steps) => Math.max(...steps.map(({ over }) => over));
const at = ({ ef, k, share, removed }) => `ef ${ef}, k ${k}, ${+(100 * share).toFixed(1)} % pass, ${100 * removed} % removed`;

finish("cliffs", {
  tables: {
    cliffs: {
      columns: ["", "points", "least us", "most us", "steps", `over ${SMOOTH}x`, "worst"],
      rows: measured.map(({ set, layout, n, points, steps }) => {
        const us = points.map((point) => point.us);
        const over = steps.filter((step) => step.over > SMOOTH).length;
        const ends = [Math.min(...us), Math.max(...us)].map(fixed(1));
        return [`${set}, ${whole(n)}, ${layout}`, points.length, ...ends, steps.length, over, asTimes(worst(steps))];
      }),
    },
    "cliffs-list": {
      columns: ["from", "us", "plan", "along", "to", "us", "plan", "time over work"],
      rows: cliffs
        .toSorted((a, b) => b.over - a.over)
        .slice(0, MOST_LISTED)
        .map(({ set, layout, axis, from, to, over }) => [
          ...[`${set}, ${layout}, ${at(from)}`, fixed(1)(from.us), from.plan],
          ...[axis, to[axis], fixed(1)(to.us), to.plan, asTimes(over)],
        ]),
    },
  },
  gates: measured.map(({ set, layout, steps }) =>
    atMost(`cliffs, ${set}, ${layout}: growth of time over that of work, most of ${steps.length} steps`, worst(steps), SMOOTH),
  ),
  data: { cliffs, sets: measured.map(({ set, layout, n, points }) => ({ set, layout, n, points })) },
});
