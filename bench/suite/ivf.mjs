// IVF fast-scan beside Faiss: how many times the queries per second of a plain HNSW an inverted file over 4-bit codes answers
// at the same recall. Both of Faiss's figures are of one machine, reference/faiss-1.15.1.json has them; both of ours are of
// this one, in turns, the HNSW being native hnswlib under the parameters that Faiss's had.
import { readFileSync } from "node:fs";
import { factory } from "vicinal";
import { Contender } from "../kit/contender.mjs";
import { qpsByEffort } from "../kit/curve.mjs";
import { loadSet, queriesOf, recall } from "../kit/data.mjs";
import { quick, roundsOr, sets } from "../kit/options.mjs";
import { answers, K, searchSeconds } from "../kit/queries.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atLeast, finish, fixed, times, whole } from "../kit/result.mjs";
import { interleave, median } from "../kit/timing.mjs";
import { onVariants, VARIANTS } from "../kit/variants.mjs";
import { buildNative, handOver } from "../rival/hnswlib.mjs";

const { sets: REFERENCE } = JSON.parse(readFileSync(new URL("../reference/faiss-1.15.1.json", import.meta.url), "utf8"));
const METRICS = { l2: "l2", cos: "cosine", ip: "dot" };
const TARGET = 0.95;
/** Candidates per result that are re-scored: what Faiss's recall is of, and about the cheapest to reach the target here. */
const THEIR_FACTOR = 10;
const FACTOR = 6;
/** vicinal's, between and around those of Faiss that matter at the target. */
const NPROBES = [4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 28, 32, 40];
const [M, EF_CONSTRUCTION] = [16, 40];
const TRAINING_ROWS = 20_000;
const ROUNDS = roundsOr(7, 2);
/** In one timed stretch, at least: the set's queries over and over. */
const QUERIES = quick ? 100 : 1000;

const isFastScan = ({ factory }) => /^IVF\d+,PQ\d+x4fs$/.test(factory);
const isGraph = ({ factory }) => factory === "HNSW16";

/**
 * Faiss's two curves over one set. Its recall is after re-scoring and its QPS by codes alone: `paid` has the least that
 * re-scoring costs, which is what Faiss's own scan of all exact rows takes for as many of them.
 */
function curvesOfFaiss({ n, rows }) {
  const curve = (wanted, effort, figure) =>
    rows.filter(wanted).map((row) => ({ effort: row[effort], recall: row[figure], qps: row.qps1 }));
  const ivf = curve(isFastScan, "nprobe", `recall10_rerank${THEIR_FACTOR}x`);
  const { qps1: scans } = rows.find(({ factory }) => factory === "Flat");
  const rescoring = (THEIR_FACTOR * K) / (n * scans);
  const paid = ivf.map((point) => ({ ...point, qps: 1 / (1 / point.qps + rescoring) }));
  return { ivf, paid, graph: curve(isGraph, "efSearch", "recall10") };
}
const ratioAt = ({ ivf, graph }) => qpsByEffort(ivf, TARGET) / qpsByEffort(graph, TARGET);

const SETS =
  sets ?? (quick ? ["siftsmall-128"] : Object.keys(REFERENCE).filter((name) => ratioAt(curvesOfFaiss(REFERENCE[name])) > 0));

enableRelaxed();
const native = buildNative();

async function nativeGraph(set) {
  const graph = new Contender(native.program, handOver(native.dir, set, { m: M, efConstruction: EF_CONSTRUCTION, k: K }));
  await graph.ask("build");
  return graph;
}

async function invertedFile(set, words) {
  const index = await factory(`${words},RFlat`, { dimensions: set.d, metric: set.metric, rerank: { factor: FACTOR } });
  await index.train(set.base.subarray(0, TRAINING_ROWS * set.d));
  index.add(set.base);
  return onVariants(index);
}

