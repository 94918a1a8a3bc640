// Compressed indices that re-score exactly, against the exact scan of f32 rows: IVF-PQ with fast-scan, and rabitq.
import { Flat, Ivf } from "vicinal";
import { loadSet, queriesOf, recall } from "../../kit/data.mjs";
import { limitOr, quick, roundsOr } from "../../kit/options.mjs";
import { answers, leastEffort, searchSeconds } from "../../kit/queries.mjs";
import { atLeast, atMost, fixed, times, whole } from "../../kit/result.mjs";
import { interleave, median } from "../../kit/timing.mjs";
import { contendersOf, onVariants, VARIANTS } from "../../kit/variants.mjs";

const TRAINING_ROWS = 20_000;
/** Queries of one sample. */
const QUERIES = quick ? { flat: 5, coded: 20 } : { flat: 25, coded: 250 };
const ROUNDS = roundsOr(9, 2);

const IVF_PQ = { nlist: 316, codec: { type: "pq", m: 80, bits: 4 }, rerank: { factor: 10 } };
const NPROBES = [16, 20, 24, 28, 32, 40, 48, 64];
const RABITQ = { codec: { type: "rabitq", bits: 1 }, rerank: { factor: "adaptive" } };
const RABITQ_SETS = quick
  ? ["minilm-mix-384"]
  : ["minilm-mix-384", "clip-images-512", "fashion-mnist-784", "mnist-784", "bible-bge-1024"];

async function built(set, Index, options) {
  const index = await Index.create({ dimensions: set.d, metric: set.metric, ...options });
  if (!index.trained) await index.train(set.base.subarray(0, TRAINING_ROWS * set.d));
  index.add(set.base);
  return onVariants(index);
}

/** Median QPS of both on each variant, in turns: [{ variant, flat, coded }]. */
async function speeds(queries, indices, options) {
  const contenders = contendersOf(indices, (index, name) => {
    return QUERIES[name] / searchSeconds(index, queries, options[name], QUERIES[name]);
  });
  await interleave(1, contenders); // warm-up
  const samples = await interleave(ROUNDS, contenders);
  return VARIANTS.map((variant) => ({
    variant,
    flat: median(samples[`flat ${variant}`]),
    coded: median(samples[`coded ${variant}`]),
  }));
}

function close(indices) {
  for (const index of Object.values(indices).flatMap(Object.values)) index.close();
}

/** IVF-PQ of 4 bits; its bytes are all its memory but the exact rows, which no scan reads. */
export async function ivfPq(set) {
  process.stderr.write(`${set.name}: IVF-PQ against Flat, ${ROUNDS} rounds\n`);
  const indices = { flat: await built(set, Flat, {}), coded: await built(set, Ivf, IVF_PQ) };
  const rawBytes = 4 * set.d;
  const share = (indices.coded.simd.bytes / set.n - rawBytes) / rawBytes;
  const { options, recall: reached } = leastEffort(indices.coded.simd, set, "nprobe", NPROBES, 0.95);
  const measured = await speeds(queriesOf(set), indices, { coded: options });
  const words = indices.coded.simd.stats().factory;
  close(indices);
  return {
    data: { words, options, reached, share, measured },
    tables: {
      "gates-ivf": {
        columns: [set.name, "nprobe", "recall@10", "QPS", "Flat f32 QPS", "ratio", "bytes without exact rows / f32"],
        rows: measured.map(({ variant, flat, coded }) => [
          `${words}, ${variant}`,
          options.nprobe,
          fixed(4)(reached),
          whole(coded),
          whole(flat),
          times(coded / flat),
          times(share),
        ]),
      },
    },
    gates: [
      atLeast(`${words}, ${set.name}: recall@10`, reached, 0.95, fixed(4)),
      ...measured.map(({ variant, flat, coded }) =>
        atLeast(`${words} / Flat f32 QPS, ${set.name}, ${variant}`, coded / flat, 20),
      ),
      atMost(`${words}: bytes per vector scanned / f32`, share, 0.35),
    ],
  };
}

async function rabitqOn(set) {
  process.stderr.write(`${set.name}: rabitq against Flat, ${ROUNDS} rounds\n`);
  const queries = queriesOf(set);
  const indices = { flat: await built(set, Flat, {}), coded: await built(set, Flat, RABITQ) };
  const found = answers(indices.coded.simd, queries);
  const reached = recall(found, set.truth);
  let reranked = 0;
  for (const query of queries) {
    indices.coded.simd.search(query);
    reranked += indices.coded.simd.lastStats.reranked;
  }
  const measured = await speeds(queries, indices, {});
  close(indices);
  return { name: set.name, n: set.n, d: set.d, reached, reranked: reranked / set.nq, measured };
}

/** rabitq of one bit, on every set of many dimensions. */
export async function rabitq() {
  const all = [];
  for (const name of RABITQ_SETS) {
    const set = loadSet(name, { limit: limitOr(4000), queries: quick ? 50 : Infinity });
    if (set) all.push(await rabitqOn(set));
  }
  const cells = all.flatMap((one) => one.measured.map((speed) => ({ ...one, ...speed })));
  return {
    data: all,
    tables: {
      "gates-rabitq": {
        columns: ["rabitq, 1 bit", "rows", "recall@10", "re-scored", "QPS", "Flat f32 QPS", "ratio"],
        rows: cells.map(({ name, variant, n, reached, reranked, coded, flat }) => [
          `${name}, ${variant}`,
          whole(n),
          fixed(4)(reached),
          whole(reranked),
          whole(coded),
          whole(flat),
          times(coded / flat),
        ]),
      },
    },
    gates: [
      ...all.map(({ name, reached }) => atLeast(`rabitq 1 bit, ${name}: recall@10`, reached, 0.99, fixed(4))),
      ...cells.map(({ name, variant, coded, flat }) =>
        atLeast(`rabitq 1 bit / Flat f32 QPS, ${name}, ${variant}`, coded / flat, 12),
      ),
    ],
  };
}
