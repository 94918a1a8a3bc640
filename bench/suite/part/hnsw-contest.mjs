// Graphs beside native hnswlib on one set: builds, then curves of recall against queries per second over ef. All are processes
// that wait while another works; they take turns at every ef, round after round.
import { fileURLToPath } from "node:url";
import { Contender } from "../../kit/contender.mjs";
import { interleave, median } from "../../kit/timing.mjs";
import { buildNative, handOver } from "../../rival/hnswlib.mjs";

export const M = 16;
const EF_CONSTRUCTION = 200;
/** Of a set, for the time it takes. */
export const MOST_QUERIES = 4000;
/** In one timed stretch, at least: the set's queries over and over. */
const QUERIES = 2000;

const say = (text) => process.stderr.write(`${text}\n`);
const worker = fileURLToPath(new URL("../../rival/hnsw-worker.mjs", import.meta.url));

const native = buildNative("hnswlib_curve");
export const peer = native.about;

/**
 * `ours`: by name, { variant, options, buildOnly? } of hnsw-worker.mjs. `runs`: by the name of what comes back, { k, efs, only? }:
 * the k of its searches, their efs, and the names of ours that take part where not all do; the set has truth for the largest k.
 * Returns ours and "native" as { seconds of the build, bytes per vector, of ours the most memory that the build took in that of its end, and by run [{ ef, recall, qps, distances, samples }] }.
 */
export async function contest(set, ours, { runs, rounds }) {
  const neighbours = set.truth.length / set.nq;
  const args = handOver(native.dir, set, { m: M, efConstruction: EF_CONSTRUCTION, k: neighbours });
  const contenders = { native: new Contender(native.program, args) };
  for (const [name, { variant, options }] of Object.entries(ours)) {
    contenders[name] = new Contender(process.execPath, [worker, variant, JSON.stringify(options), ...args]);
  }
  const ask = (command, names = Object.keys(contenders)) =>
    Object.fromEntries(names.map((name) => [name, () => contenders[name].ask(command)]));

  say(`${set.name}: building`);
  const built = await interleave(1, ask("build"));
  for (const [name, { buildOnly }] of Object.entries(ours)) {
    if (!buildOnly) continue;
    contenders[name].close();
    delete contenders[name];
  }
  const curves = {};
  for (const [name, { k, efs, only }] of Object.entries(runs)) {
    curves[name] = await curvesOf(set, (command) => ask(command, only && ["native", ...only]), { k, efs, rounds });
  }
  for (const contender of Object.values(contenders)) contender.close();

  return Object.fromEntries(
    Object.entries(built).map(([name, [{ seconds, bytes, peak }]]) => [
      name,
      {
        seconds,
        bytes: bytes / set.n,
        peak,
        ...Object.fromEntries(Object.keys(runs).map((run) => [run, curves[run][name] ?? []])),
      },
    ]),
  );
}

/** By contender, a point for every ef. */
async function curvesOf(set, ask, { k, efs, rounds }) {
  const times = Math.ceil(QUERIES / set.nq);
  await interleave(1, ask(`search ${k} 100 ${times}`)); // V8's optimising compiler and the caches
  const curves = {};
  for (const ef of efs) {
    say(`${set.name}: ${rounds} rounds of k ${k} at ef ${ef}`);
    for (const [name, answers] of Object.entries(await interleave(rounds, ask(`search ${k} ${ef} ${times}`)))) {
      const samples = answers.map(({ seconds }) => (set.nq * times) / seconds);
      const [{ hits, distances }] = answers;
      curves[name] ??= [];
      curves[name].push({ ef, recall: hits / (set.nq * k), qps: median(samples), distances, samples });
    }
  }
  return curves;
}
