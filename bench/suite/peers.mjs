// vicinal's Hnsw beside other packages of npm: the same data, compared at the same recall. Each is a process that waits while
// another works; they take turns: plain searches, searches with a filter, and searches after an update. What does not install or
// run is a row with the reason, what a package has not a cell with it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { Contender } from "../kit/contender.mjs";
import { qpsAt } from "../kit/curve.mjs";
import { loadSet, ranker } from "../kit/data.mjs";
import { peers as chosen, limitOr, metric, quick, roundsOr, sets } from "../kit/options.mjs";
import { gzipped, ownPage, page } from "../kit/page.mjs";
import { finish, fixed, times, whole } from "../kit/result.mjs";
import { interleave, median } from "../kit/timing.mjs";
import { OWN, PEERS } from "../peers/list.mjs";
import { GROUP, groupOf, replacements } from "../peers/tasks.mjs";

const SETS = sets ?? ["minilm-mix-384"];
const [M, EF_CONSTRUCTION, K] = [16, 200, 10];
const EFS = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 160, 200, 300, 500];
const TARGETS = [0.95, 0.99];
/** Where graphs are compared at one effort. */
const SAME_EF = 100;
const ROUNDS = roundsOr(5, 3);
/** Of the searches at one effort: plain, filtered, updated. */
const SAME_ROUNDS = roundsOr(3, 2);
/** One timed stretch of queries, at least. */
const SECONDS = quick ? 0.1 : 0.25;
/** What builds faster than this is built a second time. */
const SHORT_BUILD_SECONDS = 10;

const folder = fileURLToPath(new URL("../peers", import.meta.url));
const say = (text) => process.stderr.write(`${text}\n`);
const manifest = (path) => JSON.parse(readFileSync(`${path}/package.json`, "utf8"));
const parameters = { m: M, efConstruction: EF_CONSTRUCTION };
const graph = `M ${M}, efConstruction ${EF_CONSTRUCTION}`;

const dir = mkdtempSync(`${os.tmpdir()}/vicinal-bench-`);
process.on("exit", () => rmSync(dir, { recursive: true }));

/** All rows of the table, with version and download: { name, adapter, options, about, download, refuses, efforts, missing }. */
async function contestants() {
  const { version } = manifest(fileURLToPath(new URL("../..", import.meta.url)));
  const own = OWN.map(async ({ name, options, wasm = "core" }) => {
    const { together } = await ownPage("Hnsw", wasm);
    const about = `${graph}${Object.keys(options).length ? `, ${JSON.stringify(options)}` : ""}`;
    return { name, own: true, adapter: "vicinal", options, version, about, download: together, efforts: EFS };
  });
  const wanted = PEERS.filter(({ name }) => chosen?.includes(name) ?? true);
  const others = wanted.map(async ({ name, adapter = name, packages, how, efforts = EFS, options = {}, ...peer }) => {
    const about = efforts[0] > 0 && !peer.absent ? `${graph}, ${how}` : how;
    const contestant = { name, adapter, options, about, efforts, refuses: peer.refuses };
    if (peer.absent) return { ...contestant, version: peer.absent.version, missing: peer.absent.why };
    const absent = packages.find((one) => !existsSync(`${folder}/node_modules/${one}`));
    if (absent) return { ...contestant, version: "-", missing: `${absent} is not installed: npm install --prefix bench/peers` };
    const version = packages.map((one) => manifest(`${folder}/node_modules/${one}`).version).join(" + ");
    return { ...contestant, version, download: peer.page && (await download(peer)) };
  });
  return Promise.all([...own, ...others]);
}

/** Gzipped: JS, wasm that is imported, and files fetched by URL. */
async function download({ page: contents, assets = [] }) {
  const { js, others } = await page(contents, folder);
  const files = assets.map((path) => readFileSync(`${folder}/node_modules/${path}`));
  return [js, ...others.map(({ bytes }) => bytes), ...files.map(gzipped)].reduce((sum, bytes) => sum + bytes);
}

