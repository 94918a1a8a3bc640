import { mixed } from "../../../guide/random.js";
import { Hnsw } from "../../../index.js";
import { share } from "../format.js";
import { type About, exact, K, type Run, vectors } from "./story.js";

export const about: About = {
  id: "filter",
  title: "Filtering afterwards starves",
  asks: "A search asks for ten that pass a filter. It can look for ten, or a hundred, and drop what does not pass, or know the filter while it walks. How many of the ten nearest that pass does it find?",
};

const N = 10_000;
const DIMENSIONS = 32;
const EF = 100;
const SHARES = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002];
/** Asked for before the filter. */
const WIDE = 100;

export const run: Run = async (tell) => {
  const { values, queries } = await vectors("clustered", N, DIMENSIONS);
  tell({ what: "building", part: 0 });
  const index = await Hnsw.create({ dimensions: DIMENSIONS, metric: "l2", atOnce: true });
  await index.addAll(values);
  const [narrow, wide, inside]: number[][] = [[], [], []];
  const plans: string[] = [];
  for (const [i, part] of SHARES.entries()) {
    tell({ what: `${share(part)} pass`, part: (i + 1) / (SHARES.length + 1) });
    const passing = Array.from({ length: N }, (_, id) => id).filter((id) => mixed(id) < part * 2 ** 32);
    const passes = new Set(passing);
    const truths = await exact(values, DIMENSIONS, "l2", queries, passing);
    const filter = index.prepareFilter(Uint32Array.from(passing));
    const right = (q: number, ids: readonly number[]): number =>
      ids.filter((id) => truths[q].ids.has(id)).length / truths[q].ids.size;
    const mean = (idsOf: (query: Float32Array) => readonly number[]): number =>
      queries.reduce((sum, query, q) => sum + right(q, idsOf(query)), 0) / queries.length;
    const after = (k: number) => (query: Float32Array) =>
      index
        .search(query, { k, ef: EF })
        .map(({ id }) => id)
        .filter((id) => passes.has(id))
        .slice(0, K);
    narrow.push(mean(after(K)));
    wide.push(mean(after(WIDE)));
    inside.push(mean((query) => index.search(query, { k: K, ef: EF, filter }).map(({ id }) => id)));
    plans.push(index.lastStats.plan ?? "");
    filter.close();
  }
  index.close();
  const at = SHARES.indexOf(0.01);
  const ten = (value: number): string => (K * value).toFixed(1);
  return {
    charts: [
      {
        title: "Of the ten nearest that pass, found",
        x: { label: "pass the filter", unit: "share", log: true, ticks: SHARES },
        y: { label: "share found", unit: "share" },
        series: [
          { name: `${K} asked for, filtered afterwards`, look: 5, xs: SHARES, ys: narrow },
          { name: `${WIDE} asked for, filtered afterwards`, look: 3, xs: SHARES, ys: wide },
          { name: "filter given to the search", look: 1, xs: SHARES, ys: inside, notes: plans.map((plan) => `plan: ${plan}`) },
        ],
      },
    ],
    sentence:
      `Where ${share(SHARES[at])} pass, ten that are filtered afterwards leave ${ten(narrow[at])} of the ten right ones, a hundred ${ten(wide[at])}; the search that is given the filter finds ${ten(inside[at])}, by the plan "${plans[at]}". ` +
      `At ${share(SHARES[0])} it goes by "${plans[0]}", at ${share(SHARES[SHARES.length - 1])} by "${plans[plans.length - 1]}".`,
  };
};
