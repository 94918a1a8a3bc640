// Building many vectors: addAll beside add, with its longest pause, and the frames of a page meanwhile; plain graphs linked at once beside native hnswlib's build; and many
// more vectors in one call beside one after the other.
import { Hnsw, init } from "vicinal";
import { loadSet } from "../kit/data.mjs";
import { limitOr, quick, roundsOr } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { atLeast, atMost, finish, fixed, times, whole } from "../kit/result.mjs";
import { interleave, median, seconds } from "../kit/timing.mjs";
import { contest, peer } from "./part/hnsw-contest.mjs";
import { answerOf } from "./part/in-page.mjs";

const SETS = { "fashion-mnist-784": 20_000, "gutenberg-sif-160": 50_000 };
const SLICED = { "f32, fastScan": { fastScan: true }, "f32, atOnce": { atOnce: true } };
const NATIVE = {
  "f32, atOnce": { variant: "relaxed", options: { atOnce: true } },
  "sq8, rerank, atOnce": { variant: "relaxed", options: { codec: "sq8", rerank: true, atOnce: true } },
};
const EFS = [20, 40, 80];
const MORE = quick ? 600 : 10_000;
const MORE_SET = "gutenberg-sif-160";
/** In calls of so many, vectors are inserted one by one. */
const FEW = 500;
const LONGEST_PAUSE = 16;
/** Between two frames of a page, in ms; at 60 a second they are 16.7 apart. */
const LONGEST_FRAME = 25;
const PAGES = [
  { n: 20_000, d: 784 },
  { n: 50_000, d: 160 },
];

const say = (what) => process.stderr.write(`${what}\n`);
const vary = (rows) => [median(rows), Math.min(...rows)];

/** What a page would see: how long others on the event loop had to wait at most, in ms, while `work` ran. */
async function longestPause(work) {
  let longest = 0;
  let last = performance.now();
  let over = false;
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!over) setImmediate(tick);
  };
  setImmediate(tick);
  await work();
  over = true;
  return longest;
}

/** [seconds of add, of addAll, its longest pause] of a round each. */
async function slicedRounds(set, options) {
  const create = () => Hnsw.create({ dimensions: set.d, metric: set.metric, ...options });
  const pauses = [];
  const samples = await interleave(roundsOr(3, 1), {
    add: async () => {
      const index = await create();
      const took = await seconds(() => index.add(set.base));
      index.close();
      return took;
    },
    addAll: async () => {
      const index = await create();
      const took = await seconds(async () => pauses.push(await longestPause(() => index.addAll(set.base))));
      index.close();
      return took;
    },
  });
  return { ...samples, pauses };
}

/** Seconds that MORE vectors take in one call, and in calls of FEW, after as many as there are before them. */
async function moreRounds(set, options) {
  const before = (set.n - MORE) * set.d;
  const grow = async (step) => {
    const index = await Hnsw.create({ dimensions: set.d, metric: set.metric, ...options });
    index.add(set.base.subarray(0, before));
    const took = await seconds(() => {
      for (let at = before; at < set.base.length; at += step * set.d) index.add(set.base.subarray(at, at + step * set.d));
    });
    index.close();
    return took;
  };
  return interleave(roundsOr(3, 1), { together: () => grow(MORE), single: () => grow(FEW) });
}

/** The distances that a curve takes to a recall: straight between its points, over the logarithm of what is missed. */
function workAt(curve, recall) {
  const i = curve.findIndex((point) => point.recall >= recall);
  if (i <= 0) return i < 0 ? Number.NaN : curve[0].distances;
  const [a, b] = [curve[i - 1], curve[i]];
  const part = Math.log((1 - recall) / (1 - a.recall)) / Math.log((1 - b.recall + 1e-6) / (1 - a.recall));
  return a.distances + part * (b.distances - a.distances);
}

