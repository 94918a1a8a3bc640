// Where vectors are searched. What is new goes to the fresh tier, a Flat index that takes it at once and is scanned; from there
// it moves to the main tier in the background (merging.ts). A slot is in one of them; both are asked, and what they find is
// merged.
//
// While the main tier is frozen, a snapshot being read from it, it does not change: what should leave it is stale, and left out
// of answers.

import { seatOf } from "../base/seat-of.js";
import type { VectorIndex } from "../base/vector-index.js";
import type { Hit } from "../border/answers.js";
import type { Vector } from "../input/vectors.js";
import type { SearchOptions } from "../search/plan.js";
import { KINDS } from "../words/kinds.js";
import { grown } from "./grown.js";
import { Passing } from "./passing.js";
import type { RowArray } from "./rows.js";

const NOWHERE = 0;
const FRESH = 1;
const MAIN = 2;
/** So many stale vectors are asked for beside what is wanted; more are kept out by a filter. */
const FEW_STALE = 32;

/** What is done in the background gives way after so long; a tenth of the work is lost by that, so only where somebody searches. */
const SLICE_MS = 8;
const SHORT_SLICE_MS = 2;
/** Somebody does, if there was a search in so many milliseconds. */
const LATELY_MS = 200;

/** How far a search looks. */
export type Looking = Omit<SearchOptions, "filter" | "k" | "radius"> & { readonly radius?: number };

