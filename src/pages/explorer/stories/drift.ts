import { Ivf } from "../../../index.js";
import { recall as recallText, share } from "../format.js";
import { type About, byIds, exact, found, type Run, rowAt, vectors } from "./story.js";

export const about: About = {
  id: "drift",
  title: "Drift, and training anew",
  asks: "Lists and codebooks are learned from what was there. Vectors of another kind take its place, a fifth at a time, and queries with them. What does the same search find, and what after train()?",
};

const N = 8000;
const DIMENSIONS = 32;
const SHARES = [0, 0.2, 0.4, 0.6, 0.8, 1];
const NPROBE = 8;

export const run: Run = async (tell) => {
  const [old, later] = [await vectors("clustered", N, DIMENSIONS, 1), await vectors("clustered", N, DIMENSIONS, 2)];
  // Of the later ones half of the values are but an echo: the room is another, not only the places in it.
  const squeezed = (row: Float32Array): Float32Array => row.map((value, j) => (j % 2 ? 0.15 * value : 2 * value));
  const values = old.values.slice();
  const queries = [...old.queries];
  const [index, codes] = [await built(values, true), await built(values, false)];
  const [kept, anew]: number[][] = [[], []];
  let done = 0;
  for (const [i, part] of SHARES.entries()) {
    tell({ what: `${share(part)} replaced`, part: i / SHARES.length });
    const upTo = Math.round(part * N);
    const ids = Array.from({ length: upTo - done }, (_, j) => done + j);
    for (const id of ids) values.set(squeezed(rowAt(later.values, id, DIMENSIONS)), id * DIMENSIONS);
    if (ids.length) for (const one of [index, codes]) one.upsert(values.slice(done * DIMENSIONS, upTo * DIMENSIONS), ids);
    for (const q of queries.keys()) if (q < part * queries.length) queries[q] = squeezed(later.queries[q]);
    done = upTo;
    const truths = byIds(await exact(values, DIMENSIONS, "l2", queries));
    kept.push(found(index, queries, truths, { nprobe: NPROBE }).recall);
    const fresh = await built(values, false);
    anew.push(found(fresh, queries, truths, { nprobe: NPROBE }).recall);
    fresh.close();
  }
  const truths = byIds(await exact(values, DIMENSIONS, "l2", queries));
  const after: number[] = [];
  for (const one of [index, codes]) {
    await one.train();
    after.push(found(one, queries, truths, { nprobe: NPROBE }).recall);
    one.close();
  }
  const last = SHARES.length - 1;
  return {
    charts: [
      {
        title: `Recall of an IVF-PQ, nprobe ${NPROBE}`,
        x: { label: "replaced by vectors of another kind", unit: "share" },
        y: { label: "recall", unit: "recall" },
        series: [
          { name: "learned from the first vectors", look: 5, xs: SHARES, ys: kept },
          { name: "learned anew each time", look: 1, xs: SHARES, ys: anew },
          { name: "after train(), from rows kept beside the codes", look: 3, xs: [1], ys: [after[0]], apart: true },
          { name: "after train(), from codes alone", look: 4, xs: [1], ys: [after[1]], apart: true },
        ],
      },
    ],
    sentence:
      `When all are replaced, what was learned first finds ${recallText(kept[last])}, an index that learned from what is there ${recallText(anew[last])}; ` +
      `train() brings the old one to ${recallText(after[0])} where the rows are kept beside the codes, and to ${recallText(after[1])} where it has to learn from the codes themselves. ` +
      `At the start it found ${recallText(kept[0])}. doctor() of vicinal/guide measures such drift in an index of yours.`,
  };
};

/** With the rows kept it re-scores as many candidates as there are results: what it finds is what its codes find. */
async function built(values: Float32Array, rows: boolean): Promise<Ivf> {
  const index = await Ivf.create({
    ...{ dimensions: DIMENSIONS, metric: "l2", expected: N },
    codec: { type: "pq", m: DIMENSIONS / 2, bits: 4 },
    rerank: rows && { codec: "f32", factor: 1 },
  });
  await index.addAll(values);
  if (!index.trained) await index.train();
  return index;
}
