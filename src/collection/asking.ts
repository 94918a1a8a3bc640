// The calls of a collection that another tab or thread has open: each goes there and back.
import { breath } from "../input/slices.js";
import type { Vector, Vectors } from "../input/vectors.js";
import { DEFAULT_K } from "../search/plan.js";
import type { Searchable } from "../search/searchable.js";
import type { Wanting } from "../storage/told.js";
import { badOption, show } from "../words/errors.js";
import { checkSignal, integer } from "../words/options.js";
import type { Asked, Call, Hello, News, Page } from "./answering.js";
import type { DocumentInput, DocumentPatch, UpsertOptions } from "./changing.js";
import type { CollectionStats, VerifyReport } from "./health.js";
import type { Health } from "./keeping.js";
import type { DocumentId } from "./keys.js";
import type { MainOptions, ReindexOptions } from "./options.js";
import { rescored } from "./rescored.js";
import { checkScan, type Document, type ScanOptions } from "./scanning.js";
import { CANDIDATES, type CollectionSearchOptions, type DocumentHit, MOST_K } from "./searching.js";
import type { Where } from "./where/parse.js";

export abstract class AskedCollection implements Searchable<DocumentId> {
  readonly #listeners = new Set<() => void>();
  #hello: Hello | undefined;
  #scans = 0;

  /** @internal What the one who has it open answers. */
  protected abstract request(asked: Asked, wanting: Wanting): Promise<unknown>;

  abstract close(): Promise<void>;

  /** @internal Throws where it is known here that nothing is open any more. */
  protected check(): void {}

  /** @internal Whether it has ever been open. */
  protected get greeted(): boolean {
    return this.#hello !== undefined;
  }

