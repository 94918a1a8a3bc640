// From numbers alone to designs that fit, and of the others which limit breaks first.

import { badOption } from "../../words/errors.js";
import { METRIC_NAMES, type Metric } from "../../words/kinds.js";
import { LIMITS } from "../../words/limits.js";
import { WHOLE_MEMORY } from "../../words/needs.js";
import { integer, known, oneOf, real } from "../../words/options.js";
import { type Bytes, DESIGNS, type Design, effortFor, FULL, listsOf, mostFound, shardsFor } from "./laws.js";
import { canPlan, speedOf } from "./machine.js";
import { buildSeconds, type Speed, searchUs } from "./times.js";

export interface PlanOptions {
  /** How many there will be. */
  vectors: number;
  dimensions: number;
  /** l2, cosine or dot. Default "cosine". */
  metric?: Metric;
  /** Recall at k 10, 0 to 1. Default 0.95. */
  recall?: number;
  /** Milliseconds that 99 of 100 searches may take, one at a time. Default: no limit. */
  p99Ms?: number;
  /** Memory of one machine. Default 4 GiB, which is one index. */
  ramBytes?: number;
  /** Machines there are. Default: as many as it takes. */
  machines?: number;
  /** Of one machine. Default 1. */
  cores?: number;
  /** Copies of everything, each able to answer. Default 1. */
  replicas?: number;
  /** Vectors that are added or replaced in a second. Default 0. */
  updatesPerSecond?: number;
  /** Of the vectors those that pass a search's filter, 0 to 1. Default 1. */
  filterShare?: number;
}

/** What breaks. */
export type Axis = "recall" | "ram" | "machines" | "p99";

export interface PlannedDesign {
  /** For `factory`, of one shard. */
  factory: string;
  /** Parts of the whole, each an index of its own, and how many machines hold all of them, and search them in the time that is asked. */
  shards: number;
  machines: number;
  shard: { vectors: number; bytes: Bytes };
  /** Of all shards and replicas. */
  bytes: number;
  /** What a collection's log writes in a day, and vectors in it: beside memory, on the medium. */
  logBytesPerDay: number;
  /** What its searches are told: { ef } or { nprobe }, and candidates for each result that are re-scored. */
  search: { ef?: number; nprobe?: number; factor?: number };
  /** Expected at k 10, and on which grounds. */
  recall: number;
  basis: string;
  /** Of a search of all shards of one replica, one search at a time, without what a network takes. Times are NaN of what breaks in memory or recall: nothing is measured for it. */
  p50Ms: number;
  p99Ms: number;
  /** By all cores of all machines. */
  qps: number;
  /** Of one core, for one replica. */
  buildSeconds: number;
  /** Of a core of each replica, to keep up with updates. */
  updateCores: number;
  /** Days after which half has been replaced, when lists and codebooks should be learned anew; Infinity where nothing is learned or replaced. */
  rebuildDays: number;
  /** In which way it does not fit; undefined of what does. */
  breaks: Axis | undefined;
  why: string;
}

export interface Plan {
  /** What fits, the least memory first. */
  designs: PlannedDesign[];
  /** What does not, with the limit that breaks first. */
  refused: PlannedDesign[];
  /** In one sentence. */
  advice: string;
}

const NAMES = [
  "vectors",
  "dimensions",
  "metric",
  "recall",
  "p99Ms",
  "ramBytes",
  "machines",
  "cores",
  "replicas",
  "updatesPerSecond",
  "filterShare",
];

/** p99 over the median, by way: bench:families. */
const TAIL = { scan: 1.2, graph: 2, lists: 1.6 };
/** New rows that a node's expansion scores in a plain graph, 7 to 11 of its 32 links. */
const ROWS_OF_NODE = 9;
const UNTIMED: Speed = { firstUs: Number.NaN, unitUs: Number.NaN, buildUs: Number.NaN };
/** A log's record beside its vector: id, length, sequence, checksum. */
const RECORD = 40;
const DAY = 86_400;
/** Vectors that are inserted one by one take so many times as long as many at once: bench:grow. */
const ONE_BY_ONE = 4.6;

interface Asked {
  readonly n: number;
  readonly d: number;
  readonly metric: Metric;
  readonly recall: number;
  readonly p99Ms: number;
  readonly ramBytes: number;
  readonly machines: number;
  readonly cores: number;
  readonly replicas: number;
  readonly updates: number;
  readonly share: number;
}

