// vicinal's Collection beside other stores of documents: the same vectors in a folder, searched by the same conditions at the same
// recall, opened again, and how much of the disk they take. Each is a process that waits while another works; they take turns.
// What does not install or run is a row with the reason.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { Contender } from "../kit/contender.mjs";
import { qpsAt } from "../kit/curve.mjs";
import { peers as chosen, limitOr, quick, roundsOr } from "../kit/options.mjs";
import { atLeast, atMost, finish, fixed, whole } from "../kit/result.mjs";
import { interleave, median } from "../kit/timing.mjs";
import { STORES } from "../peers/documents/list.mjs";
import { DIMENSIONS, madeDocuments } from "./part/collection-documents.mjs";

const N = Math.min(limitOr(2000), 20_000);
const QUERIES = quick ? 30 : 100;
const K = 10;
/** Of all documents so many in a hundred pass. */
const SHARES = [50, 10, 1];
const RECALL = 0.95;
const ROUNDS = roundsOr(5, 2);
const OPENS = quick ? 2 : 5;
/** One timed stretch of queries, at least. */
const SECONDS = quick ? 0.1 : 0.25;

const folder = fileURLToPath(new URL("../peers", import.meta.url));
const say = (text) => process.stderr.write(`${text}\n`);
const versionOf = (path) => JSON.parse(readFileSync(`${path}/package.json`, "utf8")).version;

const dir = mkdtempSync(`${os.tmpdir()}/vicinal-bench-`);
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

/** Writes what the processes read: vectors of length 1, what passes, and the true neighbours of what does. */
function writeInput() {
  const { documents, queries } = madeDocuments(N, QUERIES);
  const base = joined(documents.map(({ vector }) => vector));
  const asked = joined(queries);
  // Every part as often, in an order that has nothing to do with where vectors are.
  const parts = Uint8Array.from({ length: N }, (_, i) => (i * 37) % 100);
  writeFileSync(`${dir}/base.f32`, base);
  writeFileSync(`${dir}/queries.f32`, asked);
  writeFileSync(`${dir}/parts.u8`, parts);
  for (const share of SHARES) writeFileSync(`${dir}/truth-${share}.u32`, nearest(base, asked, parts, share));
}

function joined(vectors) {
  const rows = new Float32Array(vectors.length * DIMENSIONS);
  vectors.forEach((vector, i) => {
    const length = Math.hypot(...vector);
    for (let j = 0; j < DIMENSIONS; j++) rows[i * DIMENSIONS + j] = vector[j] / length;
  });
  return rows;
}

function nearest(base, queries, parts, share) {
  const passing = Array.from(parts.keys()).filter((i) => parts[i] < share);
  const truth = new Uint32Array(QUERIES * K);
  for (let q = 0; q < QUERIES; q++) {
    const query = queries.subarray(q * DIMENSIONS, (q + 1) * DIMENSIONS);
    const near = passing.map((i) => {
      let dot = 0;
      for (let j = 0, at = i * DIMENSIONS; j < DIMENSIONS; j++) dot += query[j] * base[at + j];
      return { i, dot };
    });
    near.sort((a, b) => b.dot - a.dot || a.i - b.i);
    for (let j = 0; j < K; j++) truth[q * K + j] = near[j].i;
  }
  return truth;
}

/** Bytes of all files below. */
function bytesOf(path) {
  return readdirSync(path, { withFileTypes: true }).reduce((sum, entry) => {
    const below = `${path}/${entry.name}`;
    return sum + (entry.isDirectory() ? bytesOf(below) : statSync(below).size);
  }, 0);
}

/** A store that is out at its first error. */
class Runner {
  #contender;
  /** Why it is out. */
  failure;

  constructor(store) {
    this.store = store;
    this.path = `${dir}/${store.name}`;
    mkdirSync(this.path);
    const absent = store.packages.find((one) => !existsSync(`${folder}/node_modules/${one}`));
    if (absent) this.failure = `${absent} is not installed: npm install --prefix bench/peers`;
  }

  get version() {
    const all = this.store.packages.map((one) => `${folder}/node_modules/${one}`);
    if (all.length === 0) return versionOf(fileURLToPath(new URL("../..", import.meta.url)));
    return this.failure && !all.every((one) => existsSync(one)) ? "-" : all.map(versionOf).join(" + ");
  }

