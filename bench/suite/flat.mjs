// Exact search over a set larger than the caches: one query against the machine's read bandwidth, the prefilter against the plain
// scan, a batch against single queries and against the machine's multiply-adds, with the recall of the lossy codecs.
import { Flat, init } from "vicinal";
import { loadSet, queriesOf, recall } from "../kit/data.mjs";
import { limitOr, quick, roundsOr } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atLeast, finish, fixed, times, whole } from "../kit/result.mjs";
import { interleave, median, seconds } from "../kit/timing.mjs";
import { reader } from "../machine/bandwidth.mjs";
import { multiplier } from "../machine/peak.mjs";

const SET = "fashion-mnist-784";
/** Of 384 dimensions and more; all but the first fit in the caches. */
const PREFILTERED = [SET, "minilm-mix-384", "bible-bge-1024", "clip-images-512"];
const K = 10;
const VARIANTS = ["simd", "relaxed"];
const CODECS = [
  { name: "f32", options: { codec: "f32" } },
  { name: "sq8", options: { codec: "sq8" } },
  { name: "sq8 + rerank", options: { codec: "sq8", rerank: true } },
];
/** Single queries in a row, for one sample. */
const SINGLES = quick ? 20 : 100;
const ROUNDS = roundsOr(5, 2);
const SCAN_ROUNDS = roundsOr(21, 5);
const PREFILTER_ROUNDS = roundsOr(7, 2);

const search = (index, query) => index.search(query, { k: K }).map(({ id }) => id);

async function fill(set, variant, options) {
  await init({ variant });
  const index = await Flat.create({ dimensions: set.d, metric: set.metric, ...options });
  index.add(set.base);
  return index;
}

/** GB per second of the plain sum and of one query, for each variant. */
async function bandwidth(set, queries) {
  const bytes = 4 * set.d * set.n;
  const read = await reader(bytes);
  const gigabytes = async (work) => bytes / (await seconds(work)) / 1e9;
  const contenders = { sum: () => gigabytes(read) };
  for (const variant of VARIANTS) {
    const index = await fill(set, variant, { codec: "f32" });
    contenders[variant] = (round) => gigabytes(() => search(index, queries[round % queries.length]));
  }
  await interleave(2, contenders); // warm-up
  return Object.entries(await interleave(SCAN_ROUNDS, contenders)).map(([name, all]) => [name, median(all)]);
}

/** Queries per second, single and in one batch, and recall, of one codec on one variant. */
async function batch(set, queries, variant, { name, options }) {
  const index = await fill(set, variant, options);
  const found = [];
  let next = 0;
  const samples = await interleave(ROUNDS, {
    single: async () => {
      const time = await seconds(() => {
        for (let i = 0; i < SINGLES; i++, next++) found[next % set.nq] = search(index, queries[next % set.nq]);
      });
      return SINGLES / time;
    },
    batch: async () => set.nq / (await seconds(() => index.searchBatch(set.queries, { k: K }))),
  });
  const { ids } = index.searchBatch(set.queries, { k: K });
  const answers = Array.from(queries, (_, i) => [...ids.subarray(i * K, (i + 1) * K)]);
  found.forEach((hits, i) => {
    if (hits.join() !== answers[i].join()) throw new Error(`${variant} ${name}: batch and single search differ at query ${i}`);
  });
  index.close();
  return { variant, name, single: median(samples.single), batch: median(samples.batch), recall: recall(answers, set.truth) };
}

/** The same single queries without and with a prefilter: queries per second, ratio, rows read, and whether all answers agree. */
async function prefilter(set, variant) {
  const asked = queriesOf(set).slice(0, SINGLES);
  const indices = { plain: await fill(set, variant, {}), fast: await fill(set, variant, { prefilter: true }) };
  const hits = (index) => asked.map((query) => index.search(query, { k: K }));
  const [plain, fast] = [hits(indices.plain), hits(indices.fast)].map((all) => JSON.stringify(all));
  if (plain !== fast) throw new Error(`${set.name}, ${variant}: the prefilter answers otherwise`);
  let rows = 0;
  for (const query of asked) {
    search(indices.fast, query);
    rows += indices.fast.lastStats.reranked / asked.length;
  }
  const speed = (index) => async () => asked.length / (await seconds(() => hits(index)));
  const samples = await interleave(PREFILTER_ROUNDS, { plain: speed(indices.plain), fast: speed(indices.fast) });
  const ratio = median(samples.fast.map((qps, i) => qps / samples.plain[i]));
  for (const index of Object.values(indices)) index.close();
  return { set: set.name, n: set.n, d: set.d, variant, plain: median(samples.plain), fast: median(samples.fast), ratio, rows };
}

