// What the index's own memory tells: places of removed vectors, nodes out of reach, lists learned from others.

import { seatOf } from "../../base/seat-of.js";
import type { IndexStats, VectorIndex } from "../../base/vector-index.js";
import { tableRows } from "../../border/copies.js";
import { Flat } from "../../family/flat.js";
import { METRICS } from "../../words/kinds.js";
import { someOf } from "../random.js";
import { type Finding, percent } from "./finding.js";

/** compact() gives back the places of removed vectors; a smaller share of them the next vectors take. */
const REMOVED = 0.2;

/** Places of an index that are free, or that searches still walk through. Of lists some are always free: a part of a group in each. */
export function removed({ kind, deleted, size, bytes }: IndexStats, index: VectorIndex | undefined): Finding | undefined {
  const places = index && kind !== "ivf" ? seatOf(index).engine.exports.storeCount(0) : deleted + size;
  const empty = places - size;
  const share = empty / Math.max(places, 1);
  if (share < REMOVED) return undefined;
  return {
    name: "removed",
    severity: "warning",
    evidence: { places, size, deleted, share },
    cause: `${empty} of ${places} places, ${percent(share)}, are of vectors that were removed; searches walk through ${deleted} of them`,
    advice: "await index.compact()",
    brings: `about ${((share * bytes) / 2 ** 20).toFixed(1)} MiB`,
  };
}

export function unreachable({ unreachable: lost = 0, size }: IndexStats): Finding | undefined {
  if (lost === 0) return undefined;
  return {
    name: "unreachable",
    severity: lost / size > 0.001 ? "problem" : "warning",
    evidence: { unreachable: lost, share: lost / size },
    cause: `${lost} of ${size} vectors have no way from the entry of the graph: approximate searches never answer them`,
    advice: "await index.compact(), which links a graph with fastScan or atOnce anew; else build it again",
    brings: `${percent(lost / size)} of the vectors can be found again`,
  };
}

export function untrained({ trained, size, options }: IndexStats): Finding | undefined {
  if (trained) return undefined;
  const trainAt = Number(options.trainAt);
  return {
    name: "untrained",
    severity: "warning",
    evidence: { size, trainAt },
    cause: `it has seen ${size} vectors and waits for ${trainAt} to learn from: every search is an exact scan until then`,
    advice: "await index.train()",
    brings: "searches as of its family, in the memory of its codec",
  };
}

/** Vectors of either end of the ids, which are given out in the order of time. */
const EITHER_END = 300;
/** Of the distances to the nearest centroid, the late over the early: ids of one distribution stay within this in tests/guide. */
const DRIFTED = 1.15;

/** Whether late vectors lie farther from the centroids that lists were learned as than early ones do. */
export async function drift(index: VectorIndex, seed: number): Promise<Finding | undefined> {
  const { engine } = seatOf(index);
  const nlist = engine.state("nlist");
  if (index.kind !== "ivf" || !index.trained || index.size < 4 * EITHER_END) return undefined;
  const ids = index.ids().toSorted();
  const part = Math.floor(ids.length / 4);
  const ends = [ids.subarray(0, part), ids.subarray(ids.length - part)];
  const centroids = await Flat.create({ dimensions: index.dimensions, metric: METRICS[index.metric].unit ? "cosine" : "l2" });
  try {
    centroids.add(tableRows(engine, "cent", nlist));
    const [early, late] = ends.map((end) => {
      const far = someOf(end, EITHER_END, seed).map(
        (id) => centroids.search(index.get(id) as Float32Array, { k: 1 })[0].distance,
      );
      return far.reduce((sum, distance) => sum + distance, 0) / far.length;
    });
    const ratio = late / early;
    if (!(ratio > DRIFTED)) return undefined;
    const learnedOn = engine.state("learnedOn");
    return {
      name: "drift",
      severity: ratio > DRIFTED ** 2 ? "problem" : "warning",
      evidence: { early, late, ratio, learnedOn, size: index.size },
      cause: `the last quarter of the ids lies ${ratio.toFixed(2)} times as far from its lists' centroids as the first: the ${nlist} lists were learned from ${learnedOn} others`,
      advice: "await index.train()",
      brings: "lists where the vectors are now: the recall there was, at the effort there was",
    };
  } finally {
    centroids.close();
  }
}
