// What is best by two of the three axes, at a recall and a number of vectors: as measured, or by the formulas of `plan` beyond that.
import { pickTwo, type ThreeAxes, type TwoOfThree } from "../../guide/pick-two.js";
import { type Design, effortFor, mostFound, shardsFor } from "../../guide/plan/laws.js";
import { type Speed, searchUs } from "../../guide/plan/times.js";
import type { Metric } from "../../words/kinds.js";
import type { Family } from "./families.js";
import type { MeasuredPoint } from "./messages.js";

/** An index that has been built and measured. */
export interface Measured {
  readonly family: Family;
  /** The place of its colour. */
  readonly look: number;
  readonly factory: string;
  readonly bytes: number;
  readonly buildSeconds: number;
  readonly points: readonly MeasuredPoint[];
}

export interface Ground {
  /** Vectors measured on. */
  readonly n: number;
  readonly dimensions: number;
  readonly metric: Metric;
  /** Neighbours that recall is of. */
  readonly k: number;
}

/** Where an index stands. */
export interface Standing {
  readonly of: Measured;
  readonly reached: boolean;
  readonly recall: number;
  readonly ms: number;
  readonly bytes: number;
  /** Indices that it takes, since one has 4 GiB of memory at most; searched one after the other. */
  readonly parts: number;
  readonly effort: number | undefined;
  /** By formulas. */
  readonly computed: boolean;
}

const missed = (recall: number): number => Math.log(Math.max(1 - recall, 1e-4));

/** What the recall takes: between two efforts that were measured, times go as a power of the misses. The best there is where none reaches it. */
export function atRecall(
  points: readonly MeasuredPoint[],
  wanted: number,
): Pick<Standing, "reached" | "recall" | "ms" | "effort"> {
  const i = points.findIndex(({ recall }) => recall >= wanted);
  if (i < 0) {
    const { recall, ms, effort } = points.reduce((a, b) => (b.recall > a.recall ? b : a));
    return { reached: false, recall, ms, effort };
  }
  const b = points[i];
  const a = points[i - 1];
  if (!a) return { reached: true, recall: b.recall, ms: b.ms, effort: b.effort };
  const part = (missed(wanted) - missed(a.recall)) / (missed(b.recall) - missed(a.recall));
  const between = (from: number, to: number): number => from * (to / from) ** part;
  return { reached: true, recall: wanted, ms: between(a.ms, b.ms), effort: Math.ceil(between(a.effort ?? 1, b.effort ?? 1)) };
}

/** What a step of its searches takes here, from its easiest and its hardest measured search. */
function speedOf({ way }: Design, points: readonly MeasuredPoint[]): Speed {
  const units = ({ visited, distances }: MeasuredPoint): number => (way === "graph" ? visited : distances);
  const [a, b] = [points[0], points[points.length - 1]];
  // Where the harder one was not slower, by chance or because there is but one, all is said to go by units.
  const grows = b.ms > a.ms && units(b) > units(a);
  const unitUs = (1000 * (grows ? b.ms - a.ms : b.ms)) / (grows ? units(b) - units(a) : units(b));
  return { firstUs: Math.max(1000 * a.ms - unitUs * units(a), 0), unitUs, buildUs: 0 };
}

/** What a search takes by the laws, and what that is of: a part, where one index has no room for all. Undefined where no effort finds so much. */
function lawOf(design: Design, size: number, { dimensions, metric }: Ground, wanted: number, speed: Speed) {
  const { shards, each, bytes } = shardsFor(design, size, dimensions, metric);
  const effort = effortFor(design, each, wanted);
  return effort && { shards, bytes: bytes.total, us: shards * searchUs(design, each, dimensions, effort, speed) };
}

/** Of an index at `to` vectors; undefined where that is more than was measured and no formula says. */
export function standingOf(of: Measured, ground: Ground, to: number, wanted: number): Standing | undefined {
  if (of.points.length === 0) return undefined;
  const here = atRecall(of.points, wanted);
  if (to === ground.n) return { of, ...here, bytes: of.bytes, parts: 1, computed: false };
  const { design } = of.family;
  if (!design) return undefined;
  const speed = speedOf(design, of.points);
  const [now, then] = [ground.n, to].map((size) => lawOf(design, size, ground, Math.min(here.recall, mostFound(design)), speed));
  if (!now || !then) return undefined;
  // Times are as much longer as the laws say; what measured bytes differ by is room of builds, which hardly grows.
  const bytes = then.shards * (of.bytes + then.bytes - now.bytes);
  return { of, ...here, ms: here.ms * (then.us / now.us), bytes, parts: then.shards, effort: undefined, computed: true };
}

const STANDING: ThreeAxes<Standing> = { recall: ({ recall }) => recall, ms: ({ ms }) => ms, bytes: ({ bytes }) => bytes };

export type Picks = TwoOfThree<Standing>;

/** Undefined of nothing. */
export function picksOf(standings: readonly Standing[], wanted: number): Picks | undefined {
  return standings.length > 0 ? pickTwo(standings, wanted, STANDING) : undefined;
}