/** A contender that is out at its first error. */
class Runner {
  #contender;
  /** Why it is out. */
  failure;

  constructor(contestant, set) {
    const { adapter, options } = contestant;
    this.failure = contestant.missing ?? contestant.refuses?.(set);
    if (this.failure) return;
    const args = [adapter, dir, set.n, set.d, set.nq, set.metric, K, JSON.stringify({ ...parameters, ...options })];
    this.#contender = new Contender(process.execPath, ["--expose-gc", `${folder}/worker.mjs`, ...args]);
  }

  /** Its answer; undefined once it is out. */
  async ask(command) {
    if (this.failure) return undefined;
    const answer = await this.attempt(command);
    if (answer.error) {
      this.failure = `${command.split(" ")[0]}: ${answer.error}`;
      say(`out at ${this.failure}`);
    }
    return answer.error ? undefined : answer;
  }

  /** Its answer, or { error }, which does not put it out. */
  async attempt(command) {
    const answer = await this.#contender.ask(command).catch(() => ({ error: "its process ended" }));
    return answer.error ? { error: answer.error.split("\n")[0].slice(0, 100) } : answer;
  }

  close() {
    this.#contender?.close();
  }
}

/** Of every contestant { name, failure } or { name, builds, bytes, memory, sameEf: recall, curve: [{ ef, recall, qps }] }. */
async function measure(all, set) {
  writeFileSync(`${dir}/base.f32`, set.base);
  writeFileSync(`${dir}/queries.f32`, set.queries);
  writeFileSync(`${dir}/truth.u32`, set.truth);
  writeFileSync(`${dir}/truth-filtered.u32`, filteredTruth(set));
  writeFileSync(`${dir}/truth-updated.u32`, updatedTruth(set));
  const runners = Object.fromEntries(all.map((contestant) => [contestant.name, new Runner(contestant, set)]));
  const byName = (ask) =>
    Object.fromEntries(all.map((contestant) => [contestant.name, () => ask(contestant, runners[contestant.name])]));

  const builds = Object.fromEntries(all.map(({ name }) => [name, []]));
  await interleave(
    1,
    byName((_, runner) => runner.ask("prepare")),
  );
  await interleave(
    quick ? 1 : 2,
    byName(async ({ name }, runner) => {
      if (builds[name].some(({ seconds }) => seconds > SHORT_BUILD_SECONDS)) return;
      say(`${set.name}: ${name} builds`);
      const built = await runner.ask("build");
      if (built) builds[name].push(built);
    }),
  );

  const recalls = {};
  for (const { name, efforts } of all) {
    say(`${set.name}: recall of ${name}`);
    recalls[name] = await recallCurve(runners[name], efforts, set);
  }
  const points = Object.fromEntries(all.map(({ name }) => [name, around(recalls[name])]));
  say(`${set.name}: ${ROUNDS} rounds of queries`);
  const timed = await interleave(
    ROUNDS,
    byName(async ({ name }, runner) => {
      const round = [];
      for (const { ef } of points[name]) round.push((await runner.ask(`time ${ef} ${SECONDS}`))?.qps);
      return round;
    }),
  );
  const same = {};
  for (const task of ["plain", "filter", "update"]) {
    say(`${set.name}: ${task}, at one effort`);
    same[task] = await atSameEffort(task, all, runners, set, recalls);
  }
  for (const runner of Object.values(runners)) runner.close();

  return all.map(({ name, own }) => {
    const { failure } = runners[name];
    if (failure) return { name, own, failure };
    const [{ bytes, memory }] = builds[name];
    const curve = points[name].map((point, i) => {
      const samples = timed[name].map((round) => round[i]);
      return { ...point, qps: median(samples), samples };
    });
    const seconds = builds[name].map((built) => built.seconds);
    const tasks = Object.fromEntries(Object.entries(same).map(([task, results]) => [task, results[name]]));
    return { name, own, builds: seconds, bytes: bytes / set.n, memory, tasks, curve };
  });
}