/** 10^9 multiplications and additions per second, the best of all rounds: the machine's, and as many as a batch's dots have. */
async function multiplyAdds(set) {
  const { operations, run } = await multiplier();
  const index = await fill(set, "relaxed", {});
  const distances = set.n * set.nq * 2 * set.d;
  const samples = await interleave(ROUNDS, {
    peak: async () => operations / (await seconds(run)) / 1e9,
    batch: async () => distances / (await seconds(() => index.searchBatch(set.queries, { k: K }))) / 1e9,
  });
  index.close();
  return { peak: Math.max(...samples.peak), batch: Math.max(...samples.batch) };
}

enableRelaxed();
const set = loadSet(SET, { limit: limitOr(6000), queries: quick ? 100 : Infinity });
const queries = set ? queriesOf(set) : [];
const speeds = set ? await bandwidth(set, queries) : [];
const sum = speeds[0]?.[1];
const batches = [];
for (const variant of set ? VARIANTS : []) {
  for (const codec of CODECS) {
    process.stderr.write(`${variant} ${codec.name}: ${ROUNDS} rounds of ${SINGLES} single queries and a batch of ${set.nq}\n`);
    batches.push(await batch(set, queries, variant, codec));
  }
}

const prefilters = [];
for (const name of PREFILTERED) {
  const other = name === SET ? set : loadSet(name, { limit: limitOr(2000), queries: quick ? 20 : Infinity });
  for (const variant of other ? VARIANTS : []) prefilters.push(await prefilter(other, variant));
}
const madds = set ? await multiplyAdds(set) : undefined;

const ours = speeds.slice(1);
finish("flat", {
  tables: {
    flat: {
      columns: ["one query, f32", "GB/s", "/ plain sum"],
      rows: speeds.map(([name, speed]) => [name === "sum" ? "plain wasm SIMD sum" : name, fixed(2)(speed), times(speed / sum)]),
    },
    "flat-prefilter": {
      columns: ["one query, f32", "vectors", "QPS", "with prefilter", "ratio", "rows read"],
      rows: prefilters.map((p) => [
        `${p.set}, ${p.variant}`,
        whole(p.n),
        fixed(1)(p.plain),
        fixed(1)(p.fast),
        times(p.ratio),
        fixed(1)(p.rows),
      ]),
    },
    "flat-madds": {
      columns: ["", "GFLOP/s", "/ peak"],
      rows: madds
        ? [
            ["independent relaxed_madd", fixed(1)(madds.peak), times(1)],
            ["f32 batch, relaxed", fixed(1)(madds.batch), times(madds.batch / madds.peak)],
          ]
        : [],
    },
    "flat-batch": {
      columns: ["", "single QPS", "batch QPS", "batch / single", "recall@10"],
      rows: batches.map((b) => [
        `${b.name}, ${b.variant}`,
        fixed(1)(b.single),
        fixed(1)(b.batch),
        times(b.batch / b.single),
        fixed(4)(b.recall),
      ]),
    },
  },
  gates: [
    ...ours.map(([variant, speed]) => atLeast(`flat one query f32, ${variant} / read bandwidth`, speed / sum, 0.8)),
    ...batches
      .filter((b) => b.name === "f32")
      .map((b) => atLeast(`flat ${b.name} batch of ${set.nq} / single queries, ${b.variant}`, b.batch / b.single, 3)),
    ...prefilters.map((p) => atLeast(`flat prefilter / plain, ${p.set}, ${p.variant}`, p.ratio, 3)),
    ...(madds ? [atLeast("flat f32 batch, relaxed / peak of multiply-adds", madds.batch / madds.peak, 0.6)] : []),
  ],
  data: { set: SET, n: set?.n, speeds, batches, prefilters, madds },
});