export class Tiers {
  fresh: VectorIndex;
  main: VectorIndex | undefined;
  /** Changes of the main tier. */
  version = 0;
  /** Documents that there were when it was built. */
  built = 0;
  /** The main tier is not to change. */
  frozen = false;
  /** By slot. */
  #tier = new Uint8Array(0);
  /** In the main tier, but no document's: it was frozen, or they were on their way, when they should have left it. */
  readonly #stale = new Set<number>();
  /** What passes of a filter without them, of the latest search. */
  #fewer: { readonly of: Passing | undefined; readonly stale: number; readonly passing: Passing } | undefined;
  /** Slots on their way from the fresh tier to the main one. */
  #moving: Set<number> | undefined;
  /** Slots put into the fresh tier, in order; some may have left it since. */
  #queue: number[] = [];
  /** Of those, how many have been taken. */
  #taken = 0;
  /** When there was a search. */
  #searched = -Infinity;
  /** While another main tier is being built: slots whose vectors changed or went. */
  touched: Set<number> | undefined;
  /** Of the indices that take vectors in the background. */
  readonly sliceMs = (): number => (performance.now() - this.#searched < LATELY_MS ? SHORT_SLICE_MS : SLICE_MS);

  constructor(fresh: VectorIndex, main: VectorIndex | undefined) {
    this.fresh = fresh;
    this.main = main;
    if (main) seatOf(main).sliceMs = this.sliceMs;
  }

  /**
   * Finds out which slot is in which tier, of `slots` of which `taken` have documents. Vectors of no document, which were stale
   * when a snapshot was taken, are removed; returns a document's slot that has no vector, if there is one.
   */
  settle(slots: number, taken: (slot: number) => boolean): number | undefined {
    const tier = new Uint8Array(slots);
    const old: number[] = [];
    for (const slot of this.main?.ids() ?? []) {
      if (taken(slot)) tier[slot] = MAIN;
      else old.push(slot);
    }
    const strange = this.fresh.ids().filter((slot) => !taken(slot));
    this.fresh.remove(strange);
    for (const slot of this.fresh.ids()) {
      if (tier[slot] === MAIN) old.push(slot);
      tier[slot] = FRESH;
      this.#queue.push(slot);
    }
    this.#removeFromMain(old);
    this.#tier = tier;
    for (let slot = 0; slot < slots; slot++) if (tier[slot] === NOWHERE && taken(slot)) return slot;
    return undefined;
  }

  get bytes(): number {
    return this.fresh.bytes + (this.main?.bytes ?? 0);
  }

  /** Vectors that wait in the fresh tier. */
  get waiting(): number {
    return this.fresh.size;
  }

  /**
   * Whether a main tier is to be built: of `most` vectors and more; or anew, as the one there is has seen enough now to learn
   * from.
   */
  wantsMain(most: number): boolean {
    const { main } = this;
    if (!main) return this.fresh.size > most;
    if (this.fresh.size === 0 || main.trained) return false;
    const { learner, engine } = seatOf(main);
    return learner?.inBackground === false && learner.isDue(engine, this.fresh.size);
  }

  inMain(slot: number): boolean {
    return this.#tier[slot] === MAIN;
  }

  /** Gives slots new vectors. */
  put(slots: readonly number[], rows: RowArray): void {
    this.drop(slots);
    this.fresh.add(rows, slots);
    for (const slot of slots) {
      this.#tier = grown(this.#tier, slot + 1);
      this.#tier[slot] = FRESH;
      this.#queue.push(slot);
    }
  }

  drop(slots: readonly number[]): void {
    const old = slots.filter((slot) => this.#tier[slot] === FRESH);
    if (old.length > 0) this.fresh.remove(old);
    for (const slot of old) if (this.#moving?.delete(slot)) this.#stale.add(slot);
    const gone = slots.filter((slot) => this.#tier[slot] === MAIN);
    if (this.frozen) for (const slot of gone) this.#stale.add(slot);
    else this.#removeFromMain(gone);
    for (const slot of slots) {
      if (slot < this.#tier.length) this.#tier[slot] = NOWHERE;
      this.touched?.add(slot);
    }
  }

  /** The vector in a slot, as its tier has it. */
  vector(slot: number): Vector | undefined {
    const tier = this.#tier[slot];
    if (tier === FRESH) return this.fresh.get(slot);
    return tier === MAIN ? this.main?.get(slot) : undefined;
  }

  /** The main tier may change again. */
  thaw(): void {
    this.frozen = false;
    this.#freshen();
  }

  #freshen(): void {
    this.#removeFromMain([...this.#stale]);
    this.#stale.clear();
    this.#fewer?.passing.close();
    this.#fewer = undefined;
  }

  #removeFromMain(slots: readonly number[]): void {
    if (slots.length === 0) return;
    this.main?.remove(slots);
    this.version++;
  }

  /** Slots of the main tier's documents. */
  mainSlots(): number[] {
    return Array.from(this.main?.ids() ?? []).filter((slot) => this.#tier[slot] === MAIN);
  }

  freshSlots(): number[] {
    return Array.from(this.fresh.ids());
  }

  /** Up to n slots that wait in the fresh tier, the oldest first; they wait no more. */
  next(n: number): number[] {
    const slots = new Set<number>();
    for (; this.#taken < this.#queue.length && slots.size < n; this.#taken++) {
      const slot = this.#queue[this.#taken];
      if (this.#tier[slot] === FRESH) slots.add(slot);
    }
    if (2 * this.#taken > this.#queue.length) this.#requeue([]);
    return [...slots];
  }

  /** Slots in front of those that wait. */
  #requeue(first: readonly number[]): void {
    this.#queue = [...first, ...this.#queue.slice(this.#taken).filter((slot) => this.#tier[slot] === FRESH)];
    this.#taken = 0;
  }

  /**
   * Moves slots that wait to the main tier, in slices. Until all are there they are the fresh tier's: what the main one has of
   * them already is left out of answers, which loses nothing, as the fresh one has the nearest of them among its own nearest.
   * Where it fails they go on waiting.
   */
  async move(slots: readonly number[], rows: Float32Array, signal: AbortSignal): Promise<void> {
    const main = this.main as VectorIndex;
    const moving = new Set(slots);
    this.#moving = moving;
    this.version++;
    try {
      await main.addAll(rows, { ids: slots, signal });
      const come = [...moving];
      this.fresh.remove(come);
      for (const slot of come) this.#tier[slot] = MAIN;
    } catch (error) {
      // The same goes for an index that was closed meanwhile: there is nothing to remove from it then.
      if (!signal.aborted) main.remove([...moving]);
      this.#requeue([...moving]);
      throw error;
    } finally {
      this.#moving = undefined;
      if (!signal.aborted) this.#freshen();
    }
  }

  /** Another index takes the main tier's place: it has what this one has, and of the fresh tier what it has besides. */
  replace(main: VectorIndex): void {
    const old = this.main;
    this.main = main;
    this.version++;
    this.built = main.size;
    const slots = [...new Set(this.#queue)].filter((slot) => this.#tier[slot] === FRESH && main.has(slot));
    if (slots.length > 0) this.fresh.remove(slots);
    for (const slot of slots) this.#tier[slot] = MAIN;
    this.#requeue([]);
    old?.close();
  }

  /** Throws where a search would. */
  check(query: Vector, looking: Looking): void {
    this.fresh.search(query, { ...looking, k: 1 });
  }

  /** The k nearest slots of both tiers, nearest first, equal distances by slot; k undefined: all within the radius. */
  search(query: Vector, k: number | undefined, passing: Passing | undefined, looking: Looking): Hit[] {
    const { main, fresh } = this;
    this.#searched = performance.now();
    const few = fresh.size > 0 || !main ? fresh.search(query, this.#options(fresh, k, passing, looking)) : [];
    if (!main || main.size === 0) return few;
    const stale = this.#stale.size;
    const filter = stale > FEW_STALE ? this.#withoutStale(passing) : passing;
    const wanted = k === undefined || stale > FEW_STALE ? k : k + stale;
    const found = main.search(query, this.#options(main, wanted, filter, looking));
    const many = stale > 0 || this.#moving ? found.filter(({ id }) => this.#tier[id] === MAIN) : found;
    return few.length > 0 ? merged(few, many, k ?? Infinity) : many.length > (k ?? Infinity) ? many.slice(0, k) : many;
  }

  /** Of the efforts that a search names, each index gets its family's own. */
  #options(index: VectorIndex, k: number | undefined, passing: Passing | undefined, looking: Looking): SearchOptions {
    const { effort } = KINDS[index.kind];
    const options: SearchOptions = {};
    if (k !== undefined) options.k = k;
    if (looking.radius !== undefined) options.radius = looking.radius;
    if (looking.exact) options.exact = true;
    if (effort && looking[effort] !== undefined) options[effort] = looking[effort] as number;
    if (passing) options.filter = passing.for(index);
    return options;
  }

  #withoutStale(passing: Passing | undefined): Passing {
    // Until all of them go, they only become more.
    if (this.#fewer?.of === passing && this.#fewer?.stale === this.#stale.size) return this.#fewer.passing;
    this.#fewer?.passing.close();
    const words = new Uint32Array((this.#tier.length + 31) >>> 5);
    if (passing) words.set(passing.words.subarray(0, words.length));
    else words.fill(0xffffffff);
    for (const slot of this.#stale) words[slot >>> 5] &= ~(1 << (slot & 31));
    this.#fewer = { of: passing, stale: this.#stale.size, passing: new Passing(words, 0) };
    return this.#fewer.passing;
  }

  close(): void {
    this.fresh.close();
    this.main?.close();
  }
}

/** Two lists in order become one, of the first k. */
function merged(a: readonly Hit[], b: readonly Hit[], k: number): Hit[] {
  const hits: Hit[] = [];
  const n = Math.min(k, a.length + b.length);
  for (let i = 0, j = 0; hits.length < n; ) {
    const first = j === b.length || (i < a.length && (a[i].distance - b[j].distance || a[i].id - b[j].id) < 0);
    hits.push(first ? a[i++] : b[j++]);
  }
  return hits;
}
