// Training of the lists of an Ivf against k-means in plain JS: the same points, start, rounds and repairs.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { Ivf, init } from "vicinal";
import { Contender } from "../../kit/contender.mjs";
import { learn, openEngine, rowsOf } from "../../kit/engine.mjs";
import { quick, roundsOr } from "../../kit/options.mjs";
import { atLeast, fixed, times } from "../../kit/result.mjs";
import { interleave, median, seconds } from "../../kit/timing.mjs";
import { VARIANTS } from "../../kit/variants.mjs";

const LISTS = quick ? 40 : 316;
const POINTS = quick ? 2000 : 20_000;
const SEED = 42;
const ROUNDS = roundsOr(3, 1);

/** How many rounds of k-means training takes, and the objective of the last: the sum of |c|^2 - 2 <p, c>. */
async function counted(sample, d) {
  const rounds = [];
  const watch = (exports) => ({
    ...exports,
    kmeansUpdate(kmeans) {
      rounds.push(exports.kmeansUpdate(kmeans));
      return rounds.at(-1);
    },
  });
  const engine = await openEngine("simd", 16, { kind: "ivf", metric: "l2", dimensions: d, nlist: LISTS, seed: SEED }, watch);
  for (const _ of learn(engine, rowsOf(sample, { dimensions: d, packed: false }, "sample")));
  return { rounds: rounds.length, objective: rounds.at(-1) };
}

async function trainSeconds(sample, dimensions, variant) {
  await init({ variant });
  const index = await Ivf.create({ dimensions, metric: "l2", nlist: LISTS, seed: SEED });
  const spent = await seconds(() => index.train(sample));
  index.close();
  return spent;
}

export async function kmeans(set) {
  const sample = set.base.slice(0, POINTS * set.d);
  const { rounds, objective } = await counted(sample, set.d);
  process.stderr.write(`k-means, ${LISTS} cells: forms of plain JS, then ${ROUNDS} trainings of ${rounds} rounds each\n`);
  const dir = mkdtempSync(`${os.tmpdir()}/vicinal-bench-`);
  process.on("exit", () => rmSync(dir, { recursive: true }));
  writeFileSync(`${dir}/points.f32`, sample);
  const worker = fileURLToPath(new URL("../../rival/js-kmeans.mjs", import.meta.url));
  const js = new Contender(process.execPath, [worker, dir, POINTS, set.d, LISTS, SEED]);
  const { form, ...first } = await js.ask(`train ${rounds}`); // warm-up
  // JS leaves out the squared lengths of the points, which are the same for every centre.
  const theirs = first.objective + sample.reduce((sum, x) => sum + x * x, 0);
  if (Math.abs(theirs - objective) > 2e-3 * Math.abs(objective)) {
    throw new Error(`k-means ends at ${objective}, in plain JS at ${theirs}`);
  }
  for (const variant of VARIANTS) await trainSeconds(sample, set.d, variant); // warm-up
  const samples = await interleave(ROUNDS, {
    ...Object.fromEntries(VARIANTS.map((variant) => [variant, () => trainSeconds(sample, set.d, variant)])),
    js: async () => (await js.ask(`train ${rounds}`)).seconds,
  });
  js.close();
  const plain = median(samples.js);
  const ours = VARIANTS.map((variant) => ({ variant, spent: median(samples[variant]) }));
  return {
    data: { rounds, objective, jsObjective: first.objective, form, samples },
    tables: {
      "gates-kmeans": {
        columns: [`${POINTS} points, ${LISTS} cells, ${rounds} rounds`, "seconds", "speed / JS"],
        rows: [
          [`plain JS, ${form}`, fixed(2)(plain), times(1)],
          ...ours.map(({ variant, spent }) => [`Ivf.train(), ${variant}`, fixed(2)(spent), times(plain / spent)]),
        ],
      },
    },
    gates: ours.map(({ variant, spent }) => atLeast(`k-means training / plain JS, ${variant}`, plain / spent, 8)),
  };
}
