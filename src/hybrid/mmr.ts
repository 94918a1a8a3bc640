// Maximal marginal relevance: hits that are near to the query and not to each other. Carbonell, Goldstein: The use of MMR,
// diversity-based reranking for reordering documents and producing summaries, SIGIR 1998.
import { badOption } from "../words/errors.js";
import { integer, known, real } from "../words/options.js";

type Values = ArrayLike<number>;

export interface MmrOptions {
  /** How many are taken, at least 1. Default 10. */
  k?: number;
  /** 1: by relevance alone; 0: the most relevant, then whatever is least like those that were taken. Default 0.5. */
  lambda?: number;
  /** How like two vectors are, on the scale of relevance. Default: their cosine. */
  similarity?: (a: Values, b: Values) => number;
}

/** The cosine of two vectors of equal length, 0 where one of them is zero. */
export function cosine(a: Values, b: Values): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return dot === 0 ? 0 : dot / Math.sqrt(aa * bb);
}

/**
 * Takes k of the candidates, one after the other: each time the one of the greatest lambda * relevance - (1 - lambda) * (its
 * likeness to that one of those taken that it is most like). `relevance` has a number per candidate, such as its cosine with the query.
 * Returns places among `candidates`, in the order in which they were taken. Of equal ones the first comes first.
 */
export function mmr(candidates: readonly Values[], relevance: Values, options: MmrOptions = {}): number[] {
  known("mmr", options, ["k", "lambda", "similarity"]);
  const { similarity = cosine } = options;
  const lambda = real("lambda", options.lambda ?? 0.5, 0, 1);
  const k = Math.min(integer("k", options.k ?? 10, 1, Number.MAX_SAFE_INTEGER), candidates.length);
  if (relevance.length !== candidates.length)
    throw badOption(`there are ${candidates.length} candidates and ${relevance.length} numbers for their relevance`);
  const left = new Set(candidates.keys());
  const nearest = new Float64Array(candidates.length).fill(Number.NEGATIVE_INFINITY);
  const taken: number[] = [];
  while (taken.length < k) {
    const next = best(left, (i) => (taken.length === 0 ? relevance[i] : lambda * relevance[i] - (1 - lambda) * nearest[i]));
    left.delete(next);
    taken.push(next);
    for (const i of left) nearest[i] = Math.max(nearest[i], similarity(candidates[i], candidates[next]));
  }
  return taken;
}

function best(of: Iterable<number>, worth: (i: number) => number): number {
  let most = Number.NEGATIVE_INFINITY;
  let found = -1;
  for (const i of of) {
    const value = worth(i);
    if (found >= 0 && !(value > most)) continue;
    most = value;
    found = i;
  }
  return found;
}
