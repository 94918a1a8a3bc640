// The half that goes by words: an index of texts from elsewhere.
import { badOption, show } from "../words/errors.js";

export interface TextHit<Id> {
  id: Id;
  /** More is better. */
  score: number;
}

/** Hits, the best first; Orama's answer as it is. */
export type TextAnswer<Id> = readonly TextHit<Id>[] | { readonly hits: readonly TextHit<Id>[] };

/** Finds texts by their words: the best k, or more. */
export type TextSearch<Id> = (
  query: string,
  options: { k: number; signal?: AbortSignal },
) => TextAnswer<Id> | Promise<TextAnswer<Id>>;

/** A MiniSearch, or a function. */
export type TextIndex<Id> = TextSearch<Id> | { search(query: string): TextAnswer<Id> | Promise<TextAnswer<Id>> };

export function textSearchOf<Id>(text: TextIndex<Id>): TextSearch<Id> {
  if (typeof text === "function") return text;
  if (typeof text?.search === "function") return (query) => text.search(query);
  throw badOption(
    `text is ${show(text)}; it must be a MiniSearch, or a function such as (query, { k }) => search(orama, { term: query, limit: k })`,
  );
}

/** Its hits, checked. */
export function hitsOf<Id>(answer: TextAnswer<Id>): readonly TextHit<Id>[] {
  const hits = Array.isArray(answer) ? answer : (answer as { hits: readonly TextHit<Id>[] } | undefined)?.hits;
  if (!Array.isArray(hits))
    throw badOption(`text has answered ${show(answer)}; it must be an array of { id, score }, or have one as hits`);
  for (const hit of hits) {
    if (hit === null || typeof hit !== "object" || !Number.isFinite(hit.score) || hit.id === undefined)
      throw badOption(`text has answered ${show(hit)} among its hits; each must be { id, score }`);
  }
  return hits;
}