/** The curves of one set: { words, n, faiss: { ivf, graph }, graph, simd, relaxed }, each a list of { effort, recall, qps }. */
async function measure(name) {
  const reference = REFERENCE[name];
  const set = loadSet(name, { metric: METRICS[reference.metric], queries: reference.queries });
  if (!set) return [];
  const efs = reference.rows.filter(isGraph).map(({ efSearch }) => efSearch);
  const words = reference.rows.find(isFastScan).factory;
  process.stderr.write(`${name}: ${words}, ${ROUNDS} rounds\n`);
  const graph = await nativeGraph(set);
  const indices = await invertedFile(set, words);
  const queries = queriesOf(set);
  const passes = Math.ceil(QUERIES / set.nq);
  const count = passes * set.nq;

  // Only the efforts on either side of the target are timed.
  const reached = NPROBES.map((nprobe) => recall(answers(indices.simd, queries, { nprobe }), set.truth));
  const enough = reached.findIndex((value) => value >= TARGET);
  const from = Math.max((enough < 0 ? NPROBES.length : enough) - 1, 0);
  const nprobes = NPROBES.slice(from, from + 2);
  const ours = nprobes.flatMap((nprobe) =>
    VARIANTS.map((variant) => [
      `${variant} ${nprobe}`,
      () => count / searchSeconds(indices[variant], queries, { nprobe }, count),
    ]),
  );
  const hits = {};
  const theirs = efs.map((ef) => [
    `graph ${ef}`,
    async () => {
      const answer = await graph.ask(`search ${ef} ${passes}`);
      hits[ef] = answer.hits;
      return count / answer.seconds;
    },
  ]);
  const contenders = Object.fromEntries([...ours, ...theirs]);
  await interleave(1, contenders); // V8's optimising compiler and the caches
  const samples = await interleave(ROUNDS, contenders);
  graph.close();

  const curveOf = (variant) =>
    nprobes.map((nprobe) => ({
      effort: nprobe,
      recall: recall(answers(indices[variant], queries, { nprobe }), set.truth),
      qps: median(samples[`${variant} ${nprobe}`]),
    }));
  const curves = Object.fromEntries(VARIANTS.map((variant) => [variant, curveOf(variant)]));
  for (const index of Object.values(indices)) index.close();
  const graphCurve = efs.map((ef) => ({
    effort: ef,
    recall: hits[ef] / (set.nq * K),
    qps: median(samples[`graph ${ef}`]),
  }));
  return [{ name, n: set.n, words, faiss: curvesOfFaiss(reference), graph: graphCurve, ...curves }];
}

const measured = [];
for (const name of SETS) measured.push(...(await measure(name)));

const cells = measured.flatMap((one) =>
  VARIANTS.map((variant) => {
    const { ivf, paid, graph } = one.faiss;
    const ours = ratioAt({ ivf: one[variant], graph: one.graph });
    return { one, variant, ours, byCodes: ratioAt({ ivf, graph }), theirs: ratioAt({ ivf: paid, graph }) };
  }),
);
const points = ({ name, words, faiss, graph, ...ours }) =>
  Object.entries({
    ...Object.fromEntries(VARIANTS.map((variant) => [`${words},RFlat, ${variant}, nprobe`, ours[variant]])),
    "hnswlib, ef": graph,
    [`Faiss, ${words}, nprobe`]: faiss.ivf,
    "Faiss, HNSW16, ef": faiss.graph,
  }).flatMap(([what, curve]) =>
    curve.map(({ effort, recall, qps }) => [`${name}: ${what} ${effort}`, fixed(4)(recall), whole(qps)]),
  );

finish("ivf", {
  tables: {
    ivf: {
      columns: [
        `QPS at recall@10 ${TARGET}`,
        "Ivf",
        "hnswlib",
        "ratio",
        "Faiss's",
        "vicinal / Faiss",
        "Faiss's by codes alone",
        "vicinal / it",
      ],
      rows: cells.map(({ one, variant, ours, byCodes, theirs }) => [
        `${one.name}, ${one.words}, ${variant}`,
        ...[one[variant], one.graph].map((curve) => whole(qpsByEffort(curve, TARGET))),
        ...[ours, theirs, ours / theirs, byCodes, ours / byCodes].map(times),
      ]),
    },
    "ivf-points": { columns: ["", "recall@10", "QPS"], rows: measured.flatMap(points) },
  },
  gates: cells.map(({ one, variant, ours, theirs }) =>
    atLeast(`${one.words} / HNSW QPS at recall ${TARGET}, over Faiss's ratio, ${one.name}, ${variant}`, ours / theirs, 1),
  ),
  data: { peer: native.about, sets: measured },
});
