// Hits of a collection that are not all alike.
import type { CollectionSearchOptions, DocumentHit } from "../collection/searching.js";
import { cosine, mmr } from "../hybrid/mmr.js";
import type { Opened } from "./opened.js";

export interface Variety {
  /** Hits that are chosen from. */
  readonly candidates: number;
  readonly lambda: number;
}

/** k of the nearest candidates by maximal marginal relevance, in the order in which they were taken. */
export async function various(
  collection: Opened,
  query: readonly number[],
  { candidates, lambda }: Variety,
  { k = 10, ...options }: CollectionSearchOptions,
): Promise<DocumentHit[]> {
  const hits = await collection.search(query, { ...options, k: Math.max(candidates, k) });
  const documents = await Promise.all(hits.map(({ id }) => collection.get(id)));
  const there = hits.flatMap((hit, i) => {
    const vector = documents[i]?.vector;
    return vector ? [{ hit, vector }] : [];
  });
  const vectors = there.map(({ vector }) => vector);
  const relevance = vectors.map((vector) => cosine(query, vector));
  return mmr(vectors, relevance, { k, lambda }).map((i) => there[i].hit);
}
