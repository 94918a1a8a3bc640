// What an index tells of itself: places of removed vectors, nodes out of reach, whether it has learned.

import { seatOf } from "../../base/seat-of.js";
import type { VectorIndex } from "../../base/vector-index.js";
import type { Point } from "../measuring.js";
import type { Past } from "../past.js";
import type { Calls, Subject, Told } from "../subject.js";

import { type Finding, percent } from "./finding.js";
import { lacks } from "./missing.js";

/** compact() gives back the places of removed vectors; a smaller share of them the next vectors take. */
const REMOVED = 0.2;

/** Places of an index that are free, or that searches still walk through. Of lists some are always free: a part of a group in each. */
export function removed(
  { kind, deleted = 0, size, bytes = 0 }: Told,
  index: VectorIndex | undefined,
  calls: Calls,
): Finding | undefined {
  const places = index && kind !== "ivf" ? seatOf(index).engine.exports.storeCount(0) : deleted + size;
  const empty = places - size;
  const share = empty / Math.max(places, 1);
  if (share < REMOVED) return undefined;
  return {
    name: "removed",
    severity: "warning",
    evidence: { places, size, deleted, share },
    cause: `${empty} of ${places} places, ${percent(share)}, are of vectors that were removed; searches walk through ${deleted} of them`,
    advice: calls.compact,
    brings: `about ${((share * bytes) / 2 ** 20).toFixed(1)} MiB`,
  };
}

export function unreachable(stats: Told, index: VectorIndex | undefined, calls: Calls): Finding | undefined {
  const { unreachable: lost = 0, size } = stats;
  if (lost === 0) return undefined;
  return {
    name: "unreachable",
    severity: lost / size > 0.001 ? "problem" : "warning",
    evidence: { unreachable: lost, share: lost / size },
    cause: `${lost} of ${size} vectors have no way from the entry of the graph: approximate searches never answer them`,
    advice: linked(stats, index, calls),
    brings: `${percent(lost / size)} of the vectors can be found again`,
  };
}

export function untrained({ trained, size, options }: Told, calls: Calls): Finding | undefined {
  if (trained) return undefined;
  const trainAt = Number(options.trainAt);
  return {
    name: "untrained",
    severity: "warning",
    evidence: { size, trainAt },
    cause: `it has seen ${size} vectors and waits for ${trainAt} to learn from: every search is an exact scan until then`,
    advice: calls.train,
    brings: "searches as of its family, in the memory of its codec",
  };
}

/** How a graph gets other links: compact() links one anew that links at once, where vectors came one by one or have gone; else it is built again. */
function linked({ options: { fastScan, atOnce }, size }: Told, index: VectorIndex | undefined, calls: Calls): string {
  if (!fastScan && !atOnce) return calls.again;
  if (!index) return `${calls.compact}; where that brings nothing, ${calls.again}`;
  const { engine } = seatOf(index);
  return engine.state("unsought") > 0 || engine.exports.storeCount(0) > size ? calls.compact : calls.again;
}

/** Searches look no less hard than this: what is missed then, no effort that one takes brings back. */
export const FAIR_EF = 64;
/** Of the sample those that are missed by searches for themselves. */
const STARVED = { warning: 0.02, problem: 0.05 };

/** `missed` of `sample` vectors, each of which was asked for. */
export function starved(
  missed: number,
  sample: number,
  stats: Told,
  index: VectorIndex | undefined,
  calls: Calls,
): Finding | undefined {
  const share = missed / sample;
  if (share < STARVED.warning) return undefined;
  const { options, meanDegree = 0 } = stats;
  const ef = Math.max(Number(options.ef), FAIR_EF);
  return {
    name: "starved",
    severity: share < STARVED.problem ? "warning" : "problem",
    evidence: { missed, sample, share, meanDegree, ef, m: Number(options.m) },
    cause: `${missed} of ${sample} vectors are missed by searches for themselves, at ef ${ef}: too few links lead to them, ${meanDegree.toFixed(1)} leave a node on average`,
    advice: linked(stats, index, calls),
    brings: `${percent(share)} of the vectors, which answers lack now`,
  };
}

/** Of the vectors those that have come since then: fewer are hardly why less is found. */
const CAME = 0.1;

/** Whether what compact() would link anew came one by one; said where less is found than should be. How many came is known by the past alone. */
export function streamed(
  now: Point,
  wanted: number,
  past: Past | undefined,
  { stats: { options, size }, held, calls }: Subject,
): Finding | undefined {
  const { isLow, fell } = lacks(now, wanted, past);
  const unsought = held?.kind === "hnsw" ? seatOf(held).engine.state("unsought") : 0;
  const came = past ? size - past.size : 0;
  if (!unsought || !(options.fastScan || options.atOnce) || !(isLow || fell)) return undefined;
  return {
    name: "streamed",
    severity: isLow && came > CAME * size ? "problem" : "warning",
    evidence: { recall: now.recall, unsought, size, ...(past && { recallThen: past.recall, sizeThen: past.size }) },
    cause: `${past ? `${came} of ${size}` : "some"} vectors have come since most were linked at once, and were linked one by one: narrow walks find less of such`,
    advice: calls.compact,
    brings: "the recall of a graph that is linked at once, at the effort there is",
  };
}
