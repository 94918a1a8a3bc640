// A search of documents: conditions become slots that pass, both tiers are asked, and what they find gets its ids and data.
import type { Hit } from "../border/answers.js";
import type { Vector } from "../input/vectors.js";
import { checkRadius, DEFAULT_K } from "../search/plan.js";
import { badOption, show } from "../words/errors.js";
import { checkSignal, flag, heed, integer, known } from "../words/options.js";
import { bestPerValue } from "./columns/best-per-value.js";
import type { Conditions } from "./conditions.js";
import type { Documents } from "./documents.js";
import { checkDocumentId, type DocumentId, keyOf } from "./keys.js";
import type { Passing } from "./passing.js";
import { type Data, type Reading, selectionOf } from "./reading.js";
import { rescored } from "./rescored.js";
import type { Looking } from "./tiers.js";
import type { Expression } from "./where/expression.js";
import type { Where } from "./where/parse.js";

/** A document that was found. */
export interface DocumentHit {
  id: DocumentId;
  /** As of an index: smaller is nearer. */
  distance: number;
  /** What `select` names of its data; missing where that is []. */
  data?: Data;
  /** With groupBy: the value that it is the nearest of. */
  group?: string | number | boolean;
  /** With rescore: what that said of it. */
  score?: number;
}

/** Scores of hits, larger is better: one per hit, in their order. */
export type Rescore = (hits: DocumentHit[], query: Vector | string) => ArrayLike<number> | Promise<ArrayLike<number>>;

export interface CollectionSearchOptions {
  /** How many documents, at least 1. Default 10; with `radius` all within it. */
  k?: number;
  /** Only documents whose fields meet these conditions. */
  where?: Where;
  /**
   * The nearest document of each value of this field; with k, of k values. A document with several values may be the nearest of
   * several, one with none is none.
   */
  groupBy?: string;
  /** Paths of data that hits bring; [] for none, which reads nothing. Default: all of it. */
  select?: readonly string[];
  /** Only documents at this distance or nearer. */
  radius?: number;
  /** The last hit of the page before, for the next k. Not with groupBy or rescore. */
  after?: Pick<DocumentHit, "id" | "distance">;
  /** True: the exact answer, by a scan. */
  exact?: boolean;
  // How hard the main tier looks, each where its family has it; as of an index.
  ef?: number;
  nprobe?: number;
  maxLeaves?: number;
  searchK?: number;
  probes?: number;
  /** A second opinion on the nearest `candidates`: what it scores highest comes first. */
  rescore?: Rescore;
  /** Hits that rescore is asked about. Default 100, or k where that is more. */
  candidates?: number;
  signal?: AbortSignal;
}

const EFFORTS = ["ef", "nprobe", "maxLeaves", "searchK", "probes"] as const;
const NAMES = ["k", "where", "groupBy", "select", "radius", "after", "exact", ...EFFORTS, "rescore", "candidates", "signal"];
/** Hits that rescore is asked about where nothing else is said. */
export const CANDIDATES = 100;
export const MOST_K = 2 ** 26;
const MOST_EFFORT = 2 ** 32 - 1;

/** A search's options, checked. */
export interface Wish {
  /** Undefined: all within the radius. */
  readonly k: number | undefined;
  readonly options: CollectionSearchOptions;
  readonly looking: Looking;
  readonly after: { readonly distance: number; readonly id: DocumentId } | undefined;
  readonly candidates: number;
}

export function wishOf(options: CollectionSearchOptions): Wish {
  known("search", options, NAMES);
  const { radius, after, groupBy, rescore, candidates, signal } = options;
  selectionOf(options.select);
  checkSignal(signal);
  heed(signal);
  if (radius !== undefined) checkRadius(radius);
  const k = options.k === undefined ? (radius === undefined ? DEFAULT_K : undefined) : integer("k", options.k, 1, MOST_K);
  if (groupBy !== undefined && (typeof groupBy !== "string" || groupBy === "")) {
    throw badOption(`groupBy is ${show(groupBy)}; it must be the path of a field`);
  }
  if (rescore !== undefined && typeof rescore !== "function")
    throw badOption(`rescore is ${show(rescore)}; it must be a function of hits`);
  if (candidates !== undefined && !rescore) throw badOption("candidates are what rescore is asked about; there is no rescore");
  if (after !== undefined && (groupBy !== undefined || rescore))
    throw badOption("after goes on with hits by distance: not with groupBy or rescore");
  const looking: Record<string, unknown> = {};
  if (flag("exact", options.exact)) looking.exact = true;
  if (radius !== undefined) looking.radius = radius;
  for (const name of EFFORTS) {
    const effort = options[name];
    if (effort === undefined) continue;
    looking[name] = name === "maxLeaves" && effort === Infinity ? effort : integer(name, effort, 1, MOST_EFFORT);
  }
  return {
    k,
    options,
    looking,
    after: after === undefined ? undefined : cursorOf(after),
    candidates: rescore ? integer("candidates", candidates ?? Math.max(CANDIDATES, k ?? 0), 1, MOST_K) : 0,
  };
}