  /** @internal Asks what there is to know; where that fails, all is given back. */
  protected async greet(): Promise<this> {
    try {
      this.#hello = (await this.request({ call: "hello" }, {})) as Hello;
      return this;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** @internal Something has changed. */
  protected heard(news: News): void {
    if (this.#hello) this.#hello = { ...this.#hello, size: news.size };
    for (const listener of this.#listeners) listener();
  }

  get dimensions(): number {
    this.check();
    return this.#hello?.dimensions ?? 0;
  }

  /** Documents, as was heard last; `count()` asks. */
  get size(): number {
    this.check();
    return this.#hello?.size ?? 0;
  }

  /** Calls the listener after every change, whoever has made it; what it returns ends that. */
  onChange(listener: () => void): () => void {
    if (typeof listener !== "function") throw badOption(`listener is ${show(listener)}; it must be a function`);
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  async upsert(documents: DocumentInput | readonly DocumentInput[], options: UpsertOptions = {}): Promise<void> {
    const [rest, wanting] = apart("upsert", options);
    await this.#call("upsert", [documents, rest], wanting);
  }

  async update(id: DocumentId, data: object): Promise<number>;
  async update(documents: readonly DocumentPatch[]): Promise<number>;
  async update(...args: unknown[]): Promise<number> {
    return (await this.#call("update", args)) as number;
  }

  async delete(what: DocumentId | readonly DocumentId[] | { readonly where: Where }): Promise<number> {
    return (await this.#call("delete", [what])) as number;
  }

  async get(id: DocumentId, options: { vector?: boolean } = {}): Promise<Document | undefined> {
    return (await this.#call("get", [id, options])) as Document | undefined;
  }

  async has(id: DocumentId): Promise<boolean> {
    return (await this.#call("has", [id])) as boolean;
  }

  async count(options: { where?: Where } = {}): Promise<number> {
    return (await this.#call("count", [options])) as number;
  }

  /** As of Collection. Where another answers in the midst of it, it begins again there, and leaves out what it has given. */
  scan(options: ScanOptions = {}): AsyncGenerator<Document, void, void> {
    this.check();
    checkScan(options);
    return this.#scan(options);
  }

  async *#scan({ signal, ...options }: ScanOptions): AsyncGenerator<Document, void, void> {
    const scan = `${crypto.randomUUID()}:${++this.#scans}`;
    const given = new Set<DocumentId>();
    let begins = true;
    try {
      for (;;) {
        const page = (await this.request({ call: "scan", scan, begins, options }, { signal })) as Page | null;
        begins = !page;
        if (!page) continue;
        for (const document of page.documents) {
          if (given.has(document.id)) continue;
          given.add(document.id);
          yield document;
        }
        if (page.done) return;
        await breath(); // the next page may be there at once, and others want their turn too
      }
    } finally {
      if (!begins) this.request({ call: "end", scan }, {}).catch(() => {}); // it was closed
    }
  }

  async search(query: Vector | string, options: CollectionSearchOptions = {}): Promise<DocumentHit[]> {
    const asked = askedOf("search", options);
    const hits = (await this.#call("search", [query, asked.options], asked.wanting)) as DocumentHit[];
    return asked.rescored(hits, query);
  }

  /** As of Collection. */
  async searchBatch(
    queries: Vectors | readonly (Vector | string)[],
    options: CollectionSearchOptions = {},
  ): Promise<DocumentHit[][]> {
    const asked = askedOf("searchBatch", options);
    const all = (await this.#call("searchBatch", [queries, asked.options], asked.wanting)) as DocumentHit[][];
    const rescored: DocumentHit[][] = [];
    for (const [i, hits] of all.entries()) rescored.push(await asked.rescored(hits, queryOf(queries, i, all.length)));
    return rescored;
  }

  async snapshot(): Promise<void> {
    await this.#call("snapshot", []);
  }

  async compact(): Promise<void> {
    await this.#call("compact", []);
  }

  async reindex(index?: MainOptions, options: ReindexOptions = {}): Promise<void> {
    const [rest, wanting] = apart("reindex", options);
    await this.#call("reindex", [index, rest], wanting);
  }

  async verify(): Promise<VerifyReport> {
    return (await this.#call("verify", [])) as VerifyReport;
  }

  /** How it is at the moment, as soon as that is known here. */
  get health(): Promise<Health> {
    return this.request({ call: "health" }, {}) as Promise<Health>;
  }

  async stats(): Promise<CollectionStats> {
    return (await this.#call("stats", [])) as CollectionStats;
  }

  #call(call: Call, args: readonly unknown[], wanting: Wanting = {}): Promise<unknown> {
    checkSignal(wanting.signal);
    return this.request({ call, args }, wanting);
  }
}

/** Options that can be sent, and what stays here. */
function apart(of: string, options: UpsertOptions & ReindexOptions): [rest: object, Wanting] {
  if (options === null || typeof options !== "object") throw badOption(`${of} takes an object of options, not ${show(options)}`);
  const { signal, onProgress, ...rest } = options;
  return [rest, { signal, told: onProgress as Wanting["told"] }];
}

interface AskedSearch {
  /** As they are sent: where `rescore` is wanted, for all that it is asked about. */
  readonly options: object;
  readonly wanting: Wanting;
  rescored(hits: DocumentHit[], query: Vector | string): Promise<DocumentHit[]>;
}

function askedOf(of: string, options: CollectionSearchOptions): AskedSearch {
  const [all, wanting] = apart(of, options as object);
  const { rescore, candidates, k, ...rest } = all as CollectionSearchOptions;
  if (rescore === undefined) return { options: all, wanting, rescored: async (hits) => hits };
  if (typeof rescore !== "function") throw badOption(`rescore is ${show(rescore)}; it must be a function of hits`);
  if (rest.after !== undefined) throw badOption("after goes on with hits by distance: not with groupBy or rescore");
  const limit = k ?? (rest.radius === undefined ? DEFAULT_K : undefined);
  if (limit !== undefined) integer("k", limit, 1, MOST_K);
  return {
    options: { ...rest, k: integer("candidates", candidates ?? Math.max(CANDIDATES, k ?? 0), 1, MOST_K) },
    wanting,
    rescored: (hits, query) => rescored(hits, query, rescore, limit, wanting.signal),
  };
}

/** One of n queries, which may be numbers one after the other. */
function queryOf(queries: Vectors | readonly (Vector | string)[], i: number, n: number): Vector | string {
  const many = queries as ArrayLike<Vector | string | number>;
  if (typeof many[0] !== "number") return many[i] as Vector | string;
  const width = many.length / n;
  return Array.prototype.slice.call(many, i * width, (i + 1) * width);
}
