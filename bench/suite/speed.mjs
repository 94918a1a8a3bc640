// The fast and the compact layouts of Hnsw beside native hnswlib, on every set of 20,000 vectors or more: queries per second at
// a recall, builds by one thread and two, bytes.
import { qpsAt } from "../kit/curve.mjs";
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
/** Layouts: the fast ones compete by `qps` (at .95 and .99) and `build`, the compact one by .95 and bytes. */
const OURS = {
  "fastScan, relaxed": { variant: "relaxed", options: { fastScan: true }, qps: [3, 2.5], build: 3 },
  "fastScan, simd": { variant: "simd", options: { fastScan: true }, qps: [2, 2], build: 3 },
  "f32, relaxed": { variant: "relaxed", options: {} },
  "sq8, relaxed": { variant: "relaxed", options: { codec: "sq8" }, compact: true },
  "fastScan, 2 threads": { variant: "relaxed", options: { fastScan: true, threads: 2 }, buildOnly: true },
};
const EFS = quick ? [10, 20, 40, 80] : [3, 5, 8, 14, 20, 30, 45, 70, 110, 180];
const TARGETS = [0.9, 0.95, 0.99];
const ROUNDS = roundsOr(3, 1);
/** Below this in no set. */
const LEAST = 1.3;

const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

const measured = [];
for (const [name, metric] of Object.entries(SETS)) {
  if (sets && !sets.includes(name)) continue;
  const set = loadSet(name, { limit: limitOr(4000), queries: quick ? 200 : MOST_QUERIES, metric });
  if (set) measured.push({ set, result: await contest(set, OURS, { efs: EFS, rounds: ROUNDS }) });
}

const ratio = ({ native, ...ours }, name, target) => qpsAt(ours[name].curve, target) / qpsAt(native.curve, target);
const buildRatio = ({ native, ...ours }, name) => native.seconds / ours[name].seconds;

/** A figure of all sets where hnswlib reaches the recall at all. */
const reached = (of) => measured.map(({ result }) => of(result)).filter(Number.isFinite);

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
    ...[0.95, 0.99].flatMap((t, i) => [
      atLeast(`speed, ${name}: QPS at ${t} / hnswlib, geometric mean`, geometricMean(reached((r) => ratio(r, name, t))), qps[i]),
      atLeast(`speed, ${name}: QPS at ${t} / hnswlib, least`, Math.min(...reached((r) => ratio(r, name, t))), LEAST),
    ]),
    atLeast(`speed, ${name}: build speed / hnswlib, geometric mean`, geometricMean(reached((r) => buildRatio(r, name))), build),
  ];
}

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
  },
  gates: measured.length ? Object.entries(OURS).flatMap(([name, own]) => layoutGates(name, own)) : [],
  data: { peer, sets: measured.map(({ set, result }) => ({ name: set.name, metric: set.metric, n: set.n, result })) },
});
