// Recall beside Faiss: the same sets, descriptions, training rows and search efforts, by codes alone and with the best 4 or
// 10 candidates per result re-scored exactly. reference/faiss-1.15.1.json holds what Faiss reached.
import { readFileSync } from "node:fs";
import { factory } from "vicinal";
import { loadSet, queriesOf, recall } from "../kit/data.mjs";
import { factory as pattern, quick, sets } from "../kit/options.mjs";
import { answers, K } from "../kit/queries.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atLeast, finish, fixed } from "../kit/result.mjs";
import { seconds } from "../kit/timing.mjs";

const { sets: REFERENCE } = JSON.parse(readFileSync(new URL("../reference/faiss-1.15.1.json", import.meta.url), "utf8"));
const SETS = sets ?? (quick ? ["siftsmall-128"] : Object.keys(REFERENCE));
const METRICS = { l2: "l2", cos: "cosine", ip: "dot" };
const TRAINING_ROWS = 20_000;
/** Faiss's lsh codes bits of a vector, vicinal's Lsh finds by buckets: nothing to compare. Quick: what trains at once. */
const WANTED = new RegExp(pattern ?? (quick ? "^(?!LSH|.*x8)" : "^(?!LSH)"));
/** How much less than Faiss's a recall may be: the noise of another random start. */
const LESS = 0.01;
/** What is compared: a figure's name there, and where it comes from here. 10 candidates per result are 4 for 2.5 times k. */
const FACTOR = 4;
const FIGURES = [
  { name: "recall10", title: "recall@10", reranked: false, k: K },
  { name: "recall10_rerank4x", title: "re-scored 4x", reranked: true, k: K },
  { name: "recall10_rerank10x", title: "re-scored 10x", reranked: true, k: (10 / FACTOR) * K },
];

async function built(set, words, options) {
  const index = await factory(words, { dimensions: set.d, metric: set.metric, ...options });
  if (!index.trained) await index.train(set.base.subarray(0, TRAINING_ROWS * set.d));
  index.add(set.base);
  return index;
}

/** What the search is told, by the names of vicinal. */
const effortOf = ({ nprobe, efSearch }) => ({ ...(nprobe && { nprobe }), ...(efSearch && { ef: efSearch }) });

/** All rows of one description, over one plain index and one that re-scores. */
async function measure(set, words, rows) {
  const queries = queriesOf(set);
  const own = words.startsWith("HNSW") ? { efConstruction: 40 } : {};
  const indices = { false: await built(set, words, own) };
  if (rows.some((row) => FIGURES.some(({ name, reranked }) => reranked && name in row))) {
    indices.true = await built(set, `${words},RFlat`, { ...own, rerank: { factor: FACTOR } });
  }
  const compared = rows.map((row) => {
    const effort = effortOf(row);
    const figures = FIGURES.filter(({ name }) => name in row).map(({ name, reranked, k }) => {
      const found = answers(indices[reranked], queries, { ...effort, k }).map((ids) => ids.slice(0, K));
      const ours = recall(found, set.truth);
      // Both are whole numbers of hits: what is printed decides.
      const difference = Number((ours - row[name]).toFixed(4));
      return { name, ours, reference: row[name], difference, ok: difference >= -LESS };
    });
    return { words, effort, figures };
  });
  for (const index of Object.values(indices)) index.close();
  return compared;
}

async function measureSet(name) {
  if (!REFERENCE[name]) {
    console.log(`${name}: SKIPPED, there are no figures of Faiss for it, only for ${Object.keys(REFERENCE).join(", ")}`);
    return [];
  }
  const { metric, queries, rows } = REFERENCE[name];
  const set = loadSet(name, { metric: METRICS[metric], queries });
  if (!set) return [];
  const wanted = rows.filter((row) => WANTED.test(row.factory));
  const compared = [];
  for (const words of new Set(wanted.map((row) => row.factory))) {
    process.stderr.write(`${name}: ${words} `);
    const own = wanted.filter((row) => row.factory === words);
    const spent = await seconds(async () => compared.push(...(await measure(set, words, own))));
    process.stderr.write(`${spent.toFixed(1)} s\n`);
  }
  return [{ name, compared }];
}

const described = ({ words, effort }) => [words, ...Object.entries(effort).flat()].join(" ");

const tableOf = ({ compared }) => ({
  columns: ["", ...FIGURES.flatMap(({ title }) => [title, "Faiss", "difference"]), "ok"],
  rows: compared.map((row) => [
    described(row),
    ...FIGURES.flatMap(({ name }) => {
      const figure = row.figures.find((one) => one.name === name);
      return figure ? [figure.ours, figure.reference, figure.difference].map(fixed(4)) : ["", "", ""];
    }),
    row.figures.every(({ ok }) => ok) ? "yes" : "NO",
  ]),
});

function gateOf({ name, compared }) {
  const all = compared.flatMap((row) => row.figures.map((figure) => ({ ...figure, row })));
  const worst = all.reduce((a, b) => (b.difference < a.difference ? b : a));
  const { title } = FIGURES.find((figure) => figure.name === worst.name);
  const what = `${name}: recall less Faiss's, least of ${all.length} (${described(worst.row)}, ${title})`;
  return atLeast(what, worst.difference, -LESS, fixed(4));
}

enableRelaxed();
const measured = [];
for (const name of SETS) measured.push(...(await measureSet(name)));
const any = measured.filter(({ compared }) => compared.length > 0);

finish("reference", {
  tables: Object.fromEntries(any.map((one) => [`reference-${one.name}`, tableOf(one)])),
  gates: any.map(gateOf),
  data: measured,
});
