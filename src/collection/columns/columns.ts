// The fields of all documents, for conditions to be answered from. A document lives in a slot, which is used again after it.

import { type Expression, type Leaf, type Need, need, needsOf } from "../where/expression.js";
import { checkFields, type FieldKind, type Fields } from "../where/fields.js";
import { parse } from "../where/parse.js";
import { Recent } from "../where/recent.js";
import { countOf, eachSlot, has, wordsFor } from "./bits.js";
import { CODE, Column, type ColumnCopy, type Value } from "./column.js";
import { checkData } from "./data.js";
import { evaluate, type Source } from "./evaluate.js";
import { Journal } from "./journal.js";
import { Match } from "./match.js";
import { Matches } from "./matches.js";
import type { Slots } from "./refine.js";

/** Calls `visit` for each document with its slot, in any order and over any time. */
export type Scan = (visit: (slot: number, data: unknown) => void) => void | Promise<void>;

/** What is known of a field that conditions can be put on. */
export interface FieldInfo {
  readonly path: string;
  /** As declared, or "inferred" where a condition has asked for it. */
  readonly kind: FieldKind | "inferred";
  /** Different values that documents have; those of numbers and times are counted now. */
  readonly cardinality: number;
  /** Documents that have a value there, or several. */
  readonly documents: number;
  readonly bytes: number;
}

/** A column that is being filled, with the slots whose documents are newer than those it is filled from. */
interface Young {
  readonly column: Column;
  readonly newer: Set<number>;
  readonly whole: Promise<void>;
}

/** Columns at one moment, to be saved (saving.ts). */
export interface ColumnsCopy {
  /** Slots with a document. */
  readonly alive: Uint32Array;
  readonly columns: readonly ColumnCopy[];
}

/** Changes that a match follows one by one: beyond them it is cheaper to ask all slots again. */
const followed = (slots: number): number => 256 + (slots >> 4);

/** Columns that conditions have asked for and nobody has declared; of more, those go that were asked for longest ago. */
const MOST_ASKED = 64;
const MOST_ASKED_BYTES = 64 << 20;

