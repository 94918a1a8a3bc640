// The second opinion on hits.
import { badOption, show } from "../words/errors.js";

/** Hits with what `scores` says of each, the highest first; equal ones stay in order of their distances. */
export function rescored<Hit extends { score?: number }>(
  hits: Hit[],
  scores: ArrayLike<number> | undefined,
  k: number | undefined,
): Hit[] {
  if (scores?.length !== hits.length) {
    throw badOption(
      `rescore answered ${show(scores)} of length ${scores?.length} for ${hits.length} hits; it must answer one score per hit`,
    );
  }
  for (let i = 0; i < hits.length; i++) {
    const score = scores[i];
    if (typeof score !== "number" || Number.isNaN(score))
      throw badOption(`rescore answered ${show(score)} for hit ${i}; a score is a number`);
    hits[i].score = score;
  }
  return hits.sort((a, b) => (b.score as number) - (a.score as number)).slice(0, k);
}
