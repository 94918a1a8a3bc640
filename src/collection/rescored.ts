// The second opinion on hits.
import { badOption, show } from "../words/errors.js";
import { heed } from "../words/options.js";

type Scores = ArrayLike<number> | undefined;

/** Hits by what `rescore` says of them: the highest k first, equal ones in order of their distances. */
export async function rescored<Hit extends { score?: number }, Query>(
  hits: Hit[],
  query: Query,
  rescore: (hits: Hit[], query: Query) => Scores | Promise<Scores>,
  k: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Hit[]> {
  if (hits.length === 0) return hits;
  const scores = await rescore(hits.slice(), query);
  heed(signal);
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
