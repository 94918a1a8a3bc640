// Graphs beside native hnswlib on one set: builds, then curves of recall against queries per second over ef. All are processes
// that wait while another works; they take turns at every ef, round after round.
import { fileURLToPath } from "node:url";
import { Contender } from "../../kit/contender.mjs";
import { interleave, median } from "../../kit/timing.mjs";
import { buildNative, handOver } from "../../rival/hnswlib.mjs";

export const M = 16;
const [EF_CONSTRUCTION, K] = [200, 10];
/** Of a set, for the time it takes. */
export const MOST_QUERIES = 4000;
/** In one timed stretch, at least: the set's queries over and over. */
const QUERIES = 2000;

const say = (text) => process.stderr.write(`${text}\n`);
const worker = fileURLToPath(new URL("../../rival/hnsw-worker.mjs", import.meta.url));

const native = buildNative();
export const peer = native.about;

/**
 * `ours`: by name, { variant, options, buildOnly? } of hnsw-worker.mjs. Returns the same names and "native" as { seconds of the
 * build, bytes per vector, curve: [{ ef, recall, qps, distances, samples }] }.
 */
export async function contest(set, ours, { efs, rounds }) {
  const args = handOver(native.dir, set, { m: M, efConstruction: EF_CONSTRUCTION, k: K });
  const contenders = { native: new Contender(native.program, args) };
  for (const [name, { variant, options }] of Object.entries(ours)) {
    contenders[name] = new Contender(process.execPath, [worker, variant, JSON.stringify(options), ...args]);
  }
  const times = Math.ceil(QUERIES / set.nq);
  const ask = (command) => Object.fromEntries(Object.entries(contenders).map(([name, c]) => [name, () => c.ask(command)]));

  say(`${set.name}: building`);
  const built = await interleave(1, ask("build"));
  for (const [name, { buildOnly }] of Object.entries(ours)) {
    if (!buildOnly) continue;
    contenders[name].close();
    delete contenders[name];
  }
  await interleave(1, ask(`search 100 ${times}`)); // V8's optimising compiler and the caches
  const answers = {};
  for (const ef of efs) {
    say(`${set.name}: ${rounds} rounds at ef ${ef}`);
    answers[ef] = await interleave(rounds, ask(`search ${ef} ${times}`));
  }
  for (const contender of Object.values(contenders)) contender.close();

  const curve = (name) =>
    efs.map((ef) => {
      const samples = answers[ef][name].map(({ seconds }) => (set.nq * times) / seconds);
      const { hits, distances } = answers[ef][name][0];
      return { ef, recall: hits / (set.nq * K), qps: median(samples), distances, samples };
    });
  return Object.fromEntries(
    Object.entries(built).map(([name, [{ seconds, bytes }]]) => [
      name,
      { seconds, bytes: bytes / set.n, curve: name in contenders ? curve(name) : [] },
    ]),
  );
}