export class Columns {
  readonly fields: Fields;
  readonly #columns = new Map<string, Column>();
  /** Names of those that are not declared, in order of their use. */
  readonly #asked = new Set<string>();
  readonly #young = new Map<string, Young>();
  readonly #journal = new Journal();
  readonly #matches = new Matches();
  readonly #recent = new Recent();
  /** Slots with a document. */
  #alive: Uint32Array = new Uint32Array(0);
  #size = 0;
  readonly #plainly: Source = { size: () => this.#size, columnOf: (need) => this.#column(need) };
  readonly #knowing: Source = {
    ...this.#plainly,
    known: (leaf) => this.#known(leaf),
    learn: (leaf, passing) => this.#learn(leaf, passing),
  };

  /** `saved`: columns of the documents in some slots; those declared that are not among them are built when they are asked for. */
  constructor(fields?: Fields, saved?: { readonly alive: Uint32Array; readonly columns: readonly Column[] }) {
    this.fields = checkFields(fields);
    if (saved) {
      this.#alive = saved.alive;
      this.#size = countOf(saved.alive);
      for (const column of saved.columns) this.#keepColumn(need(column.path, column.of), column);
    } else {
      for (const [path, kind] of Object.entries(this.fields)) {
        if (kind !== "stored") this.#keepColumn(need(path, "values"), new Column(path, "values"));
      }
    }
  }

  #keepColumn({ name, path, of }: Need, column: Column): void {
    this.#columns.set(name, column);
    if (of !== "values" || !Object.hasOwn(this.fields, path)) this.#asked.add(name);
  }

  /** Documents. */
  get size(): number {
    return this.#size;
  }

  /** About what all of it takes, with the matches that are kept. */
  get bytes(): number {
    let sum = this.#alive.byteLength + this.#matches.bytes;
    for (const { bytes } of this.#columns.values()) sum += bytes;
    return sum;
  }

  /** Errors: BAD_FIELD, where a document's data is not JSON, or a declared field does not hold what it is declared to. */
  check(data: unknown, at?: string): void {
    checkData(data, this.fields, at);
  }

  /** Errors: BAD_WHERE. */
  parse(where: unknown): Expression {
    const known = this.#recent.find(where);
    if (known) return known;
    const expression = parse(where, this.fields);
    this.#recent.add(where, expression);
    return expression;
  }

  /** A document is in the slot from now on, in place of what was there. Its data must have passed `check`. */
  set(slot: number, data: unknown): void {
    for (const column of this.#columns.values()) column.set(slot, data);
    for (const { column, newer } of this.#young.values()) {
      column.set(slot, data);
      newer.add(slot);
    }
    const w = slot >>> 5;
    if (w >= this.#alive.length) {
      const words = new Uint32Array(wordsFor(Math.ceil(slot * 1.25) + 64));
      words.set(this.#alive);
      this.#alive = words;
    }
    if (!has(this.#alive, slot)) this.#size++;
    this.#alive[w] |= 1 << (slot & 31);
    this.#changed(slot);
  }

  /** The slot is empty from now on; nothing happens where it is already. */
  remove(slot: number): void {
    if (!has(this.#alive, slot)) return;
    for (const column of this.#columns.values()) column.clear(slot);
    for (const { column, newer } of this.#young.values()) {
      column.clear(slot);
      newer.add(slot);
    }
    this.#size--;
    this.#alive[slot >>> 5] &= ~(1 << (slot & 31));
    this.#changed(slot);
  }

  #changed(slot: number): void {
    this.#journal.push(slot, followed(this.#alive.length << 5));
  }

  /** Whether `build` has to be called before `match`. */
  lacks(expression: Expression): boolean {
    return needsOf(expression).some(({ name }) => !this.#columns.has(name));
  }

  /**
   * Makes the columns that an expression is answered from and that are not there, by one scan of all documents. Documents may come,
   * change and go while it goes on: what `set` and `remove` say is believed, whatever the scan says of the slot. Fails as the scan does,
   * and nothing is kept then.
   */
  async build(expression: Expression, scan: Scan): Promise<void> {
    const needs = needsOf(expression);
    await this.#make(needs, scan);
    for (const need of needs) this.#use(need);
    this.#forget(needs.length);
  }

  #use({ name }: Need): void {
    if (this.#asked.delete(name)) this.#asked.add(name);
  }

  /** Drops columns that were asked for longest ago, where they are too many; the last `least` stay. */
  #forget(least: number): void {
    let bytes = 0;
    for (const name of this.#asked) bytes += this.#columns.get(name)?.bytes ?? 0;
    for (const name of this.#asked) {
      if (this.#asked.size <= least || (this.#asked.size <= MOST_ASKED && bytes <= MOST_ASKED_BYTES)) return;
      bytes -= this.#columns.get(name)?.bytes ?? 0;
      this.#columns.delete(name);
      this.#asked.delete(name);
    }
  }

  async #make(needs: readonly Need[], scan: Scan): Promise<void> {
    const lacking = needs.filter(({ name }) => !this.#columns.has(name));
    const started = lacking.filter(({ name }) => !this.#young.has(name));
    const columns = started.map(({ path, of }) => new Column(path, of));
    const newer = new Set<number>();
    if (started.length > 0) {
      const whole = Promise.resolve()
        .then(() =>
          scan((slot, data) => {
            if (has(this.#alive, slot) && !newer.has(slot)) for (const column of columns) column.set(slot, data);
          }),
        )
        .then(() => this.#grown(started, columns))
        .finally(() => {
          for (const { name } of started) this.#young.delete(name);
        });
      for (const [i, { name }] of started.entries()) this.#young.set(name, { column: columns[i], newer, whole });
    }
    await Promise.all(lacking.map(({ name }) => this.#young.get(name)?.whole));
  }

  /** Columns that have been filled take their places. */
  #grown(needs: readonly Need[], columns: readonly Column[]): void {
    eachSlot(this.#alive, (slot) => {
      if (columns.some(({ codes }) => (codes[slot] ?? CODE.EMPTY) === CODE.EMPTY)) {
        throw new Error(`the scan has left out the document in slot ${slot}`);
      }
    });
    for (const [i, need] of needs.entries()) this.#keepColumn(need, columns[i]);
  }

  #column(need: Need): Column {
    const column = this.#columns.get(need.name);
    if (!column) throw new Error(`no column has been built for ${need.path}`);
    return column;
  }

  /** The documents that pass now. Kept for the next call within a bound of memory, and then brought up to date slot by slot. */
  match(expression: Expression): Match {
    for (const need of needsOf(expression)) this.#use(need);
    const cached = this.#matches.get(expression.key);
    if (cached) return this.#updated(cached);
    const words = evaluate(expression, { words: this.#alive, all: true }, this.#knowing);
    return this.#keep(new Match(expression, words, this.#journal.length));
  }

  #keep(match: Match): Match {
    this.#matches.put(match, this.#alive.length << 5);
    return match;
  }

  #updated(match: Match): Match {
    const now = this.#journal.length;
    if (match.seen === now) return match;
    const changed = this.#changedSince(match.seen);
    const words = changed.words.map((word, i) => word & this.#alive[changed.at ? changed.at[i] : i]);
    const passing = evaluate(match.expression, { words, at: changed.at, all: false }, this.#plainly);
    match.update(changed, passing, this.#alive.length, now);
    return match;
  }

  /** Slots that may have changed; all, where that is forgotten. */
  #changedSince(seen: number): Slots {
    const slots = this.#journal.since(seen);
    if (!slots) return { words: new Uint32Array(this.#alive.length).fill(0xffffffff) };
    const changed = new Map<number, number>();
    for (const slot of slots) changed.set(slot >>> 5, (changed.get(slot >>> 5) ?? 0) | (1 << (slot & 31)));
    return { words: Uint32Array.from(changed.values()), at: Uint32Array.from(changed.keys()) };
  }

  #known(leaf: Leaf): Uint32Array | undefined {
    const match = this.#matches.get(leaf.key);
    return match && this.#updated(match).words;
  }

  #learn(leaf: Leaf, passing: Uint32Array): void {
    this.#keep(new Match(leaf, passing, this.#journal.length));
  }

  /** As they are now, without the matches. */
  copy(): ColumnsCopy {
    const slots = this.#alive.length << 5;
    return { alive: this.#alive.slice(), columns: Array.from(this.#columns.values(), (column) => column.copy(slots)) };
  }

  /** Tells what the document in a slot has at a path, each once: nothing for null, arrays and objects. The path's column must be there. */
  valuesAt(path: string): (slot: number) => Value[] {
    const wanted = need(path, "values");
    const column = this.#column(wanted);
    this.#use(wanted);
    return (slot) => column.valuesOf(slot);
  }

  /** The fields that conditions can be put on without a scan. */
  info(): FieldInfo[] {
    const columns = [...this.#columns.values()].filter(({ of }) => of === "values");
    return columns.map((column) => ({
      path: column.path,
      kind: Object.hasOwn(this.fields, column.path) ? this.fields[column.path] : "inferred",
      ...column.census(),
      bytes: column.bytes,
    }));
  }
}
