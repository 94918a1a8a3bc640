import { uniform } from "../../../guide/random.js";
import { Hnsw } from "../../../index.js";
import { count, recall as recallText, share } from "../format.js";
import { type About, exact, type Found, found, K, type Query, type Run, vectors } from "./story.js";

export const about: About = {
  id: "tombstones",
  title: "Tombstones, and what is found among them",
  asks: "Vectors are removed from a graph. It can mark them and drop them from the answers, or mend its links. What do searches then find, and what do they cost?",
};

const N = 8000;
const DIMENSIONS = 32;
const EF = 40;
const SHARES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

export const run: Run = async (tell) => {
  const { values, queries } = await vectors("clustered", N, DIMENSIONS);
  tell({ what: "building", part: 0 });
  const build = async (): Promise<Hnsw> => {
    const index = await Hnsw.create({ dimensions: DIMENSIONS, metric: "l2", atOnce: true });
    await index.addAll(values);
    return index;
  };
  const [marked, mended] = [await build(), await build()];
  const next = uniform(7);
  const order = Array.from({ length: N }, (_, id) => ({ id, key: next() })).sort((a, b) => a.key - b.key);
  const dropped: Found[] = [];
  const removed: Found[] = [];
  let [gone, waiting] = [0, 0];
  for (const [i, part] of SHARES.entries()) {
    tell({ what: `${share(part)} removed`, part: (i + 1) / (SHARES.length + 1) });
    const upTo = Math.round(part * N);
    const ids = order.slice(gone, upTo).map(({ id }) => id);
    if (ids.length) mended.remove(ids);
    gone = upTo;
    waiting = mended.deleted;
    const dead = new Set(order.slice(0, gone).map(({ id }) => id));
    const living = order.slice(gone).map(({ id }) => id);
    const truths = await exact(values, DIMENSIONS, "l2", queries, living);
    dropped.push(without(marked, queries, truths, dead));
    removed.push(found(mended, queries, truths, { ef: EF }));
  }
  const last = SHARES.length - 1;
  const before = mended.bytes;
  await mended.compact();
  const after = found(
    mended,
    queries,
    await exact(
      values,
      DIMENSIONS,
      "l2",
      queries,
      order.slice(gone).map(({ id }) => id),
    ),
    { ef: EF },
  );
  const freed = before - mended.bytes;
  for (const index of [marked, mended]) index.close();
  const x = { label: "removed", unit: "share" } as const;
  const series = (axis: keyof Found) => [
    { name: "marked, and dropped from the answers", look: 5, xs: SHARES, ys: dropped.map((one) => one[axis]) },
    { name: "removed, links mended", look: 1, xs: SHARES, ys: removed.map((one) => one[axis]) },
    { name: "after compact()", look: 3, xs: [SHARES[last]], ys: [after[axis]], apart: true },
  ];
  return {
    charts: [
      { title: `Recall at ef ${EF} of what is left`, x, y: { label: "recall", unit: "recall" }, series: series("recall") },
      { title: "Work of a search", x, y: { label: "distances", unit: "count" }, series: series("distances") },
    ],
    sentence:
      `With ${share(SHARES[last])} removed, a search that drops the marked ones finds ${recallText(dropped[last].recall)} of what is left, and looks at ${count(dropped[last].distances)} vectors for it; ` +
      `the graph that remove() has mended finds ${recallText(removed[last].recall)} by ${count(removed[last].distances)} distances, with ${count(waiting)} places still to be freed. ` +
      `compact(): ${recallText(after.recall)} by ${count(after.distances)}, and ${(freed / 1e6).toFixed(1)} MB less.`,
  };
};

/** As many hits as are asked for, less those that are dead. */
function without(index: Hnsw, queries: readonly Query[], truths: Parameters<typeof found>[2], dead: ReadonlySet<number>): Found {
  let [recall, distances] = [0, 0];
  for (const [i, query] of queries.entries()) {
    const hits = index.search(query, { k: K, ef: EF }).filter(({ id }) => !dead.has(id));
    recall += hits.filter(({ id }) => truths[i].ids.has(id)).length / truths[i].ids.size / queries.length;
    distances += index.lastStats.distances / queries.length;
  }
  return { recall, distances };
}
