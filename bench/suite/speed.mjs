// The fast and the compact layouts of Hnsw beside native hnswlib, on every set of 20,000 vectors or more: queries per second at
// a recall of 10 neighbours and of 100, builds by one thread and two, bytes.
import { geometricMean, least, qpsAt } from "../kit/curve.mjs";
import { loadSet } from "../kit/data.mjs";
import { limitOr, quick, roundsOr, sets } from "../kit/options.mjs";
import { times as asTimes, atLeast, atMost, finish, fixed, whole } from "../kit/result.mjs";
import { contest, MOST_QUERIES, peer } from "./part/hnsw-contest.mjs";

/** With the metric that their vectors are made for. */
const SETS = {
  "fashion-mnist-784": "l2",
  "mnist-784": "l2",
  "gutenberg-sif-160": "cosine",
  "words-gutenberg-160": "cosine",
  "words-es-64": "cosine",
  "gowalla-als-64": "dot",
};
/** For 100 neighbours beside the others, though it has fewer vectors. */
const SMALL = { "minilm-mix-384": "cosine" };
/** Layouts: the fast ones compete by `qps` (at .95 and .99) and `build`, the compact one by .95 and bytes. */
const OURS = {
  "fastScan, relaxed": { variant: "relaxed", options: { fastScan: true }, qps: [3, 2.5], qps100: [2.2, 1.8], build: 3 },
  "fastScan, simd": { variant: "simd", options: { fastScan: true }, qps: [2, 2], build: 3 },
  "f32, relaxed": { variant: "relaxed", options: {} },
  "sq8, relaxed": { variant: "relaxed", options: { codec: "sq8" }, compact: true },
  "fastScan, 2 threads": { variant: "relaxed", options: { fastScan: true, threads: 2 }, buildOnly: true },
};
const EFS = quick ? [10, 20, 40, 80] : [3, 5, 8, 14, 20, 30, 45, 70, 110, 180];
const TARGETS = [0.9, 0.95, 0.99];
/** Of 100 neighbours. hnswlib takes no ef below k. */
const EFS_100 = quick ? [40, 100, 200, 400] : [15, 25, 40, 60, 100, 140, 200, 300, 450, 700, 1000];
const TARGETS_100 = [0.95, 0.99];
const WIDE = ["fastScan, relaxed", "fastScan, simd"];
const RUNS = { curve: { k: 10, efs: EFS }, curve100: { k: 100, efs: EFS_100, only: WIDE } };
const ROUNDS = roundsOr(3, 1);
/** Below this in no set. */
const LEAST = 1.3;

async function measure(metrics, ours, runs) {
  const results = [];
  for (const [name, metric] of Object.entries(metrics)) {
    if (sets && !sets.includes(name)) continue;
    const set = loadSet(name, { limit: limitOr(4000), queries: quick ? 200 : MOST_QUERIES, metric, neighbours: 100 });
    if (set) results.push({ set, result: await contest(set, ours, { runs, rounds: ROUNDS }) });
  }
  return results;
}
const measured = await measure(SETS, OURS, RUNS);
const fast = Object.fromEntries(WIDE.map((name) => [name, OURS[name]]));
const wide = [...measured, ...(await measure(SMALL, fast, { curve100: RUNS.curve100 }))];

const qpsRatio = (curve) => (result, name, target) => qpsAt(result[name][curve], target) / qpsAt(result.native[curve], target);
const ratio = qpsRatio("curve");
const ratio100 = qpsRatio("curve100");
const buildRatio = ({ native, ...ours }, name) => native.seconds / ours[name].seconds;

/** A figure of all sets where hnswlib reaches the recall at all. */
const reached = (of, all = measured) => all.map(({ result }) => of(result)).filter(Number.isFinite);

