// What doctor() names of faults that are seeded in real vectors, and what following its advice brings back of what they cost. Every fault at three
// strengths, on three sets; and indices without one, in which it is to find no problem.
import { Flat, Hnsw, Ivf, init } from "vicinal";
import { doctor, tune } from "vicinal/guide";
import { loadSet, queriesOf } from "../kit/data.mjs";
import { limitOr, quick, sets } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atLeast, atMost, finish, fixed } from "../kit/result.mjs";

const SETS = ["words-es-64", "gutenberg-sif-160", "minilm-mix-384"];
const N = 8000;
const K = 10;
const ASKED = 300;
const PROMISE = { place: 2, regained: 0.9 };

enableRelaxed();
await init({ variant: "relaxed" });

/** The share of the nearest that are found at the index's own effort; `truth`: who they are, by exact search of what it holds. */
function recallOf(index, queries, truth = (query) => index.search(query, { k: K, exact: true }).map(({ id }) => id)) {
  let found = 0;
  for (const query of queries) {
    const right = new Set(truth(query));
    for (const { id } of index.search(query, { k: K })) if (right.has(id)) found++;
  }
  return found / (K * queries.length);
}

async function filled(made, rows) {
  const index = await made;
  await index.addAll(rows);
  if (!index.trained) await index.train();
  return index;
}

/** Rows as far from what they were as they are long, to the side. */
const moved = (far) => (row) => row.map((x, j) => (j % 2 ? -x : x) + (far * Math.hypot(...row)) / Math.sqrt(row.length));
const lists = { nlist: 80, nprobe: 12 };
const coarse = (d) => ({ codec: { type: "pq", m: d / 8 }, rerank: { factor: 8 } });

/**
 * By the finding that is to be named: strengths, and what makes an index that has it. `now`: what suffers by it, 1 where nothing does (recall;
 * of `unbalanced` the share of vectors that a search does not look at, of `removed` the bytes of what is left over those held, of `duplicates`
 * the share of different answers); `mend` follows the advice; `best`: what a build without the fault has.
 */
