// Two rankings become one.
import { badOption, show } from "../words/errors.js";
import { known, oneOf, real } from "../words/options.js";

/** How much each half counts, at least 0; both are brought to a sum of 1. */
export interface Weights {
  vectors: number;
  text: number;
}

export type Fuse = "rrf" | Weights;

/** Ranked keys, the best first, each once, with scores of which more is better. */
export interface Ranking<Key> {
  readonly keys: readonly Key[];
  readonly scores: readonly number[];
}

/** Scores of all that is in one of two rankings, the best first; equal ones in order of the first ranking, then of the second. */
export type Fusion = <Key>(vectors: Ranking<Key>, text: Ranking<Key>) => [key: Key, score: number][];

/**
 * Of Cormack, Clarke, Büttcher: Reciprocal rank fusion outperforms Condorcet and individual rank learning methods, SIGIR 2009: with it
 * the first place of a ranking is worth little more than the second.
 */
const RRF = 60;

export function fusionOf(fuse: unknown): Fusion {
  if (fuse === undefined || typeof fuse === "string") {
    oneOf("fuse", fuse ?? "rrf", ["rrf"]);
    return fusion([1, 1], ({ keys }) => keys.map((_, i) => 1 / (RRF + i + 1)));
  }
  if (fuse === null || typeof fuse !== "object")
    throw badOption(`fuse is ${show(fuse)}; it must be "rrf" or weights such as { vectors: 0.7, text: 0.3 }`);
  known("fuse", fuse, ["vectors", "text"]);
  const given = fuse as Weights;
  const weights = (["vectors", "text"] as const).map((name) => real(`fuse.${name}`, given[name], 0, Number.MAX_VALUE));
  const sum = weights[0] + weights[1];
  if (sum === 0) throw badOption("fuse has two weights of 0; one of them must count");
  return fusion(
    weights.map((weight) => weight / sum),
    ({ scores }) => scaled(scores),
  );
}

function fusion(weights: readonly number[], worth: (ranking: Ranking<unknown>) => number[]): Fusion {
  return (...rankings) => {
    const sums = new Map<(typeof rankings)[0]["keys"][0], number>();
    rankings.forEach((ranking, half) => {
      const worths = worth(ranking);
      for (const [i, key] of ranking.keys.entries()) sums.set(key, (sums.get(key) ?? 0) + weights[half] * worths[i]);
    });
    return [...sums].sort(([, a], [, b]) => b - a);
  };
}

/**
 * Scores brought to 0 ... 1 by their distribution: from three standard deviations below their mean to three above it. So the halves,
 * whose scores are of different kinds, can be added, and one that stands out counts as such, which scaling from the last to the first
 * does not keep. Mazzeschi: Distribution-based score fusion, 2023; Qdrant has it. Equal ones are 1.
 */
function scaled(scores: readonly number[]): number[] {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  // The mean of equal ones may be rounded away from them.
  const equal = scores.every((score) => score === scores[0]);
  const deviation = equal ? 0 : Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length);
  return scores.map((score) => (deviation > 0 ? Math.min(Math.max((score - mean) / (6 * deviation) + 0.5, 0), 1) : 1));
}
