// What the tab that has a collection open does for the others: their calls, by name.
import type { Leading } from "../storage/tabs.js";
import type { Told } from "../storage/told.js";
import type { Health } from "./keeping.js";
import type { Document, ScanOptions } from "./scanning.js";

/** Calls that are passed on as they are, but for what cannot be sent: `signal` and `onProgress`. */
export type Call = "upsert" | "update" | "delete" | "get" | "has" | "count" | "search" | "searchBatch" | Plain;
type Plain = "snapshot" | "compact" | "reindex" | "verify" | "stats";

/** What they are passed on to: a Collection. */
export type Served = { readonly [call in Call]: (...args: never[]) => unknown } & {
  readonly size: number;
  readonly dimensions: number;
  readonly health: Health | Promise<Health>;
  scan(options: ScanOptions): AsyncGenerator<Document, void, void>;
  close(): Promise<void>;
};

export type Asked =
  | { readonly call: Call; readonly args: readonly unknown[] }
  | { readonly call: "health" }
  /** What is there to know of it. */
  | { readonly call: "hello" }
  /** The next documents of a scan, or its first; null where it has been forgotten. */
  | { readonly call: "scan"; readonly scan: string; readonly begins: boolean; readonly options: object }
  | { readonly call: "end"; readonly scan: string };

export interface News {
  readonly size: number;
}
export interface Hello extends News {
  readonly dimensions: number;
}
export interface Page {
  readonly documents: readonly Document[];
  readonly done: boolean;
}

/** Documents of a scan that are sent at once. */
const PAGE = 64;
/** Scans that are remembered: those of tabs that were closed meanwhile end so. */
const SCANS = 100;

/** Where a call takes options that may have a signal, and which of these take an onProgress. */
const OPTIONS_AT: Partial<Record<Call, number>> = { upsert: 1, search: 1, searchBatch: 1, reindex: 1 };
const TOLD: readonly Call[] = ["upsert", "reindex"];
const CHANGES: readonly Call[] = ["upsert", "update", "delete"];

export class Answering implements Leading {
  readonly #collection: Served;
  readonly #tell: (news: News) => void;
  readonly #scans = new Map<string, AsyncGenerator<Document, void, void>>();
  /** Or about to be, once what was asked before is done. */
  #closed = false;

  /** `tell`: called after every change. */
  constructor(collection: Served, tell: (news: News) => void) {
    this.#collection = collection;
    this.#tell = tell;
  }

  async answer(body: unknown, signal: AbortSignal, told?: Told): Promise<unknown> {
    const asked = body as Asked;
    const { size, dimensions } = this.#collection;
    switch (asked.call) {
      case "hello":
        return { size, dimensions } satisfies Hello;
      case "health":
        return this.#collection.health;
      case "scan":
        return this.#page(asked.scan, asked.begins, asked.options);
      case "end":
        await this.#scans.get(asked.scan)?.return();
        this.#scans.delete(asked.scan);
        return undefined;
      default:
        return this.#call(asked.call, asked.args, signal, told);
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#collection.close();
  }

  async #call(call: Call, args: readonly unknown[], signal: AbortSignal, told: Told | undefined): Promise<unknown> {
    const at = OPTIONS_AT[call];
    const given = [...args];
    if (at !== undefined) {
      const hearing = told && TOLD.includes(call) ? { onProgress: (progress: object) => told({ ...progress }) } : {};
      given[at] = { ...(given[at] as object | undefined), ...hearing, signal };
    }
    const method = this.#collection[call] as (...args: unknown[]) => unknown;
    const answer = await method.apply(this.#collection, given);
    if (CHANGES.includes(call) && !this.#closed) this.#tell({ size: this.#collection.size });
    return answer;
  }

  async #page(name: string, begins: boolean, options: object): Promise<Page | null> {
    const scan = begins ? this.#collection.scan(options) : this.#scans.get(name);
    if (!scan) return null;
    // The one asked last is at the end.
    this.#scans.delete(name);
    this.#scans.set(name, scan);
    for (const [oldest, forgotten] of this.#scans) {
      if (this.#scans.size <= SCANS) break;
      this.#scans.delete(oldest);
      void forgotten.return();
    }
    const documents: Document[] = [];
    while (documents.length < PAGE) {
      const { value, done } = await scan.next();
      if (done) {
        this.#scans.delete(name);
        return { documents, done: true };
      }
      documents.push(value);
    }
    return { documents, done: false };
  }
}