const FAULTS = {
  effort: {
    strengths: [4, 8, 16],
    async seeded({ rows, queries, of }, times) {
      const index = await Hnsw.create({ ...of, m: 4, efConstruction: 24 });
      index.add(rows.slice(0, N / times));
      await tune(index, { recall: 0.95, queries });
      for (const row of rows.slice(N / times)) index.add(row);
      const mend = () => tune(index, { recall: 0.95, queries });
      return { index, options: { queries, recall: 0.95 }, now: () => recallOf(index, queries), mend, best: 0.95 };
    },
  },
  streamed: {
    strengths: [0.7, 0.4, 0.1],
    async seeded({ rows, queries, of }, first) {
      const options = { ...of, fastScan: true, m: 6, efConstruction: 40, ef: 10 };
      const fresh = await filled(Hnsw.create(options), rows);
      const best = recallOf(fresh, queries);
      fresh.close();
      const index = await filled(Hnsw.create(options), rows.slice(0, first * N));
      await doctor(index, { queries, recall: 0 });
      for (const row of rows.slice(first * N)) index.add(row);
      return {
        index,
        options: { queries, recall: best },
        now: () => recallOf(index, queries),
        mend: () => index.compact(),
        best,
      };
    },
  },
  drift: {
    strengths: [1, 2, 4],
    async seeded({ rows, queries, of, d }, far) {
      const made = { ...of, ...coarse(d), ...lists };
      const [early, late] = [rows.slice(0, N / 2), rows.slice(N / 2).map(moved(far))];
      const theirs = queries.map(moved(far));
      const fresh = await filled(Ivf.create(made), [...early, ...late]);
      const best = recallOf(fresh, theirs);
      fresh.close();
      const index = await filled(Ivf.create(made), early);
      for (const row of late) index.add(row);
      return { index, options: { queries: theirs }, now: () => recallOf(index, theirs), mend: () => index.train(), best };
    },
  },
  unbalanced: {
    strengths: [0.05, 0.1, 0.2],
    async seeded({ rows, queries, of }, part) {
      const index = await Ivf.create({ ...of, ...lists });
      const sample = rows.slice(0, 0.55 * N);
      await index.train(sample.map((row, i) => (i < part * sample.length ? row : moved(20)(row))));
      index.add(rows);
      const fresh = await filled(Ivf.create({ ...of, ...lists }), rows);
      const looked = (one) => {
        one.searchBatch(queries, { k: K });
        return 1 - one.lastStats.distances / queries.length / N;
      };
      const best = looked(fresh);
      fresh.close();
      return { index, options: {}, now: () => looked(index), mend: () => index.train(), best };
    },
  },
  starved: {
    strengths: [2, 3, 4],
    async seeded({ rows, queries, of }, m) {
      const found = { index: await filled(Hnsw.create({ ...of, m, efConstruction: 2 * m }), rows), options: {} };
      const mend = async () => {
        found.index.close();
        found.index = await filled(Hnsw.create({ ...of, m: 16, efConstruction: 200 }), rows);
      };
      return Object.assign(found, { now: () => recallOf(found.index, queries), mend, best: 1 });
    },
  },
  codes: {
    strengths: [1, 2, 4],
    async seeded({ rows, queries, of, d }, factor) {
      const codec = { type: "pq", m: d / 8, bits: 4 };
      const made = (rerank) => filled(Flat.create({ ...of, codec, rerank: { factor: rerank } }), rows);
      const found = { index: await made(factor), options: { queries, recall: 0.95 } };
      const mend = async () => {
        found.index.close();
        found.index = await made(80);
      };
      return Object.assign(found, { now: () => recallOf(found.index, queries), mend, best: 1 });
    },
  },
  queries: {
    strengths: [1, 2, 4],
    async seeded({ rows, queries, of }, far) {
      const index = await filled(Hnsw.create({ ...of, m: 6, efConstruction: 40, ef: 10 }), rows);
      const theirs = queries.map(moved(far));
      const mend = () => tune(index, { recall: 0.95, queries: theirs });
      return { index, options: { queries: theirs }, now: () => recallOf(index, theirs), mend, best: 0.95 };
    },
  },
  metric: {
    strengths: [1, 1.5, 2],
    async seeded({ rows, queries, d }, spread) {
      const long = rows.map((row, i) => row.map((x) => x * Math.exp(spread * Math.sin(i * i))));
      const dot = await filled(Hnsw.create({ dimensions: d, metric: "dot", ef: 128 }), long);
      const truth = (query) => dot.search(query, { k: K, exact: true }).map(({ id }) => id);
      const found = { index: await filled(Hnsw.create({ dimensions: d, metric: "cosine" }), long), options: {} };
      const mend = () => {
        found.index.close();
        found.index = dot;
      };
      return Object.assign(found, { now: () => recallOf(found.index, queries, truth), mend, best: 1 });
    },
  },
  removed: {
    strengths: [0.3, 0.5, 0.7],
    async seeded({ rows, of }, share) {
      const left = await filled(Hnsw.create(of), rows.slice(share * N));
      const { bytes } = left;
      left.close();
      const index = await filled(Hnsw.create(of), rows);
      index.remove(Uint32Array.from({ length: share * N }, (_, i) => i));
      return { index, options: {}, now: () => Math.min(bytes / index.bytes, 1), mend: () => index.compact(), best: 1 };
    },
  },
  duplicates: {
    strengths: [2, 5, 10],
    async seeded({ rows, queries, of }, copies) {
      const few = rows.slice(0, N / copies);
      const copied = few.flatMap((row) => new Array(copies).fill(row));
      const found = { index: await filled(Hnsw.create(of), copied), options: {} };
      let each = copies;
      const different = () =>
        queries.reduce(
          (sum, query) => sum + new Set(found.index.search(query, { k: K }).map(({ id }) => Math.floor(id / each))).size,
          0,
        );
      const mend = async () => {
        found.index.close();
        found.index = await filled(Hnsw.create(of), few);
        each = 1;
      };
      return Object.assign(found, { now: () => different() / (K * queries.length), mend, best: 1 });
    },
  },
};