/** Of each that is not out { recall, qps, samples, perSecond: vectors replaced }, or { error }. */
async function atSameEffort(task, all, runners, set, plainRecalls) {
  const measured = {};
  const able = all.filter(({ name }) => !runners[name].failure);
  for (const { name, efforts } of able) {
    const ef = sameOf(efforts);
    const plain = plainRecalls[name].find((point) => point.ef === ef);
    measured[name] = task === "plain" ? plain : await begun(task, ef, runners[name], set);
  }
  const timed = able.filter(({ name }) => !measured[name].error);
  const time = ({ name, efforts }) => runners[name].attempt(`time ${sameOf(efforts)} ${SECONDS}`);
  const rounds = await interleave(SAME_ROUNDS, Object.fromEntries(timed.map((one) => [one.name, () => time(one)])));
  for (const { name } of timed) {
    const samples = rounds[name].map(({ qps }) => qps);
    measured[name] = rounds[name].find(({ error }) => error) ?? { ...measured[name], qps: median(samples), samples };
  }
  return measured;
}

/** Begins filtering or has updated: { recall, perSecond }, or { error }. */
async function begun(task, ef, runner, set) {
  const { error, count, seconds } = await runner.attempt(task);
  const answer = error ? { error } : await runner.attempt(`recall ${ef}`);
  return answer.error ? answer : { recall: answer.hits / (set.nq * K), perSecond: count / seconds };
}

/** The one effort at which all are compared, or that of an exact search. */
const sameOf = (efforts) => (efforts.includes(SAME_EF) ? SAME_EF : efforts[0]);

/** The nearest of those that pass the filter, by plain arithmetic. */
function filteredTruth(set) {
  const rank = ranker(set.metric, set.base, set.d);
  const passing = Array.from({ length: set.n }, (_, id) => id).filter((id) => groupOf(id) === GROUP);
  const truth = Array.from({ length: set.nq }, (_, q) => {
    const far = rank(set.queries.subarray(q * set.d, (q + 1) * set.d));
    return passing.toSorted((a, b) => far[a] - far[b]).slice(0, K);
  });
  return Uint32Array.from(truth.flat());
}

/** The same vectors are nearest as before an update, under the ids that have them now. */
function updatedTruth(set) {
  const now = new Map(replacements(set.n).map(([id, from]) => [from, id]));
  return set.truth.map((id) => now.get(id) ?? id);
}

/** [{ ef, recall }] with rising effort, as far as the targets and SAME_EF need it. */
async function recallCurve(runner, efforts, set) {
  const curve = [];
  for (const ef of efforts) {
    const answer = await runner.ask(`recall ${ef}`);
    if (!answer) break;
    curve.push({ ef, recall: answer.hits / (set.nq * K) });
    if (ef >= SAME_EF && curve.some(({ recall }) => recall >= TARGETS.at(-1))) break;
  }
  return curve;
}

/** The points of a curve on both sides of each target. */
function around(curve) {
  const at = TARGETS.map((target) => curve.findIndex(({ recall }) => recall >= target));
  return curve.filter((_, i) => at.some((first) => i === first || i === first - 1));
}

/** What the columns compare, at equal recall: the better is the greater, or with `less` the smaller. */
const COMPARED = [
  ...TARGETS.map((target) => ({ what: `QPS at ${target}`, of: ({ curve }) => qpsAt(curve, target), show: whole })),
  { what: "build s", of: ({ builds }) => mean(builds), less: true, show: fixed(2) },
  { what: "bytes per vector", of: ({ bytes }) => bytes, less: true, show: whole },
  { what: "download, gzip", of: ({ download }) => download ?? NaN, less: true, show: whole },
];
const mean = (values) => values.reduce((sum, value) => sum + value) / values.length;

