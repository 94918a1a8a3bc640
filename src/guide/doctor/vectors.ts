// What the vectors and queries themselves tell.
import type { VectorIndex } from "../../base/vector-index.js";
import type { Vector } from "../../input/vectors.js";
import { compareMetrics } from "../../make/compare-metrics.js";
import { METRICS } from "../../words/kinds.js";
import type { Calls, Query } from "../subject.js";
import { type Finding, percent } from "./finding.js";

/** Of the sample those that have an equal vector beside themselves. */
const CROWDED = 0.05;

export function duplicates(equal: number, sample: number): Finding | undefined {
  const share = equal / sample;
  if (share < CROWDED) return undefined;
  return {
    name: "duplicates",
    severity: share > 0.5 ? "warning" : "note",
    evidence: { equal, sample, share },
    cause: `${percent(share)} of ${sample} vectors have an equal one beside them: these take the places of others in answers`,
    advice: "leave copies out before they are added, or ask a collection with groupBy",
    brings: "as many different answers as k says",
  };
}

/** Lengths that differ by more than this say something: of unit vectors they differ by rounding. */
const SPREAD = 0.1;
/** Of the neighbours by cosine those that are neighbours by inner product too. */
const AGREES = 0.7;

/** Whether lengths, which cosine does not hear, would change the answers. */
export async function metric(index: VectorIndex, drawn: readonly Query[]): Promise<Finding | undefined> {
  const rows = drawn.map(({ vector }) => vector) as Vector[];
  if (!METRICS[index.metric].unit || rows.length < 2) return undefined;
  const half = rows.length >> 1;
  const { dimensions } = index;
  const { overlap, norms } = await compareMetrics(rows.slice(0, half), rows.slice(half), "dot", "cosine", { dimensions });
  if (norms.spread < SPREAD || overlap > AGREES) return undefined;
  return {
    name: "metric",
    severity: "warning",
    evidence: { spread: norms.spread, overlap, shortest: norms.min, longest: norms.max },
    cause: `lengths go from ${norms.min.toFixed(2)} to ${norms.max.toFixed(2)}, and cosine does not hear them: by inner product ${percent(1 - overlap)} of the nearest would be others`,
    advice: 'read on the model\'s card which metric it was trained for; if inner product: create({ metric: "dot" })',
    brings: "what lengths say, as of popularity, in the order of the answers",
  };
}

/** How much farther from their nearest queries may lie than vectors from theirs. */
const ELSEWHERE = 1.5;

/** Of the medians of the distance to the nearest. */
export function elsewhere(
  queries: number,
  vectors: number,
  recall: { queries: number; vectors: number },
  calls: Calls,
): Finding | undefined {
  const ratio = queries / vectors;
  if (!(ratio > ELSEWHERE) || recall.queries >= recall.vectors) return undefined;
  return {
    name: "queries",
    severity: "warning",
    evidence: { ratio, queries, vectors, recallOfQueries: recall.queries, recallOfVectors: recall.vectors },
    cause: `queries lie ${ratio.toFixed(2)} times as far from their nearest as vectors from theirs, and find ${recall.queries.toFixed(3)} where those find ${recall.vectors.toFixed(3)}: they are of another distribution`,
    advice: `${calls.tune("{ queries }")}: an effort tuned by own vectors is too low for them`,
    brings: "the recall wanted, for what is asked",
  };
}
