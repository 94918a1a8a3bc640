// Hnsw beside native hnswlib: recall@10 against queries per second over ef, build time, memory. Both sides are processes
// that wait while the other works; they take turns at every ef, round after round.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { Contender } from "./contender.mjs";
import { qpsAt } from "./curve.mjs";
import { loadSet } from "./data.mjs";
import { buildNative, structBytes } from "./hnswlib.mjs";
import { limitOr, metric, quick, roundsOr, sets } from "./options.mjs";
import { times as asTimes, atLeast, atMost, finish, fixed, whole } from "./result.mjs";
import { interleave, median } from "./timing.mjs";

const SETS = sets ?? ["fashion-mnist-784", "minilm-mix-384"];
/** vicinal's contenders, and what is asked of them over hnswlib: QPS by target and build speed; of `plain` ones also
 * the recall at equal ef and no more memory. */
const PLAIN = { qps: [0.9, 0.9], build: 0.7, plain: true };
const OURS = {
  simd: { variant: "simd", options: {}, asked: PLAIN },
  relaxed: { variant: "relaxed", options: {}, asked: PLAIN },
  "simd fastScan": { variant: "simd", options: { fastScan: true }, asked: { qps: [2, 2], build: 3 } },
  "relaxed fastScan": { variant: "relaxed", options: { fastScan: true }, asked: { qps: [3, 2.5], build: 3 } },
};
const EFS = quick ? [10, 20, 40, 80] : [10, 15, 20, 30, 40, 60, 80, 120, 200, 300];
const TARGETS = [0.95, 0.99];
const [M, EF_CONSTRUCTION, K] = [16, 200, 10];
const BUILDS = 1;
const ROUNDS = roundsOr(7, 3);
/** In one timed stretch, at least: the set's queries over and over. */
const QUERIES = 2000;

const mean = (values) => values.reduce((sum, value) => sum + value) / values.length;
const say = (text) => process.stderr.write(`${text}\n`);

const dir = mkdtempSync(`${os.tmpdir()}/vicinal-bench-`);
process.on("exit", () => rmSync(dir, { recursive: true }));
const native = buildNative(dir);

/** Builds and curve of every contender on one set: { name: { builds, bytes, curve: [{ ef, recall, qps }] } }. */
async function measure(set) {
  writeFileSync(`${dir}/base.f32`, set.base);
  writeFileSync(`${dir}/queries.f32`, set.queries);
  writeFileSync(`${dir}/truth.u32`, set.truth);
  const args = [dir, set.n, set.d, set.nq, set.metric, M, EF_CONSTRUCTION, K];
  const worker = fileURLToPath(new URL("hnsw-worker.mjs", import.meta.url));
  const contenders = { native: new Contender(native.program, args) };
  for (const [name, { variant, options }] of Object.entries(OURS)) {
    contenders[name] = new Contender(process.execPath, [worker, variant, JSON.stringify(options), ...args]);
  }
  const times = Math.ceil(QUERIES / set.nq);
  const ask = (command) => Object.fromEntries(Object.entries(contenders).map(([name, c]) => [name, () => c.ask(command)]));

  say(`${set.name}: building ${BUILDS} times each`);
  const built = await interleave(BUILDS, ask("build"));
  await interleave(1, ask(`search 100 ${times}`)); // V8's optimising compiler and the caches
  const answers = {};
  for (const ef of EFS) {
    say(`${set.name}: ${ROUNDS} rounds at ef ${ef}`);
    answers[ef] = await interleave(ROUNDS, ask(`search ${ef} ${times}`));
  }
  for (const contender of Object.values(contenders)) contender.close();

  const curve = (name) =>
    EFS.map((ef) => {
      const rounds = answers[ef][name];
      const { hits, distances } = rounds[0];
      const samples = rounds.map(({ seconds }) => (set.nq * times) / seconds);
      return { ef, recall: hits / (set.nq * K), qps: median(samples), distances, samples };
    });
  return Object.fromEntries(
    Object.entries(built).map(([name, builds]) => [
      name,
      { builds: builds.map((b) => b.seconds), bytes: builds[0].bytes / set.n, curve: curve(name) },
    ]),
  );
}

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
  return Object.entries(result).map(([name, { builds, bytes, curve }]) => {
    const qps = TARGETS.flatMap((target) => [qpsAt(curve, target), qpsAt(curve, target) / qpsAt(result.native.curve, target)]);
    return [
      `${set.name}, ${name === "native" ? "hnswlib" : name}`,
      ...qps.map((value, i) => (i % 2 ? asTimes(value) : whole(value))),
      builds.map(fixed(1)).join(", "),
      asTimes(mean(result.native.builds) / mean(builds)),
      fixed(1)(bytes - rawBytes),
    ];
  });
}

function gates(set, { native: peer, ...ours }) {
  const rawBytes = 4 * set.d;
  return Object.entries(ours).flatMap(([ours, { builds, bytes, curve }]) => {
    const name = `hnsw ${set.name}, ${ours}`;
    const { qps, build, plain } = OURS[ours].asked;
    const worst = Math.min(...curve.map(({ recall }, i) => recall - peer.curve[i].recall));
    const buildRatio = mean(peer.builds) / mean(builds);
    return [
      ...TARGETS.map((t, i) => atLeast(`${name}: QPS at recall ${t} / hnswlib`, qpsAt(curve, t) / qpsAt(peer.curve, t), qps[i])),
      atLeast(`${name}: build speed / hnswlib`, buildRatio, build),
      ...(plain
        ? [
            atLeast(`${name}: recall less hnswlib's at equal ef, worst`, worst, -0.005, fixed(4)),
            atMost(`${name}: bytes per vector above raw`, bytes - rawBytes, peer.bytes - rawBytes, fixed(1)),
          ]
        : []),
    ];
  });
}

const measured = [];
for (const name of SETS) {
  const set = loadSet(name, { limit: limitOr(4000), queries: quick ? 200 : Infinity, metric });
  if (set) measured.push({ set, result: await measure(set) });
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
    peer: native.about,
    sets: measured.map(({ set, result }) => ({ name: set.name, metric: set.metric, n: set.n, result })),
  },
});
