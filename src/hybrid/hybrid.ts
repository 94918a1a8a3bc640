// Words and meaning together: an index of vectors and an index of words are asked at once, and their rankings become one.
import type { Fielded } from "../collection/fielded.js";
import type { Embed } from "../collection/options.js";
import { type Data, selectionOf } from "../collection/reading.js";
import type { Vector } from "../input/vectors.js";
import type { Found, Searchable } from "../search/searchable.js";
import { badOption, show } from "../words/errors.js";
import { heed, known } from "../words/options.js";
import { type Fuse, type Fusion, fusionOf, type Ranking } from "./fuse.js";
import { mmr } from "./mmr.js";
import { type HybridSearchOptions, type Wish, wishOf } from "./options.js";
import { hitsOf, type TextHit, type TextIndex, type TextSearch, textSearchOf } from "./text.js";

export interface HybridOptions<Id extends string | number> {
  /** A collection, an index, or whatever has their search; its ids are those of `text`. */
  vectors: Searchable<Id>;
  text: TextIndex<Id>;
  /**
   * "rrf" (default): by ranks alone, each half adding 1 / (60 + rank). Or weights of the halves: by scores, which are brought to
   * 0 ... 1 in each by their distribution.
   */
  fuse?: Fuse;
  /** Makes the vector of a query, for what does not so itself: an index, a pool, published files. */
  embed?: Embed;
}

export interface HybridHit<Id> {
  id: Id;
  /** More is better; of use within one search. */
  score: number;
  /** Where the half of the vectors has found it. */
  distance?: number;
  /** Where the half of the words has found it: what that said. */
  textScore?: number;
  /** Of a document in a collection: what `select` names. */
  data?: Data;
  /** With groupBy: the value that it is the best of. */
  group?: string | number | boolean;
}

type Group = HybridHit<unknown>["group"];
type Near<Id> = Found<Id> & { data?: Data; group?: Group };
/** What is kept under an id: a document, or of an index the vector alone. */
interface Kept {
  readonly data?: Data | undefined;
  readonly vector?: Vector | undefined;
}
/** A place in a half's ranking: of a document or, with groupBy, of a value by its best document. */
interface Place<Id> {
  readonly key: unknown;
  readonly id: Id;
  /** Distance or score. */
  readonly value: number;
  readonly data?: Data | undefined;
}

class Hybrid<Id extends string | number> {
  readonly #vectors: Searchable<Id>;
  readonly #text: TextSearch<Id>;
  readonly #fusion: Fusion;
  readonly #embed: Embed | undefined;

  /** @internal */
  constructor(options: HybridOptions<Id>) {
    known("hybrid", options, ["vectors", "text", "fuse", "embed"]);
    const { vectors, text, fuse, embed } = options;
    if (typeof vectors?.search !== "function")
      throw badOption(`vectors is ${show(vectors)}; it must be a collection, an index, or what has their search`);
    this.#vectors = vectors;
    this.#text = textSearchOf(text);
    this.#fusion = fusionOf(fuse);
    this.#embed = embed;
  }