function askedOf(options: PlanOptions): Asked {
  known("plan", options, NAMES);
  const metric = oneOf("metric", options.metric ?? "cosine", METRIC_NAMES);
  if (!canPlan(metric)) throw badOption(`plan knows l2, cosine and dot, not ${metric}`);
  return {
    n: integer("vectors", options.vectors, 1, 1e12),
    d: integer("dimensions", options.dimensions, ...LIMITS.dimensions),
    metric,
    recall: real("recall", options.recall ?? 0.95, 0.5, 1),
    p99Ms: real("p99Ms", options.p99Ms ?? Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_VALUE),
    ramBytes: real("ramBytes", options.ramBytes ?? WHOLE_MEMORY, 1 << 20, Number.MAX_SAFE_INTEGER),
    machines: integer("machines", options.machines ?? 2 ** 20, 1, 2 ** 20),
    cores: integer("cores", options.cores ?? 1, 1, 4096),
    replicas: integer("replicas", options.replicas ?? 1, 1, 64),
    updates: real("updatesPerSecond", options.updatesPerSecond ?? 0, 0, 1e9),
    share: real("filterShare", options.filterShare ?? 1, Number.MIN_VALUE, 1),
  };
}

const count = (n: number): string => Math.round(n).toLocaleString("en-US");
const size = (bytes: number): string => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`);

async function planned(design: Design, asked: Asked): Promise<PlannedDesign> {
  const { n, d, metric, recall, p99Ms, ramBytes, replicas, cores, updates, share } = asked;
  const { shards, each, bytes } = shardsFor(design, n, d, metric, ramBytes);
  const held = Math.floor((ramBytes * FULL) / bytes.total);
  const fewest = held < 1 ? Number.POSITIVE_INFINITY : Math.ceil((shards * replicas) / held);
  const found = effortFor(design, each, recall);
  const effort = found ?? effortFor(design, each, design.best - 0.01) ?? { effort: 0, candidates: 0, recall: design.best };
  const fits = found !== undefined && Number.isFinite(fewest) && fewest <= asked.machines;
  // What breaks in memory or recall is not timed: the small index would take longer than the answer is worth.
  const speed = fits ? await speedOf(design, d, metric) : UNTIMED;
  const whole = searchUs(design, each, d, effort, speed);
  // A search looks for as many that pass, until it is cheaper to look at all that pass.
  const scanned = speed.firstUs + (share * each * speed.unitUs) / (design.way === "graph" ? ROWS_OF_NODE : 1);
  const filtered = share < 1 ? Math.min(whole / share, scanned) : whole;
  const machines = fits ? spread(fewest, asked, shards, (filtered * TAIL[design.way]) / 1000) : fewest;
  const onEach = Math.ceil(shards / Math.max(Math.ceil(machines / replicas), 1));
  const p50 = (filtered * Math.ceil(onEach / cores)) / 1000;
  const p99 = p50 * TAIL[design.way];
  const built = shards * buildSeconds(design, each, speed);
  const learns = design.way === "lists";
  const plan = {
    factory: design.factory(d, listsOf(each)),
    shards,
    machines,
    shard: { vectors: each, bytes },
    bytes: shards * replicas * bytes.total,
    logBytesPerDay: updates * DAY * (4 * d + RECORD),
    search: {
      ...(design.way === "graph" && { ef: effort.effort }),
      ...(design.way === "lists" && { nprobe: effort.effort }),
      ...(effort.candidates > 0 && { factor: Math.ceil(effort.candidates / 10) }),
    },
    recall: effort.recall,
    basis:
      "laws fitted to sentence and word vectors, 5,000 to 80,000 (bench:plan); yours may be easier or harder: tune() measures",
    p50Ms: p50,
    p99Ms: p99,
    qps: (cores * machines * 1e6) / (shards * filtered),
    buildSeconds: built,
    updateCores: (updates * buildSeconds(design, each, speed) * (design.way === "graph" ? ONE_BY_ONE : 1)) / each,
    rebuildDays: learns && updates > 0 ? n / 2 / updates / DAY : Number.POSITIVE_INFINITY,
  };
  return { ...plan, ...verdict(plan, found !== undefined, asked, design, p99Ms) };
}

/** The fewest machines that hold all shards and search them in time, `ms` each; where none do, or not so few as there are, as many as come nearest to it. */
function spread(fewest: number, { p99Ms, machines, cores, replicas }: Asked, shards: number, ms: number): number {
  const rounds = Math.max(Math.floor(p99Ms / ms), 1);
  return Math.min(Math.max(fewest, replicas * Math.ceil(shards / (rounds * cores))), machines);
}

function verdict(
  plan: Omit<PlannedDesign, "breaks" | "why">,
  finds: boolean,
  { n, d, recall, ramBytes, machines, replicas }: Asked,
  design: Design,
  p99Ms: number,
): Pick<PlannedDesign, "breaks" | "why"> {
  const { shards, shard, bytes } = plan;
  const parts = `${count(shards)} ${shards === 1 ? "index" : "shards"} of ${count(shard.vectors)} vectors, ${size(shard.bytes.total)} each`;
  const kept = `${size(n * design.code(d))} of ${design.rows}${
    shard.bytes.links ? ` and ${size(shards * shard.bytes.links)} of links` : ""
  }${design.exact ? ` and ${size(n * design.exact(d))} of rows to re-score by` : ""}`;
  if (!finds) {
    const most = recall > design.best ? `its codes find ${design.best}` : `it is no exact search: ${mostFound(design)}`;
    const given = `${most} at most, ${recall} is asked`;
    return { breaks: "recall", why: `${given}; it would be ${size(bytes)}: ${parts}` };
  }
  if (!Number.isFinite(plan.machines)) {
    return {
      breaks: "ram",
      why: `one index of ${count(shard.vectors)} is ${size(shard.bytes.total)}, a machine has ${size(ramBytes)}`,
    };
  }
  if (plan.machines > machines) {
    const all = `${size(bytes)}${replicas > 1 ? ` in ${replicas} replicas` : ""}`;
    return {
      breaks: machines === 1 ? "ram" : "machines",
      why: `${kept}: with all else ${all}, which takes ${count(plan.machines)} machines of ${size(ramBytes)}; there ${machines === 1 ? "is 1" : `are ${count(machines)}`}`,
    };
  }
  if (plan.p99Ms > p99Ms) {
    const by = plan.machines === 1 ? "" : ` by ${count(plan.machines)} machines`;
    return { breaks: "p99", why: `${parts}, searched in ${plan.p99Ms.toFixed(1)} ms (p99)${by}; ${p99Ms} ms are asked` };
  }
  const found = plan.search.ef
    ? `ef ${plan.search.ef}`
    : plan.search.nprobe
      ? `${plan.search.nprobe} lists probed in each`
      : "all rows scanned";
  const again = plan.search.factor ? `, ${count(10 * plan.search.factor)} candidates re-scored in each` : "";
  return {
    breaks: undefined,
    why: `${kept}: ${parts}; ${found}${again}; recall ${plan.recall.toFixed(3)}, ${(1 - plan.recall).toFixed(3)} given up`,
  };
}

/**
 * Designs for so many vectors: which fit, with their bytes, times, recall, shards and machines, and which do not, with the limit that breaks
 * first. What a step takes is measured on this machine at first use, some seconds, by small indices of these dimensions; machines are taken to be like it. All
 * is expected, not promised. Errors: BAD_OPTION.
 */
export async function plan(options: PlanOptions): Promise<Plan> {
  const asked = askedOf(options);
  const all: PlannedDesign[] = [];
  for (const design of DESIGNS) {
    const parts = asked.d >= 4 || design.way !== "lists";
    if (parts) all.push(await planned(design, asked));
  }
  const designs = all.filter(({ breaks }) => breaks === undefined).sort((a, b) => a.bytes - b.bytes);
  const refused = all.filter(({ breaks }) => breaks !== undefined);
  return { designs, refused, advice: adviceOf(designs, refused, asked) };
}

/** By how much it is over the limit that breaks; Infinity where no other limit of that kind would do. */
function over({ breaks, p99Ms, machines }: PlannedDesign, asked: Asked): number {
  if (breaks === "recall") return Number.POSITIVE_INFINITY;
  return breaks === "p99" ? p99Ms / asked.p99Ms : machines / asked.machines;
}

function adviceOf(designs: readonly PlannedDesign[], refused: readonly PlannedDesign[], asked: Asked): string {
  if (designs.length === 0) {
    const near = refused.toSorted((a, b) => over(a, asked) - over(b, asked) || b.recall - a.recall)[0];
    return `Nothing fits. Nearest is ${near.factory}: ${near.why}.`;
  }
  const fast = designs.reduce((a, b) => (b.p99Ms < a.p99Ms ? b : a));
  const [small] = designs;
  const first = `Least memory: ${small.factory}, ${size(small.bytes)}, p99 ${small.p99Ms.toFixed(2)} ms.`;
  return fast === small ? first : `${first} Fastest: ${fast.factory}, ${size(fast.bytes)}, p99 ${fast.p99Ms.toFixed(2)} ms.`;
}
