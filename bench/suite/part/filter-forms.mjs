// What a filter costs in each form that a caller can give: the same searches, the same share of ids passing, forms in turn.
import { Hnsw, init } from "vicinal";
import { loadSet, queriesOf } from "../../kit/data.mjs";
import { limitOr, quick, roundsOr } from "../../kit/options.mjs";
import { fixed } from "../../kit/result.mjs";
import { interleave, median } from "../../kit/timing.mjs";

const SET = "words-gutenberg-160";
const METRIC = "cosine";
const SHARES = [0.5, 0.1, 0.01, 0.001];
const QUERIES = quick ? 10 : 100;
const ROUNDS = roundsOr(7, 2);
const OPTIONS = { k: 10, ef: 64 };

/** The ids that pass, as each form that `filter` takes. */
const FORMS = {
  prepareFilter: (ids, _, index) => index.prepareFilter(ids),
  "bitset (Uint8Array)": (ids, n) => {
    const bits = new Uint8Array((n + 7) >> 3);
    for (const id of ids) bits[id >> 3] |= 1 << (id & 7);
    return bits;
  },
  Uint32Array: (ids) => Uint32Array.from(ids),
  "array of numbers": (ids) => ids,
  Set: (ids) => new Set(ids),
  "function (id) => boolean": (ids) => {
    const set = new Set(ids);
    return (id) => set.has(id);
  },
};

/** The table, without rows where the set is missing. */
export async function formsTable() {
  const columns = [`${SET}, us a search; passing`, ...SHARES.map((share) => `${share * 100} %`)];
  await init({ variant: "relaxed" });
  const set = loadSet(SET, { limit: limitOr(4000), queries: QUERIES, metric: METRIC, neighbours: 0 });
  if (!set) return { columns, rows: [] };
  const queries = queriesOf(set);
  const index = await Hnsw.create({ dimensions: set.d, metric: METRIC });
  process.stderr.write(`${SET}: building\n`);
  index.add(set.base);
  const timed = (filter) => () => {
    const start = performance.now();
    for (const query of queries) index.search(query, { ...OPTIONS, filter });
    return (1000 * (performance.now() - start)) / queries.length;
  };
  const contenders = { "no filter": timed(undefined) };
  for (const share of SHARES) {
    const ids = Array.from({ length: set.n }, (_, id) => id).filter((id) => (Math.imul(id, 0x9e3779b1) >>> 0) / 2 ** 32 < share);
    for (const [form, make] of Object.entries(FORMS)) contenders[`${form} ${share}`] = timed(make(ids, set.n, index));
  }
  const samples = await interleave(ROUNDS, contenders);
  index.close();
  const us = (name) => fixed(0)(median(samples[name]));
  const unfiltered = ["no filter", us("no filter"), ...SHARES.slice(1).map(() => "")];
  return {
    columns,
    rows: [unfiltered, ...Object.keys(FORMS).map((form) => [form, ...SHARES.map((share) => us(`${form} ${share}`))])],
  };
}
