// What searches and builds of a size take, by what a small index takes on a machine.
import { listsFor } from "../../words/needs.js";
import { type Design, type Effort, workOf } from "./laws.js";

export interface Speed {
  /** Microseconds of a search: what it begins and ends with, and of each row scanned, node expanded or code in a list. */
  firstUs: number;
  unitUs: number;
  /** Of this thread, of each vector that is trained on and added. */
  buildUs: number;
}

/** Vectors of the small index, which are more than the caches next to the core hold, and the lists it has. */
export const SMALL = { n: 12_000, lists: listsFor(12_000, 12_000) };
/** Candidates that it re-scores: ten for each of ten. */
const SMALL_CANDIDATES = 100;
/** Microseconds of one search of one index; re-scoring is in what a search of the small index begins and ends with. */
export function searchUs(
  design: Design,
  n: number,
  d: number,
  effort: Pick<Effort, "effort" | "candidates">,
  speed: Speed,
): number {
  const { way } = design;
  const { units, rescored, centroids } = workOf(design, n, effort);
  const cold = way === "graph" ? Math.max(n / SMALL.n, 1) ** COLD : 1;
  const more = way === "lists" ? Math.max(centroids - SMALL.lists, 0) * Math.ceil(d / 16) * LANE_US : 0;
  return speed.firstUs * Math.max(rescored / SMALL_CANDIDATES, 1) + units * speed.unitUs * cold + more;
}

/** Nodes lie in memory that caches know ever less of: a step of a walk takes longer by this power of the vectors; bench:plan. */
const COLD = 0.3;
/** Microseconds in which sixteen values are multiplied and added: of a centroid. */
const LANE_US = 0.0015;

/** Of each vector of a build, by the vectors there are: graphs link among more, lists are found among more; bench:plan. */
const GROWS = { scan: 0, graph: 0.25, lists: 0.2 };

/** Of one index, of one thread. */
export function buildSeconds(design: Design, n: number, speed: Speed): number {
  return (n * speed.buildUs * Math.max(n / SMALL.n, 1) ** GROWS[design.way]) / 1e6;
}
