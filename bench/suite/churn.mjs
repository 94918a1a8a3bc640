// A graph that lives: vectors come and go in several manners, and after each round it is asked what a fresh one was asked. Distances are
// counted beside the clock, since they do not depend on who else uses the machine.
import { Hnsw, init, load } from "vicinal";
import { loadSet, queriesOf } from "../kit/data.mjs";
import { limitOr, quick, roundsOr, sets } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atLeast, atMost, finish, fixed, times } from "../kit/result.mjs";

/** How many of each live at a time: rows of 784 dimensions take five times as long. */
const SETS = { "gutenberg-sif-160": { metric: "cosine", live: 50_000 }, "fashion-mnist-784": { metric: "l2", live: 25_000 } };
const RECALL = 0.95;
const QUERIES = quick ? 50 : 500;
const K = 10;
const EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160];

enableRelaxed();
await init({ variant: "relaxed" });

/** Mulberry32. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function draw(from, count, next) {
  const pool = [...from];
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(next() * (pool.length - i));
    [pool[i], pool[j]] = [pool[j], pool[i]];
  }
  return pool.slice(0, count);
}

/** Of `ids` the `count` whose rows are nearest to one of them. */
function around(set, ids, count, next) {
  const rowAt = (id) => set.base.subarray(id * set.d, (id + 1) * set.d);
  const centre = rowAt(ids[Math.floor(next() * ids.length)]);
  const far = (id) => {
    const row = rowAt(id);
    let sum = 0;
    for (let i = 0; i < set.d; i++) sum += (row[i] - centre[i]) ** 2;
    return sum;
  };
  const scored = ids.map((id) => [far(id), id]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return scored.slice(0, count).map(([, id]) => id);
}

/** What leaves and what comes in a round; ids are rows of the set. */
const WAYS = {
  "5 % x 20": { rounds: 20, every: 5, step: ({ live, out, n, next }) => [draw(live, n / 20, next), draw(out, n / 20, next)] },
  "1 % x 100": {
    rounds: 100,
    every: 25,
    step: ({ live, out, n, next }) => [draw(live, n / 100, next), draw(out, n / 100, next)],
  },
  "sliding window": { rounds: 20, every: 5, step: ({ live, out, n }) => [live.slice(0, n / 20), out.slice(0, n / 20)] },
  "a cluster out, a cluster in": {
    ...{ rounds: 10, every: 5 },
    step: ({ live, out, n, next, set }) => [around(set, live, n / 20, next), around(set, out, n / 20, next)],
  },
  "half removed at once": { rounds: 1, every: 1, step: ({ live, n, next }) => [draw(live, n / 2, next), []] },
  // Insert, expire, search: the streaming track of big-ann-benchmarks (Simhadri et al. 2024, arXiv 2409.17424).
  "streaming, 100 steps": { rounds: 100, every: 25, step: ({ live, out, n }) => [live.slice(0, n / 100), out.slice(0, n / 100)] },
};

const nearest = (index, queries) =>
  queries.map((query) => new Set(index.search(query, { k: K, exact: true }).map(({ id }) => id)));

function ask(index, queries, ef, truth = nearest(index, queries)) {
  let distances = 0;
  let hits = 0;
  const start = performance.now();
  const found = queries.map((query) => {
    const answer = index.search(query, { k: K, ef });
    distances += index.lastStats.distances;
    return answer;
  });
  const spent = performance.now() - start;
  found.forEach((answer, q) => {
    for (const { id } of answer) if (truth[q].has(id)) hits++;
  });
  return { recall: hits / (K * queries.length), qps: (1000 * queries.length) / spent, distances: distances / queries.length };
}

/** Removes and adds one by one, by the clock. */
function timed(ids, call, spent) {
  for (const id of ids) {
    const start = performance.now();
    call(id);
    spent.push(performance.now() - start);
  }
}

async function fresh(set, ids) {
  const index = await Hnsw.create({ dimensions: set.d, metric: set.metric, fastScan: true });
  const rows = new Float32Array(ids.length * set.d);
  for (const [i, id] of ids.entries()) rows.set(set.base.subarray(id * set.d, (id + 1) * set.d), i * set.d);
  index.add(rows, ids);
  return index;
}

/** What all ways begin with: the first n rows in a file, and the least effort that finds enough of them. */
async function begin(set, most) {
  const n = Math.min(most, Math.floor((set.n * 5) / 6 / 100) * 100);
  const queries = queriesOf(set);
  const index = await fresh(
    set,
    Array.from({ length: n }, (_, i) => i),
  );
  const truth = nearest(index, queries);
  const ef = EFS.find((one) => ask(index, queries, one, truth).recall >= RECALL) ?? EFS.at(-1);
  const start = { bytes: index.bytes, ...ask(index, queries, ef, truth) };
  const file = index.toBytes();
  index.close();
  return { n, queries, ef, start, file };
}

async function live(set, { n, queries, ef, start, file }, name, { rounds, every, step }) {
  const next = random(1);
  let there = Array.from({ length: n }, (_, i) => i);
  let out = Array.from({ length: set.n - n }, (_, i) => n + i);
  const index = await load(file);
  const [adds, removes, points] = [[], [], []];
  const turns = roundsOr(rounds, Math.min(rounds, 2));
  for (let round = 1; round <= turns; round++) {
    const [leave, come] = step({ live: there, out, n, next, set });
    timed(leave, (id) => index.remove(id), removes);
    timed(come, (id) => index.add([set.base.subarray(id * set.d, (id + 1) * set.d)], [id]), adds);
    const gone = new Set(leave);
    const came = new Set(come);
    there = [...there.filter((id) => !gone.has(id)), ...come];
    out = [...out.filter((id) => !came.has(id)), ...leave];
    if (round % every && round !== turns) continue;
    points.push({ round, ...ask(index, queries, ef), unreachable: index.stats().unreachable });
    process.stderr.write(`${set.name}, ${name}: round ${round}, recall ${points.at(-1).recall.toFixed(4)}\n`);
  }
  const bytes = index.bytes;
  const again = await fresh(set, there);
  const truth = nearest(again, queries);
  const renewed = { ...ask(again, queries, ef, truth), bytes: again.bytes };
  again.close();
  const began = performance.now();
  await index.compact();
  const compacted = { seconds: (performance.now() - began) / 1000, ...ask(index, queries, ef, truth), bytes: index.bytes };
  index.close();
  return { set: set.name, name, n, ef, start, points, adds, removes, bytes, renewed, compacted };
}

const measured = [];
for (const [name, { metric, live: most }] of Object.entries(SETS)) {
  if (sets && !sets.includes(name)) continue;
  const limit = Math.min(limitOr(3000), Math.ceil((most * 6) / 5));
  const set = loadSet(name, { limit, queries: QUERIES, metric, neighbours: 0 });
  if (!set) continue;
  const from = await begin(set, most);
  for (const [way, how] of Object.entries(WAYS)) measured.push(await live(set, from, way, how));
}

const mean = (values) => (values.length ? (1000 * values.reduce((sum, x) => sum + x, 0)) / values.length : 0);
const least = ({ points }) => points.reduce((low, point) => (point.recall < low.recall ? point : low));

finish("churn", {
  tables: {
    churn: {
      columns: [
        ...["set", "ef", "fresh recall", "least recall", "distances / fresh", "QPS / fresh", "unreachable", "bytes / fresh"],
        ...["insert us", "remove us", "worst call ms"],
      ],
      rows: measured.map((one) => {
        const { set, name, ef, start, points, adds, removes, bytes, renewed } = one;
        const last = points.at(-1);
        return [
          ...[`${set}, ${name}`, ef, fixed(4)(start.recall), fixed(4)(least(one).recall)],
          ...[times(last.distances / renewed.distances), times(last.qps / renewed.qps)],
          ...[Math.max(...points.map(({ unreachable }) => unreachable)), times(bytes / renewed.bytes)],
          ...[fixed(0)(mean(adds)), fixed(0)(mean(removes)), fixed(1)([...adds, ...removes].reduce((a, b) => Math.max(a, b), 0))],
        ];
      }),
    },
    "churn-compact": {
      columns: ["set", "seconds", "recall", "fresh", "distances / fresh", "bytes / fresh"],
      rows: measured.map(({ set, name, compacted, renewed }) => [
        ...[`${set}, ${name}`, fixed(1)(compacted.seconds), fixed(4)(compacted.recall), fixed(4)(renewed.recall)],
        ...[times(compacted.distances / renewed.distances), times(compacted.bytes / renewed.bytes)],
      ]),
    },
  },
  gates: measured.flatMap((one) => {
    const { set, name, points, compacted, renewed } = one;
    const what = `churn, ${set}, ${name}`;
    return [
      atLeast(`${what}: least recall - fresh`, least(one).recall - Math.min(one.start.recall, renewed.recall), -0.01, fixed(4)),
      atLeast(`${what}: fresh / distances`, renewed.distances / points.at(-1).distances, 0.9, fixed(2)),
      ...(one.adds.length ? [atMost(`${what}: bytes / fresh`, one.bytes / renewed.bytes, 1.1, fixed(2))] : []),
      atMost(`${what}: unreachable`, Math.max(...points.map(({ unreachable }) => unreachable)), 0, String),
      atLeast(`${what}: recall after compact - fresh`, compacted.recall - renewed.recall, -0.005, fixed(4)),
      atMost(`${what}: distances after compact / fresh`, compacted.distances / renewed.distances, 1.05, fixed(2)),
    ];
  }),
  data: measured.map(({ adds: _, removes: __, ...rest }) => rest),
});