  /**
   * The best k for a text, by its words and its meaning. What is not among the vectors (any more) is not found, where these can be asked
   * for an id; published files cannot. Errors: those of both halves, BAD_OPTION; the signal's reason.
   */
  async search(query: string, options: HybridSearchOptions<Id> = {}): Promise<HybridHit<Id>[]> {
    const wish = wishOf(query, options);
    const [near, worded] = await Promise.all([this.#near(query, wish), this.#worded(query, wish)]);
    heed(options.signal);
    const places = near.map(({ id, distance, data, group }): Place<Id> => ({ key: group ?? id, id, value: distance, data }));
    const hits = this.#fused(places, worded, options.groupBy !== undefined);
    if (options.mmr !== undefined) return this.#various(hits.slice(0, wish.candidates), options.mmr, wish);
    return this.#whole(hits, wish);
  }

  async #near(query: string, { options, looking }: Wish<Id>): Promise<readonly Near<Id>[]> {
    const search = (vector: Vector | string): unknown => this.#vectors.search(vector as Vector, looking);
    if (options.vector) return search(options.vector) as Near<Id>[];
    if (this.#embed) {
      const [vector] = (await this.#embed([query], options.signal ? { signal: options.signal } : {})) as Vector[];
      return search(vector) as Near<Id>[];
    }
    // Collections, wherever they live, can count; and make vectors of texts.
    if ("count" in this.#vectors) return search(query) as Near<Id>[];
    throw badOption("a query's vector is lacking: give vector with the search, or embed to hybrid");
  }

  /** The half of the words, without what may not be found; with groupBy the best of each value. */
  async #worded(query: string, wish: Wish<Id>): Promise<Place<Id>[]> {
    const { candidates, options, passes } = wish;
    const { signal } = options;
    const seen = new Set<Id>();
    const places = new Map<unknown, Place<Id>>();
    for (let k = candidates; ; k *= 2) {
      const hits = hitsOf(await this.#text(query, { k, ...(signal && { signal }) }));
      for (let from = 0; from < hits.length && places.size < candidates; from += candidates) {
        heed(signal);
        const some = hits.slice(from, from + candidates).filter(({ id }) => !seen.has(id));
        for (const { id } of some) seen.add(id);
        const admitted = await this.#admitted(passes ? some.filter(({ id }) => passes(id)) : some, wish);
        for (const place of admitted) if (!places.has(place.key)) places.set(place.key, place);
      }
      // One that answers with less or more than it was asked for has told all it has.
      if (places.size >= candidates || hits.length !== k) return [...places.values()].slice(0, candidates);
    }
  }

  /** Those whose fields meet the conditions. */
  async #admitted(hits: readonly TextHit<Id>[], { options }: Wish<Id>): Promise<Place<Id>[]> {
    const { where, groupBy } = options;
    if (where === undefined && groupBy === undefined) return hits.map(({ id, score }) => ({ key: id, id, value: score }));
    if (!("get" in this.#vectors))
      throw badOption("where and groupBy need vectors with get, to look at what the words have found");
    const kept = await Promise.all(hits.map(({ id }) => this.#kept(id, false)));
    const there = hits.flatMap((hit, i) => (kept[i]?.data ? [{ ...hit, data: kept[i].data as Data }] : []));
    const fields = await fieldsOf(there.map(({ data }) => data));
    const meets = where === undefined ? undefined : await fields.meeting(where);
    const values = groupBy === undefined ? undefined : await fields.valuesAt(groupBy);
    return there.flatMap(({ id, score, data }, i) => {
      if (meets && !meets[i]) return [];
      return (values ? values[i] : [id]).map((key) => ({ key, id, value: score, data }));
    });
  }

  async #kept(id: Id, vector: boolean): Promise<Kept | undefined> {
    const { get } = this.#vectors as { get?: (id: Id, options: object) => unknown };
    if (!get) return {};
    const kept = await get.call(this.#vectors, id, { vector });
    return ArrayBuffer.isView(kept) ? { vector: kept as Float32Array } : (kept as Kept | undefined);
  }

  #fused(near: readonly Place<Id>[], worded: readonly Place<Id>[], grouped: boolean): HybridHit<Id>[] {
    const [nearAt, wordedAt] = [near, worded].map(
      (places) => new Map(places.map((place, rank) => [place.key, { ...place, rank }])),
    );
    const fused = this.#fusion(ranking(near, -1), ranking(worded, 1));
    return fused.map(([key, score]) => {
      const [a, b] = [nearAt.get(key), wordedAt.get(key)];
      // A value's document is that of the half in which the value stands higher.
      const best = a && b ? (b.rank < a.rank ? b : a) : ((a ?? b) as NonNullable<typeof a>);
      return {
        id: best.id,
        score,
        ...(a?.id === best.id && { distance: a.value }),
        ...(b?.id === best.id && { textScore: b.value }),
        ...(a?.id === best.id && a.data && { data: a.data }),
        ...(grouped && { group: key as Group }),
      } as HybridHit<Id>;
    });
  }

  /** The first k that are there, with their data. */
  async #whole(hits: readonly HybridHit<Id>[], { k, options }: Wish<Id>): Promise<HybridHit<Id>[]> {
    const whole: HybridHit<Id>[] = [];
    for (let from = 0; from < hits.length && whole.length < k; ) {
      const some = hits.slice(from, from + k - whole.length);
      from += some.length;
      const filled = await Promise.all(some.map((hit) => this.#filled(hit, options.select)));
      heed(options.signal);
      whole.push(...filled.filter((hit) => hit !== undefined));
    }
    return whole;
  }

  /** Of what the vectors have found all is known. */
  async #filled(hit: HybridHit<Id>, select: HybridSearchOptions<Id>["select"]): Promise<HybridHit<Id> | undefined> {
    if (hit.distance !== undefined) return hit;
    const kept = await this.#kept(hit.id, false);
    if (!kept?.data || select?.length === 0) return kept && hit;
    const selected = selectionOf(select);
    return { ...hit, data: selected ? selected(kept.data) : kept.data };
  }

  async #various(hits: readonly HybridHit<Id>[], lambda: number, wish: Wish<Id>): Promise<HybridHit<Id>[]> {
    const kept = await Promise.all(hits.map(({ id }) => this.#kept(id, true)));
    heed(wish.options.signal);
    const there = hits.flatMap((hit, i) => {
      const vector = kept[i]?.vector;
      if (kept[i] && !vector) throw badOption("mmr compares vectors, and what hybrid was given has no get that tells them");
      return vector ? [{ hit, vector }] : [];
    });
    const most = there[0]?.hit.score || 1;
    const vectors = there.map(({ vector }) => vector);
    const relevance = there.map(({ hit }) => hit.score / most);
    const bits = vectors[0] instanceof Uint8Array;
    const order = mmr(vectors, relevance, { k: wish.k, lambda, ...(bits && { similarity: equalBits }) });
    return this.#whole(
      order.map((i) => there[i].hit),
      wish,
    );
  }
}

export type { Hybrid };

/**
 * Searches by words and meaning: `hybrid({ vectors: collection, text: miniSearch })`. Both are yours to fill and to close.
 * Errors: BAD_OPTION.
 */
export function hybrid<Id extends string | number>(options: HybridOptions<Id>): Hybrid<Id> {
  return new Hybrid(options);
}

async function fieldsOf(datas: readonly Data[]): Promise<Fielded> {
  const { Fielded } = await import("../collection/fielded.js");
  return new Fielded(datas);
}

function ranking(places: readonly Place<unknown>[], sign: 1 | -1): Ranking<unknown> {
  return { keys: places.map(({ key }) => key), scores: places.map(({ value }) => sign * value) };
}

/** The share of bits that are the same. */
function equalBits(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let other = 0;
  for (let i = 0; i < a.length; i++) for (let rest = a[i] ^ b[i]; rest !== 0; rest &= rest - 1) other++;
  return 1 - other / (8 * a.length);
}