const HEALTHY = {
  Flat: (of) => Flat.create(of),
  "Flat, sq8, rerank": (of) => Flat.create({ ...of, codec: "sq8", rerank: true }),
  "Flat, pq, rerank": (of) => Flat.create({ ...of, codec: "pq", rerank: true }),
  Hnsw: (of) => Hnsw.create(of),
  "Hnsw, atOnce": (of) => Hnsw.create({ ...of, atOnce: true }),
  "Hnsw, fastScan": (of) => Hnsw.create({ ...of, fastScan: true }),
  Ivf: (of) => Ivf.create({ ...of, nprobe: 32 }),
  "Ivf, pq, rerank": (of) => Ivf.create({ ...of, nprobe: 32, codec: { type: "pq", bits: 4 }, rerank: true }),
  "Ivf, sq8": (of) => Ivf.create({ ...of, nprobe: 32, codec: "sq8" }),
};

const faults = [];
const healthy = [];
for (const name of sets ?? SETS) {
  const set = loadSet(name, { limit: Math.min(N, limitOr(N)), queries: ASKED, neighbours: 0 });
  if (!set) continue;
  const { d, metric, base } = set;
  const rows = Array.from({ length: set.n }, (_, i) => base.slice(i * d, (i + 1) * d));
  const queries = queriesOf(set);
  const of = { dimensions: d, metric };
  for (const [kind, create] of Object.entries(HEALTHY)) {
    const index = await filled(create(of), rows);
    const { findings } = await doctor(index);
    healthy.push({ set: name, kind, problems: findings.filter(({ severity }) => severity === "problem").map((one) => one.name) });
    index.close();
  }
  for (const [fault, { strengths, seeded }] of Object.entries(FAULTS)) {
    for (const strength of quick ? strengths.slice(0, 1) : strengths) {
      const found = await seeded({ rows, queries, of, d }, strength);
      const { findings } = await doctor(found.index, found.options);
      const before = found.now();
      await found.mend();
      const after = found.now();
      found.index.close();
      const { best } = found;
      const place = findings.findIndex((one) => one.name === fault) + 1;
      faults.push({ set: name, fault, strength, place: place || Number.POSITIVE_INFINITY, before, after, best });
      process.stderr.write(
        `${name} ${fault} ${strength}: ${findings.map((one) => one.name)} ${before.toFixed(3)} ${after.toFixed(3)} ${best.toFixed(3)}\n`,
      );
    }
  }
}

/** A fault that costs less is none: a set may take no harm of it. */
const LEAST = 0.01;
const costly = faults.filter(({ before, best }) => best - before >= LEAST);
/** Of what was lost. */
const regained = ({ before, after, best }) => (after - before) / (best - before);
const problems = healthy.reduce((sum, one) => sum + one.problems.length, 0);

finish("doctor", {
  tables: {
    doctor: {
      columns: ["fault", "strength", "set", "named", "before", "after the advice", "without the fault", "brought back"],
      rows: faults.map((one) => [
        ...[one.fault, one.strength, one.set, Number.isFinite(one.place) ? one.place : "-"],
        ...[one.before, one.after, one.best].map(fixed(3)),
        costly.includes(one) ? fixed(2)(regained(one)) : "-",
      ]),
      notes: [`${problems} problems in ${healthy.length} indices without a fault`],
    },
  },
  gates: costly.length
    ? [
        atMost(
          "doctor: place of the fault among what is named, last",
          Math.max(...costly.map(({ place }) => place)),
          PROMISE.place,
          fixed(0),
        ),
        atLeast(
          "doctor: share of what was lost that its advice brings back, least",
          Math.min(...costly.map(regained)),
          PROMISE.regained,
          fixed(2),
        ),
        atMost("doctor: problems in indices without a fault", problems, 0, fixed(0)),
      ]
    : [],
  data: { faults, healthy },
});
