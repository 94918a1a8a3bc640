// What is wrong with an index, by evidence, and what to do.
import type { Vectors } from "../../input/vectors.js";
import { rowsOf } from "../../input/vectors.js";
import { badOption } from "../../words/errors.js";
import { METRICS } from "../../words/kinds.js";
import { checkSignal, integer, known, real } from "../../words/options.js";
import { curveOf } from "../curve.js";
import { type Ask, exactly, measure, type Point } from "../measuring.js";
import { type Truth, truthOf } from "../recall.js";
import { type Query, type Subject, subjectOf, type Tunable } from "../subject.js";
import { type Finding, sorted } from "./finding.js";
import { drift, removed, unreachable, untrained } from "./structure.js";
import { duplicates, elsewhere, metric } from "./vectors.js";

export interface DoctorOptions {
  /** What is asked of it. Default: `sample` of its vectors, without themselves. */
  queries?: Vectors;
  /** Vectors to look at. Default 300. */
  sample?: number;
  /** Default 10. */
  k?: number;
  /** Less than this share of the true neighbours is a problem, 0 to 1. Default 0.9. */
  recall?: number;
  /** Of the sample. Default 42. */
  seed?: number;
  signal?: AbortSignal;
}

export interface DoctorReport {
  /** The worst first; of those, causes before what may follow from them. Of a healthy index there are none. */
  findings: Finding[];
  /** At the effort that searches have by default. */
  recall: Point;
}

const NAMES = ["queries", "sample", "k", "recall", "seed", "signal"];

function given(subject: Subject, queries: Vectors): Query[] {
  const { dimensions, metric: name } = subject.stats;
  const rows = rowsOf(queries, { dimensions, packed: METRICS[name].packed }, "queries");
  return Array.from({ length: rows.n }, (_, i) => ({
    vector: Float32Array.from({ length: dimensions }, (_, j) => rows.value(i, j)),
  }));
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/**
 * Examines an index, a pool or a collection: recall now, and why it is low; memory that removed vectors hold; vectors out of reach; lists that were
 * learned from others; copies; a metric that does not hear lengths; queries from elsewhere. Each finding has its evidence, the cause, and a
 * call to make. Of pools and collections what only an index's own memory tells is left out. Errors: BAD_OPTION, and those of searches.
 */
export async function doctor(target: Tunable, options: DoctorOptions = {}): Promise<DoctorReport> {
  known("doctor", options, NAMES);
  checkSignal(options.signal);
  const wanted = real("recall", options.recall ?? 0.9, 0, 1);
  const k = integer("k", options.k ?? 10, 1, 2 ** 20);
  const seed = integer("seed", options.seed ?? 42, 0, Number.MAX_SAFE_INTEGER);
  const subject = await subjectOf(target);
  const { stats, index } = subject;
  const drawn = await subject.drawn(integer("sample", options.sample ?? 300, 2, 2 ** 20), seed);
  if (drawn.length < 2) throw badOption(`there are ${subject.size} vectors: two at least can be examined`);
  const asked = options.queries === undefined ? drawn : given(subject, options.queries);
  if (asked.length === 0) throw badOption("queries has none");
  const ask: Ask = { subject, queries: asked, k, options: {}, batch: 1, signal: options.signal };
  const own: Ask = { ...ask, queries: drawn };
  const near = await exactly(own);
  const found = ask.queries === drawn ? near : await exactly(ask);
  const right = found.map(truthOf);
  const recall = await measure(ask, undefined, right);
  const equal = near.filter(([first]) => first && first.distance <= EQUAL * Math.abs(near[0].at(-1)?.distance ?? 1)).length;
  const findings = [untrained(stats), removed(stats, index), unreachable(stats)];
  if (!METRICS[stats.metric].signed) findings.push(duplicates(equal, drawn.length));
  if (index) findings.push(await drift(index, seed), await metric(index, drawn));
  if (options.queries !== undefined && !METRICS[stats.metric].signed) {
    const theirs = found.map(([first]) => first?.distance ?? 0);
    const vectors = await measure(own, undefined, near.map(truthOf));
    const ours = near.map(([first]) => first?.distance ?? 0);
    findings.push(elsewhere(median(theirs), median(ours), { queries: recall.recall, vectors: vectors.recall }));
  }
  findings.push(await missing(ask, recall, wanted, right));
  return { findings: sorted(findings.filter((one) => one !== undefined)), recall };
}

/** Beside the distance of the k-th, an equal vector's is rounding. */
const EQUAL = 1e-5;

/** Why less is found than is wanted: too little effort, or what no effort brings back. */
async function missing(ask: Ask, now: Point, wanted: number, right: readonly Truth[]): Promise<Finding | undefined> {
  if (now.recall + now.error >= wanted) return undefined;
  const { subject } = ask;
  const { effort: name, stats } = subject;
  const low = `recall@${ask.k} is ${now.recall.toFixed(3)} (${now.low.toFixed(3)} to ${now.high.toFixed(3)}), ${wanted} is wanted`;
  const set = name ? Number(stats.options[name]) : 0;
  const { choice } = name
    ? await curveOf((effort) => measure(ask, effort, right), Math.min(Math.max(set, 1), subject.most), subject.most, wanted)
    : { choice: { ...now, reached: false } };
  const evidence = { recall: now.recall, low: now.low, high: now.high, size: stats.size };
  if (choice.reached) {
    const effort = Number(choice.effort);
    return {
      name: "effort",
      severity: "problem",
      evidence: { ...evidence, [`${name}`]: set, needed: effort, recallThen: choice.recall },
      cause: `${low}: ${name} ${set} is too low for ${stats.size} vectors`,
      advice: `await tune(index, { recall: ${wanted}, k: ${ask.k} }), or ${name}: ${effort} in searches`,
      brings: `recall ${choice.recall.toFixed(3)}, for ${(choice.p50Ms / now.p50Ms).toFixed(1)} times the time`,
    };
  }
  return {
    name: "codes",
    severity: "problem",
    evidence: { ...evidence, best: choice.recall },
    cause: `${low}: no ${name ?? "effort"} finds more than ${choice.recall.toFixed(3)}, so what ${stats.codec} codes nominate lacks the rest`,
    advice: "create it with more candidates, rerank: { factor: 40 } or more, or with more bits a value",
    brings: "what the codes lose among the candidates",
  };
}