const rows = measured.flatMap(({ set, result }) =>
  Object.entries(result).map(([name, { seconds, bytes, curve }]) => [
    `${set.name} ${set.metric}, ${name === "native" ? "hnswlib" : name}`,
    ...TARGETS.flatMap((t) =>
      curve.length ? [whole(qpsAt(curve, t)), name === "native" ? "" : asTimes(ratio(result, name, t))] : ["", ""],
    ),
    fixed(1)(seconds),
    name === "native" ? "" : asTimes(buildRatio(result, name)),
    whole(bytes),
    asTimes(bytes / result.native.bytes),
  ]),
);
const means = Object.entries(OURS).map(([name, { buildOnly }]) => [
  `geometric mean, ${name}`,
  ...TARGETS.flatMap((t) => ["", buildOnly ? "" : asTimes(geometricMean(reached((r) => ratio(r, name, t))))]),
  "",
  asTimes(geometricMean(measured.map(({ result }) => buildRatio(result, name)))),
  "",
  "",
]);

const wideRows = wide.flatMap(({ set, result }) =>
  ["native", ...WIDE].map((name) => [
    `${set.name} ${set.metric}, ${name === "native" ? "hnswlib" : name}`,
    ...TARGETS_100.flatMap((t) => [
      whole(qpsAt(result[name].curve100, t)),
      name === "native" ? "" : asTimes(ratio100(result, name, t)),
    ]),
  ]),
);
const wideMeans = WIDE.map((name) => [
  `geometric mean, ${name}`,
  ...TARGETS_100.flatMap((t) => ["", asTimes(geometricMean(reached((r) => ratio100(r, name, t), wide)))]),
]);

const qpsGates = (name, title, ratios, mean) => [
  atLeast(`speed, ${name}: QPS at ${title} / hnswlib, geometric mean`, geometricMean(ratios), mean),
  atLeast(`speed, ${name}: QPS at ${title} / hnswlib, least`, least(ratios), LEAST),
];

/** Of one layout over all sets. */
function layoutGates(name, { qps, build, compact, buildOnly }) {
  if (buildOnly) {
    const twice = reached((result) => result["fastScan, relaxed"].seconds / result[name].seconds);
    return [atLeast(`speed, ${name}: build speed over one thread, geometric mean`, geometricMean(twice), 1.7)];
  }
  if (compact) {
    return [
      atLeast(`speed, ${name}: QPS at .95 / hnswlib, geometric mean`, geometricMean(reached((r) => ratio(r, name, 0.95))), LEAST),
      atMost(`speed, ${name}: bytes / hnswlib's, most`, Math.max(...reached((r) => r[name].bytes / r.native.bytes)), 0.5),
    ];
  }
  if (!qps) return [];
  return [
    ...[0.95, 0.99].flatMap((t, i) => {
      const ratios = reached((r) => ratio(r, name, t));
      return qpsGates(name, t, ratios, qps[i]);
    }),
    atLeast(`speed, ${name}: build speed / hnswlib, geometric mean`, geometricMean(reached((r) => buildRatio(r, name))), build),
  ];
}

/** Of one layout, of 100 neighbours. */
function wideGates(name, { qps100 = [] }) {
  return qps100.flatMap((mean, i) => {
    const t = TARGETS_100[i];
    const ratios = reached((r) => ratio100(r, name, t), wide);
    return qpsGates(name, `recall@100 ${t}`, ratios, mean);
  });
}

const layouts = Object.entries(OURS);
const gatesOf = (all, gates) => (all.length ? layouts.flatMap(([name, own]) => gates(name, own)) : []);

finish("speed", {
  tables: {
    speed: {
      columns: [
        "",
        ...TARGETS.flatMap((t) => [`QPS at ${t}`, "/ hnswlib"]),
        "build s",
        "speed / hnswlib",
        "bytes per vector",
        "/ hnswlib",
      ],
      rows: measured.length ? [...rows, ...means] : [],
    },
    "speed-100": {
      columns: ["recall@100", ...TARGETS_100.flatMap((t) => [`QPS at ${t}`, "/ hnswlib"])],
      rows: wide.length ? [...wideRows, ...wideMeans] : [],
    },
  },
  gates: [...gatesOf(measured, layoutGates), ...gatesOf(wide, wideGates)],
  data: { peer, sets: wide.map(({ set, result }) => ({ name: set.name, metric: set.metric, n: set.n, result })) },
});