function table(all, results) {
  const rows = results.map((result) => ({ ...result, ...all.find(({ name }) => name === result.name) }));
  const columns = [
    "",
    `recall@${K}, ef ${SAME_EF}`,
    ...COMPARED.flatMap(({ what }) => (what === "bytes per vector" ? [what, "measured as"] : [what])),
  ];
  const cells = rows.map((row) => {
    if (row.failure) return failedRow(row, columns);
    const [fast, good, build, bytes, fetched] = COMPARED.map(({ of, show }) => show(of(row)));
    const size = row.download ? fetched : "native";
    return [row.name, recallOf(row.tasks.plain), fast, good, build, bytes, MEMORY[row.memory], size];
  });
  return { columns, rows: cells, notes: rows.filter(({ own, failure }) => own && !failure).map((own) => leads(own, rows)) };
}

const failedRow = ({ name, failure }, columns) => [`${name}: ${failure}`, ...columns.slice(1).map(() => "-")];
const recallOf = ({ recall, error }) => (error ? `- (${error})` : recall.toFixed(4));
const qpsOf = ({ qps, error }) => (error ? "-" : whole(qps));

/** Plain searches, filtered ones, and those after an update, at one effort. */
function taskTable(results) {
  const columns = [
    `ef ${SAME_EF}`,
    `recall@${K}`,
    "QPS",
    "10 % pass: recall",
    "10 % pass: QPS",
    "5 % replaced: recall",
    "5 % replaced: QPS",
    "replaced a second",
  ];
  const rows = results.map((result) => {
    if (result.failure) return failedRow(result, columns);
    const { plain, filter, update } = result.tasks;
    const replaced = update.error ? "-" : whole(update.perSecond);
    return [result.name, ...[plain, filter, update].flatMap((task) => [recallOf(task), qpsOf(task)]), replaced];
  });
  return { columns, rows };
}

const MEMORY = { wasm: "wasm memory", heap: "JS heap", RSS: "RSS" };

/** A line on where others lead one of vicinal's rows; they must find as much, so reach the first target at least. */
function leads(own, rows) {
  const peers = rows.filter((row) => !row.own && !row.failure && Number.isFinite(qpsAt(row.curve, TARGETS[0])));
  const found = COMPARED.flatMap(({ what, of, less }) => {
    const better = peers
      .map((peer) => ({ name: peer.name, by: less ? of(own) / of(peer) : of(peer) / of(own) }))
      .filter(({ by }) => by > 1);
    return better.length ? [`${what} ${better.map(({ name, by }) => `${name} ${times(by)}`).join(", ")}`] : [];
  });
  return `Leads ${own.name}: ${found.join("; ") || "none"}.`;
}

const all = await contestants();
const measured = [];
for (const name of SETS) {
  const set = loadSet(name, { limit: limitOr(2000), queries: quick ? 100 : Infinity, metric });
  if (!set) continue;
  if (set.metric === "cosine") for (const values of [set.base, set.queries]) normalise(values, set.d);
  measured.push({ set, results: await measure(all, set) });
}

/** Rows of length 1: no package normalises within the clock, and l2 is in the order of the cosine. */
function normalise(values, d) {
  for (let start = 0; start < values.length; start += d) {
    const row = values.subarray(start, start + d);
    const length = Math.hypot(...row);
    for (let i = 0; i < d; i++) row[i] /= length;
  }
}

finish("peers", {
  tables: {
    peers: { columns: ["", "version", "parameters"], rows: all.map(({ name, version, about }) => [name, version, about]) },
    ...Object.fromEntries(measured.map(({ set, results }) => [`peers-${set.name}`, table(all, results)])),
    ...Object.fromEntries(measured.map(({ set, results }) => [`peers-tasks-${set.name}`, taskTable(results)])),
  },
  data: {
    contestants: all,
    sets: measured.map(({ set, results }) => ({ name: set.name, metric: set.metric, n: set.n, results })),
  },
});
