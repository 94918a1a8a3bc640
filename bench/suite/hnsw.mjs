// Hnsw beside native hnswlib: recall@10 against queries per second over ef, build time, memory. The fast layouts are in
// speed.mjs.
import { qpsAt } from "../kit/curve.mjs";
import { loadSet } from "../kit/data.mjs";
import { limitOr, metric, quick, roundsOr, sets } from "../kit/options.mjs";
import { times as asTimes, atLeast, atMost, finish, fixed, whole } from "../kit/result.mjs";
import { structBytes } from "../rival/hnswlib.mjs";
import { contest, M, MOST_QUERIES, peer } from "./part/hnsw-contest.mjs";

const SETS = sets ?? ["fashion-mnist-784", "minilm-mix-384"];
const OURS = { simd: { variant: "simd", options: {} }, relaxed: { variant: "relaxed", options: {} } };
const EFS = quick ? [10, 20, 40, 80] : [10, 20, 30, 40, 60, 80, 120, 200];
const TARGETS = [0.95, 0.99];
const ROUNDS = roundsOr(5, 3);

const curveTable = ({ native, ...ours }) => ({
  columns: [
    "ef",
    "hnswlib recall",
    "distances",
    "QPS",
    ...Object.keys(ours).flatMap((v) => [`${v} recall`, "distances", "QPS", "/ hnswlib"]),
  ],
  rows: EFS.map((ef, i) => {
    const peer = native.curve[i];
    const own = ({ curve }) => {
      const { recall, qps, distances } = curve[i];
      return [recall.toFixed(4), whole(distances), whole(qps), asTimes(qps / peer.qps)];
    };
    return [ef, peer.recall.toFixed(4), whole(peer.distances), whole(peer.qps), ...Object.values(ours).flatMap(own)];
  }),
});

function summary(set, result) {
  const rawBytes = 4 * set.d;
  return Object.entries(result).map(([name, { seconds, bytes, curve }]) => {
    const qps = TARGETS.flatMap((target) => [qpsAt(curve, target), qpsAt(curve, target) / qpsAt(result.native.curve, target)]);
    return [
      `${set.name}, ${name === "native" ? "hnswlib" : name}`,
      ...qps.map((value, i) => (i % 2 ? asTimes(value) : whole(value))),
      fixed(1)(seconds),
      asTimes(result.native.seconds / seconds),
      fixed(1)(bytes - rawBytes),
    ];
  });
}

function gates(set, { native, ...ours }) {
  const rawBytes = 4 * set.d;
  return Object.entries(ours).flatMap(([variant, { seconds, bytes, curve }]) => {
    const name = `hnsw ${set.name}, ${variant}`;
    const worst = Math.min(...curve.map(({ recall }, i) => recall - native.curve[i].recall));
    return [
      ...TARGETS.map((t) => atLeast(`${name}: QPS at recall ${t} / hnswlib`, qpsAt(curve, t) / qpsAt(native.curve, t), 0.9)),
      atLeast(`${name}: build speed / hnswlib`, native.seconds / seconds, 0.7),
      atLeast(`${name}: recall less hnswlib's at equal ef, worst`, worst, -0.005, fixed(4)),
      atMost(`${name}: bytes per vector above raw`, bytes - rawBytes, native.bytes - rawBytes, fixed(1)),
    ];
  });
}

const measured = [];
for (const name of SETS) {
  const set = loadSet(name, { limit: limitOr(4000), queries: quick ? 200 : MOST_QUERIES, metric });
  if (set) measured.push({ set, result: await contest(set, OURS, { runs: { curve: { k: 10, efs: EFS } }, rounds: ROUNDS }) });
}

const columns = ["", ...TARGETS.flatMap((t) => [`QPS at ${t}`, "/ hnswlib"]), "build s", "speed / hnswlib", "bytes above raw"];
const structRow = [`hnswlib's links and labels alone`, ...columns.slice(2).map(() => ""), fixed(1)(structBytes(M))];
finish("hnsw", {
  tables: {
    hnsw: { columns, rows: measured.length ? [...measured.flatMap(({ set, result }) => summary(set, result)), structRow] : [] },
    ...Object.fromEntries(measured.map(({ set, result }) => [`hnsw-${set.name}`, curveTable(result)])),
  },
  gates: measured.flatMap(({ set, result }) => gates(set, result)),
  data: {
    peer,
    sets: measured.map(({ set, result }) => ({ name: set.name, metric: set.metric, n: set.n, result })),
  },
});