enableRelaxed();
await init({ variant: "relaxed" });
const sliced = [];
const native = [];
const more = [];
for (const [name, n] of Object.entries(SETS)) {
  const set = loadSet(name, { limit: Math.min(limitOr(2000), n), queries: quick ? 100 : 1000 });
  if (!set) continue;
  for (const [layout, options] of Object.entries(SLICED)) {
    say(`${name}, ${layout}: addAll`);
    const { add, addAll, pauses } = await slicedRounds(set, options);
    sliced.push({ name: `${name}, ${layout}`, add: vary(add), addAll: vary(addAll), pause: Math.min(...pauses) });
  }
  const { native: theirs, ...ours } = await contest(set, NATIVE, { runs: { curve: { k: 10, efs: EFS } }, rounds: 1 });
  for (const [layout, { seconds, curve, bytes }] of Object.entries(ours)) {
    const recall = Math.min(curve.at(-1).recall, theirs.curve.at(-1).recall);
    const work = workAt(curve, recall) / workAt(theirs.curve, recall);
    native.push({ name: `${name}, ${layout}`, seconds, faster: theirs.seconds / seconds, recall, work, bytes });
  }
}
const moreSet = loadSet(MORE_SET, { limit: limitOr(2000) < Infinity ? limitOr(2000) : 50_000 + MORE, neighbours: 0 });
for (const [layout, options] of Object.entries(moreSet ? SLICED : {})) {
  say(`${MORE_SET}, ${layout}: ${MORE} more`);
  const { together, single } = await moreRounds(moreSet, options);
  more.push({ name: `${MORE_SET}, ${layout}`, together: median(together), single: median(single) });
}

say("frames of a page");
const frames = await answerOf(
  "frames",
  PAGES.flatMap(({ n, d }) =>
    Object.entries(SLICED).map(([layout, options]) => ({ name: `${n} x ${d}, ${layout}`, n: quick ? 2000 : n, d, options })),
  ),
);
const framed = Object.entries(frames ?? {}).map(([name, gaps]) => {
  const sorted = gaps.toSorted((a, b) => a - b);
  const late = gaps.filter((ms) => ms > LONGEST_FRAME).length;
  return { name, frames: gaps.length, p99: sorted[Math.floor(0.99 * (gaps.length - 1))], longest: sorted.at(-1), late };
});

finish("grow", {
  tables: {
    "grow-slices": {
      columns: ["", "add s", "addAll s", "/ add", "longest pause ms"],
      rows: sliced.map(({ name, add, addAll, pause }) => [
        name,
        fixed(2)(add[0]),
        fixed(2)(addAll[0]),
        times(addAll[1] / add[1]),
        fixed(1)(pause),
      ]),
    },
    "grow-frames": {
      columns: ["", "frames", "p99 ms", "longest ms", `above ${LONGEST_FRAME} ms`],
      rows: framed.map(({ name, frames, p99, longest, late }) => [
        name,
        whole(frames),
        fixed(1)(p99),
        fixed(1)(longest),
        whole(late),
      ]),
    },
    "grow-native": {
      columns: ["", "build s", "speed / hnswlib", "recall", "distances / hnswlib", "bytes per vector"],
      rows: native.map(({ name, seconds, faster, recall, work, bytes }) => [
        name,
        fixed(2)(seconds),
        times(faster),
        recall.toFixed(4),
        times(work),
        whole(bytes),
      ]),
    },
    "grow-more": {
      columns: ["", "together s", "one by one s", "faster"],
      rows: more.map(({ name, together, single }) => [name, fixed(2)(together), fixed(2)(single), times(single / together)]),
    },
  },
  gates: [
    ...framed.map(({ name, longest }) =>
      atMost(`addAll in a page, ${name}: longest frame, ms`, longest, LONGEST_FRAME, fixed(1)),
    ),
    ...sliced.flatMap(({ name, add, addAll, pause }) => [
      atMost(`addAll ${name}: time / add's`, addAll[1] / add[1], 1.25),
      atMost(`addAll ${name}: longest pause, ms`, pause, LONGEST_PAUSE, fixed(1)),
    ]),
    ...native.flatMap(({ name, faster, work }) => [
      atLeast(`build of ${name}: speed / hnswlib's`, faster, 2.5),
      atMost(`build of ${name}: distances at equal recall / hnswlib's`, work, 1.05),
    ]),
    ...more.map(({ name, together, single }) =>
      atLeast(`${MORE} more at once, ${name}: speed / one by one`, single / together, 3),
    ),
  ],
  data: { peer, sliced, framed, native, more },
});