  async start() {
    if (this.failure) return;
    const worker = `${folder}/documents/worker.mjs`;
    const args = [worker, this.store.name, dir, this.path, N, DIMENSIONS, QUERIES, K];
    this.#contender = new Contender(process.execPath, args);
    await this.ask("prepare");
  }

  /** Undefined once it has failed. */
  async ask(command) {
    if (this.failure) return undefined;
    const answer = await this.#contender.ask(command).catch((error) => ({ error: error.message }));
    if (answer.error) {
      this.failure = answer.error.split("\n")[0].slice(0, 200);
      say(`${this.store.name}: ${this.failure}`);
    }
    return answer.error ? undefined : answer;
  }

  close() {
    this.#contender?.close();
  }
}

/** [{ ef, recall }] with rising effort, as far as the recall needs it. */
async function recallCurve(runner, share) {
  const curve = [];
  for (const ef of runner.store.efforts) {
    const answer = await runner.ask(`recall ${share} ${ef}`);
    if (!answer) break;
    curve.push({ ef, recall: answer.hits / (QUERIES * K) });
    if (curve.at(-1).recall >= RECALL) break;
  }
  return curve.slice(-2);
}

writeInput();
const stores = STORES.filter(({ name, packages }) => packages.length === 0 || (chosen?.includes(name) ?? true));
const runners = stores.map((store) => new Runner(store));
const results = new Map(runners.map((runner) => [runner, { opens: [], curves: {} }]));
const inTurn = (rounds, work) =>
  interleave(rounds, Object.fromEntries(runners.map((runner) => [runner.store.name, () => work(runner, results.get(runner))])));

await inTurn(1, async (runner, result) => {
  say(`${runner.store.name} is built`);
  await runner.start();
  result.build = (await runner.ask("build"))?.seconds;
  runner.close();
  result.bytes = bytesOf(runner.path);
});
say("opened");
await inTurn(OPENS, async (runner, result) => {
  runner.close();
  await runner.start();
  const opened = await runner.ask("open");
  if (opened) result.opens.push(opened.ms);
});
for (const share of SHARES) {
  say(`${share} %`);
  await inTurn(1, async (runner, { curves }) => {
    curves[share] = await recallCurve(runner, share);
  });
  await inTurn(ROUNDS, async (runner, { curves }) => {
    for (const point of curves[share]) {
      const answer = await runner.ask(`time ${share} ${point.ef} ${SECONDS}`);
      if (answer) point.samples = [...(point.samples ?? []), answer.qps];
    }
  });
}
for (const runner of runners) runner.close();

/** What is compared: more is better, or with `less` the smaller. */
const COMPARED = [
  ...SHARES.map((share) => ({
    what: `QPS at ${RECALL}, ${share} % pass`,
    of: ({ curves }) =>
      qpsAt(
        curves[share].map((point) => ({ ...point, qps: median(point.samples) })),
        RECALL,
      ),
    show: whole,
  })),
  { what: "open, ms", of: ({ opens }) => median(opens), less: true, show: fixed(1) },
  { what: "disk, bytes a document", of: ({ bytes }) => bytes / N, less: true, show: whole },
  { what: "build s", of: ({ build }) => build, show: fixed(2), told: true },
];
const [own, ...others] = runners;
if (own.failure) throw new Error(own.failure);
const standing = others.filter(({ failure }) => !failure);

finish("documents", {
  tables: {
    documents: {
      columns: [`${whole(N)} x ${DIMENSIONS}, k ${K}`, "version", "what", ...COMPARED.map(({ what }) => what)],
      rows: runners.map((runner) => {
        const { name, how } = runner.store;
        const cells = COMPARED.map(({ of, show }) => (runner.failure ? "-" : show(of(results.get(runner)))));
        return [runner.failure ? `${name}: ${runner.failure}` : name, runner.version, how, ...cells];
      }),
    },
  },
  gates: COMPARED.filter(({ told }) => !told).map(({ what, of, less }) => {
    const values = standing.map((runner) => of(results.get(runner))).filter((value) => Number.isFinite(value));
    const value = of(results.get(own));
    if (less) return atMost(`${what}: vicinal / the best of the others`, value / Math.min(...values), 1);
    return atLeast(`${what}: vicinal / the best of the others`, value / Math.max(...values), 1);
  }),
  data: runners.map((runner) => ({ name: runner.store.name, failure: runner.failure, ...results.get(runner) })),
});
