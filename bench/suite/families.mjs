// One table, family x codec, on real vectors: recall, speed, build time and memory of each combination, at the least search
// effort that reaches the recall wanted. Then the k-d tree against dimensions.
import { Flat, Forest, Hnsw, Ivf, Lsh } from "vicinal";
import { loadSet, queriesOf } from "../kit/data.mjs";
import { limitOr, metric, quick, sets } from "../kit/options.mjs";
import { answers, latencies, leastEffort } from "../kit/queries.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { finish, fixed, whole } from "../kit/result.mjs";
import { seconds } from "../kit/timing.mjs";
import { dimensionTable } from "./part/curse.mjs";

const SETS = sets ?? [quick ? "minilm-mix-384" : "gutenberg-sif-160"];
/** Recall that a search effort must reach. */
const WANTED = 0.95;
const TRAINING_ROWS = 10_000;
/** All would take twice the time. */
const MOST_ROWS = 50_000;
const MOST_QUERIES = quick ? 100 : 300;
const LEAST_SECONDS = quick ? 0.05 : 0.3;

const pq = (bits) => ({ name: `pq, ${bits} bits`, codec: { type: "pq", bits } });
const rabitq = (bits) => ({ name: `rabitq, ${bits} bit${bits > 1 ? "s" : ""}`, codec: { type: "rabitq", bits } });
/** Codecs whose walk or scan is good enough by itself, and those that want exact rows beside them. */
const FINE = ["f32", "f16", "bf16", "sq8"].map((codec) => ({ name: codec, codec }));
const COARSE = [pq(8), pq(4), ...[1, 2, 4, 8].map(rabitq), { name: "binary", codec: "binary" }];
const F32 = FINE[0];
const SQ8 = FINE[3];
const reranked = (codecs) => codecs.map(({ name, codec }) => ({ name: `${name}, rerank`, codec, rerank: true }));
const EACH = [...FINE, ...reranked([SQ8]), ...COARSE.flatMap((one) => [one, ...reranked([one])])];

const doubled = (from, times) => Array.from({ length: times }, (_, i) => from * 2 ** i);
/** What is built of each family. `effort`: the option of its searches, tried upwards. */
const FAMILIES = [
  { Index: Flat, codecs: EACH },
  { Index: Ivf, codecs: EACH, own: ({ n }) => ({ nlist: Math.round(Math.sqrt(n)) }), effort: "nprobe", efforts: doubled(4, 5) },
  {
    Index: Hnsw,
    codecs: [...FINE, ...reranked(COARSE)],
    own: () => ({ m: 16, efConstruction: 40 }),
    effort: "ef",
    efforts: doubled(16, 5),
  },
  {
    Index: Hnsw,
    codecs: [F32, ...reranked([SQ8])],
    own: () => ({ m: 16, efConstruction: 40, fastScan: true }),
    effort: "ef",
    efforts: doubled(16, 5),
  },
  { Index: Forest, codecs: [F32, SQ8], effort: "searchK", efforts: doubled(512, 5) },
  { Index: Lsh, codecs: [F32, SQ8], effort: "probes", efforts: doubled(1, 6) },
];

async function built(set, Index, { codec, rerank }, own) {
  const index = await Index.create({ dimensions: set.d, metric: set.metric, codec, ...(rerank && { rerank }), ...own });
  const build = await seconds(async () => {
    if (!index.trained) await index.train(set.base.subarray(0, TRAINING_ROWS * set.d));
    index.add(set.base);
  });
  return { index, build };
}

/** One row of the table. */
async function measure(set, { Index, own, effort, efforts }, codec) {
  process.stderr.write(`${set.name}: ${Index.name} ${codec.name}\n`);
  const { index, build } = await built(set, Index, codec, own?.(set));
  const least = effort && leastEffort(index, set, effort, efforts, WANTED);
  if (!least) answers(index, queriesOf(set).slice(0, 50)); // warm-up
  const found = latencies(index, set, least?.options, LEAST_SECONDS);
  const bytes = index.bytes / set.n;
  const words = index.stats().factory;
  index.close();
  return { family: Index.name, codec: codec.name, words, effort: least?.options, build, bytes, ...found };
}

const tableOf = (rows) => ({
  columns: ["family", "factory", "effort", "recall@10", "QPS", "p99 us", "build s", "bytes per vector"],
  rows: rows.map(({ family, words, effort, recall, qps, p99, build, bytes }) => [
    family,
    words,
    effort ? Object.entries(effort)[0].join(" ") : "",
    fixed(4)(recall),
    whole(qps),
    whole(p99),
    fixed(1)(build),
    whole(bytes),
  ]),
});

enableRelaxed();
const measured = [];
for (const name of SETS) {
  const set = loadSet(name, { limit: Math.min(limitOr(4000), MOST_ROWS), queries: MOST_QUERIES, metric });
  if (!set) continue;
  const rows = [];
  for (const family of FAMILIES) for (const codec of family.codecs) rows.push(await measure(set, family, codec));
  measured.push({ name, n: set.n, d: set.d, metric: set.metric, rows });
}
const curse = await dimensionTable();

finish("families", {
  tables: {
    ...Object.fromEntries(measured.map(({ name, rows }) => [`families-${name}`, tableOf(rows)])),
    curse: curse.table,
  },
  data: { sets: measured, curse: curse.data },
});