function cursorOf(after: unknown): { distance: number; id: DocumentId } {
  const { id, distance } = (after ?? {}) as DocumentHit;
  if (typeof distance !== "number" || Number.isNaN(distance)) {
    throw badOption(`after is ${show(after)}; it must be the last hit of the page before, with its id and distance`);
  }
  return { distance, id: checkDocumentId(id, "after.id") };
}

/** Hits as tiers find them, each with the value that it leads. */
interface Found extends Hit {
  readonly group?: string | number | boolean;
}

export class Searching {
  constructor(
    readonly documents: Documents,
    readonly reading: Reading,
    readonly conditions: Conditions,
  ) {}

  /** A promise only where something has to be waited for: a search of a graph takes no longer than some of these. */
  search(query: Vector, asked: Vector | string, wish: Wish): DocumentHit[] | Promise<DocumentHit[]> {
    const { where, groupBy } = wish.options;
    const { conditions } = this;
    const condition = where === undefined ? undefined : conditions.parse(where);
    const wanted: Expression[] = condition ? [condition] : [];
    if (groupBy !== undefined) wanted.push(conditions.has(groupBy));
    // What is not there yet is made before anything is looked at, so that the rest goes by one state of the documents.
    if (conditions.lack(wanted)) {
      return conditions.make(wanted).then(() => {
        heed(wish.options.signal);
        return this.search(query, asked, wish);
      });
    }
    return this.#told(this.#find(query, wish, condition && conditions.passing(condition)), asked, wish);
  }

  /** Hits with ids, data and scores. */
  #told(found: readonly Found[], asked: Vector | string, wish: Wish): DocumentHit[] | Promise<DocumentHit[]> {
    const { select, rescore, signal } = wish.options;
    const { ids } = this.documents;
    const hits = found.map(({ id, distance, group }): DocumentHit => {
      const hit: DocumentHit = { id: ids.idAt(id), distance };
      if (group !== undefined) hit.group = group;
      return hit;
    });
    if ((select && select.length === 0) || hits.length === 0)
      return rescore ? rescored(hits, asked, rescore, wish.k, signal) : hits;
    const selected = selectionOf(select);
    const filled = (texts: readonly string[]): DocumentHit[] | Promise<DocumentHit[]> => {
      heed(signal);
      texts.forEach((text, i) => {
        const data = JSON.parse(text) as Data;
        hits[i].data = selected ? selected(data) : data;
      });
      return rescore ? rescored(hits, asked, rescore, wish.k, signal) : hits;
    };
    const texts = this.reading.texts(found.map(({ id }) => id));
    return Array.isArray(texts) ? filled(texts) : texts.then(filled);
  }

  #find(query: Vector, wish: Wish, passing: Passing | undefined): Found[] {
    const { tiers, columns, ids } = this.documents;
    const { k, looking, after, candidates } = wish;
    const { groupBy } = wish.options;
    const limit = candidates || k;
    if (passing?.count === 0) {
      tiers.check(query, looking);
      return [];
    }
    if (groupBy !== undefined) {
      const most = passing?.count ?? ids.size;
      const valuesOf = columns.valuesAt(groupBy);
      return widening(Math.min(4 * (limit ?? most), most), most, (n) => {
        const hits = tiers.search(query, n, passing, looking);
        const best = bestPerValue(hits, limit ?? Infinity, ({ id }) => valuesOf(id));
        const groups = best.map(({ value, hit }): Found => ({ ...hit, group: value }));
        return { enough: groups.length === limit || hits.length < n, hits: groups };
      });
    }
    if (!after) return tiers.search(query, limit, passing, looking);
    const slot = ids.find(keyOf(after.id));
    const most = passing?.count ?? ids.size;
    return widening(Math.min(2 * (limit ?? most), most), most, (n) => {
      const hits = tiers.search(query, n, passing, looking);
      const rest = hits.filter(({ id, distance }) => distance > after.distance || (distance === after.distance && id > slot));
      return { enough: rest.length >= (limit ?? Infinity) || hits.length < n, hits: rest.slice(0, limit) };
    });
  }
}

/** Looks at ever more until that is enough, or all there is. */
function widening(first: number, most: number, look: (n: number) => { enough: boolean; hits: Found[] }): Found[] {
  for (let n = Math.max(first, 1); ; n = Math.min(2 * n, most)) {
    const { enough, hits } = look(n);
    if (enough || n >= most) return hits;
  }
}
