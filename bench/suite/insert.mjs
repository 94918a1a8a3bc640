// What one more vector costs: the last vectors of a set, added one call each to a graph of all the others. Layouts take turns,
// vector by vector.
import { Hnsw, init } from "vicinal";
import { loadSet } from "../kit/data.mjs";
import { limitOr, quick } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { finish, fixed, times, whole } from "../kit/result.mjs";
import { median } from "../kit/timing.mjs";

const SET = "words-gutenberg-160";
const METRIC = "cosine";
const VARIANT = "relaxed";
const FRESH = quick ? 100 : 2000;
const LAYOUTS = {
  f32: {},
  "f32, fastScan": { fastScan: true },
  sq8: { codec: "sq8" },
  "sq8, rerank, fastScan": { codec: "sq8", rerank: true, fastScan: true },
};

enableRelaxed();
await init({ variant: VARIANT });
const set = loadSet(SET, { limit: limitOr(4000), metric: METRIC });
const built = set ? set.n - FRESH : 0;
const rowAt = (i) => set.base.subarray(i * set.d, (i + 1) * set.d);

const indices = {};
for (const [name, options] of Object.entries(set ? LAYOUTS : {})) {
  process.stderr.write(`${name}: build of ${built}\n`);
  indices[name] = await Hnsw.create({ dimensions: set.d, metric: METRIC, ...options });
  indices[name].add(set.base.subarray(0, built * set.d));
}
const spent = Object.fromEntries(Object.keys(indices).map((name) => [name, []]));
for (let i = built; i < (set?.n ?? 0); i++) {
  for (const [name, index] of Object.entries(indices)) {
    const start = performance.now();
    index.add([rowAt(i)]);
    spent[name].push(1000 * (performance.now() - start));
  }
}
const rows = Object.entries(spent).map(([name, all]) => ({
  name,
  median: median(all),
  p99: all.toSorted((a, b) => a - b)[Math.floor(0.99 * all.length)],
  bytes: indices[name].bytes / set.n,
}));

finish("insert", {
  tables: {
    insert: {
      columns: ["one more vector", "median us", "/ f32", "p99 us", "bytes per vector"],
      rows: rows.map(({ name, median, p99, bytes }) => [
        `${SET}, ${name}`,
        fixed(0)(median),
        times(median / rows[0].median),
        fixed(0)(p99),
        whole(bytes),
      ]),
    },
  },
  data: { n: set?.n, fresh: FRESH, rows },
});
