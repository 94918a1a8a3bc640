// What the documents have at one path: a code a slot, and beside it what the code alone does not say.
import { canonical, type Json } from "../where/expression.js";
import { countOf, has } from "./bits.js";
import { Dictionary, type DictionaryCopy } from "./dictionary.js";
import { type Codes, codesFor, grown, type Numbers, numbersFor } from "./lanes.js";
import { eachLeaf } from "./leaves.js";
import { Lists, type ListsCopy } from "./lists.js";
import { isTime, textOf, timeOf } from "./times.js";

/** What a field may have many of. */
export type Value = string | number | boolean;

/** Codes below FIRST are no values of the dictionary; FIRST + n is its value n. */
export const CODE = {
  /** No document is in the slot. */
  EMPTY: 0,
  /** Nothing is there. */
  ABSENT: 1,
  NULL: 2,
  /** An array or object, which has no value of its own. */
  OBJECT: 3,
  /** A place beyond the end of an array. */
  GAP: 4,
  /** Neither a value nor the lack of one: a member of the elements of an empty array. */
  NOTHING: 5,
  /** Several codes, in lists. */
  SEVERAL: 6,
  /** A number, in numbers. */
  NUMBER: 7,
  /** A time of the first form, in numbers; the other forms follow. */
  TIME: 8,
  FALSE: 10,
  TRUE: 11,
  FIRST: 12,
} as const;

/** Whether a code says that there is a time in numbers. */
const isTimeCode = (code: number): boolean => code >= CODE.TIME && code < CODE.FALSE;

/** A value, or one of the codes that stand for none. */
type Token = Value | { readonly code: number };
const ABSENT: Token = { code: CODE.ABSENT };
const NULL: Token = { code: CODE.NULL };
const OBJECT: Token = { code: CODE.OBJECT };
const GAP: Token = { code: CODE.GAP };
const NOTHING: Token = { code: CODE.NOTHING };

/** What is at the end of the path, each once. */
type Finder = (data: unknown, keys: readonly string[]) => Token[];

/** Single values. Whether an array is there beside them makes no difference. */
const singles: Finder = (data, keys) => {
  const found: Token[] = [];
  eachLeaf(data, keys, (value, there, gap) => {
    if (gap) found.push(GAP);
    else if (value === null || value === undefined) found.push(there ? NULL : ABSENT);
    else found.push(typeof value === "object" ? OBJECT : (value as Value));
  });
  if (found.length === 1) return found;
  if (found.length === 0) return [NOTHING];
  const distinct = [...new Set(found)];
  const there = (token: Token): boolean => token !== ABSENT && token !== GAP && token !== OBJECT;
  return distinct.some(there) ? distinct.filter((token) => token !== OBJECT) : distinct;
};

/** Arrays and objects, as their JSON. */
const wholes: Finder = (data, keys) => {
  const found = new Set<Token>();
  eachLeaf(data, keys, (value) => {
    if (value !== null && typeof value === "object") found.add(canonical(JSON.parse(JSON.stringify(value)) as Json));
  });
  return found.size > 0 ? [...found] : [NOTHING];
};

const FINDERS = { values: singles, wholes };

/** What a column is made of, at one moment. */
export interface ColumnCopy {
  readonly path: string;
  readonly of: "values" | "wholes";
  readonly codes: Codes;
  readonly numbers: Numbers;
  readonly lists: ListsCopy;
  readonly dictionary: DictionaryCopy;
}

/** What it is restored from: lists without what was dropped, and the dictionary's bytes and limit. */
export interface ColumnParts {
  readonly codes: Codes;
  readonly numbers: Numbers;
  readonly pool: Codes;
  readonly values: Uint8Array;
  readonly limit: number;
}

export class Column {
  readonly dictionary = new Dictionary();
  readonly lists = new Lists();
  /** How many slots have each code below FIRST. */
  readonly marks: Uint32Array = new Uint32Array(CODE.FIRST);
  readonly #keys: readonly string[];
  readonly #find: Finder;
  #codes: Codes = new Uint8Array(0);
  #numbers: Numbers = new Int16Array(0);

  constructor(
    readonly path: string,
    readonly of: "values" | "wholes",
  ) {
    this.#keys = path.split(".");
    this.#find = FINDERS[of];
  }

  /** By slot; those beyond its end are EMPTY. */
  get codes(): Codes {
    return this.#codes;
  }

  /** By slot, where the code is NUMBER or of a time; it may end before a slot of another code. */
  get numbers(): Numbers {
    return this.#numbers;
  }

  get bytes(): number {
    return this.#codes.byteLength + this.#numbers.byteLength + this.lists.bytes + this.dictionary.bytes;
  }

  /** Puts a document's in the place of what was there. */
  set(slot: number, data: unknown): void {
    const tokens = this.#find(data, this.#keys);
    const [only] = tokens;
    const before = this.#codes[slot] ?? CODE.EMPTY;
    if (tokens.length === 1 && typeof only === "number") this.#number(slot, CODE.NUMBER, only, before);
    else {
      const time = tokens.length === 1 && typeof only === "string" ? timeOf(only) : undefined;
      if (time) this.#number(slot, CODE.TIME + time.form, time.number, before);
      else {
        const codes = tokens.map((token) => this.#taken(token));
        this.#drop(slot, before);
        if (codes.length > 1) this.lists.put(slot, codes);
        this.#code(slot, codes.length > 1 ? CODE.SEVERAL : codes[0]);
      }
    }
  }

  /** The code of what is neither alone in a slot and a number nor a time. */
  #taken(token: Token): number {
    if (typeof token === "object") return token.code;
    if (typeof token === "boolean") return token ? CODE.TRUE : CODE.FALSE;
    return CODE.FIRST + this.dictionary.take(token);
  }

  /** The slot is empty from now on. */
  clear(slot: number): void {
    const before = this.#codes[slot] ?? CODE.EMPTY;
    if (before === CODE.EMPTY) return;
    this.#drop(slot, before);
    this.#codes[slot] = CODE.EMPTY;
  }

  /** What the slot's document has, each once; nothing for null, and for arrays and objects. */
  valuesOf(slot: number): Value[] {
    const code = this.#codes[slot] ?? CODE.EMPTY;
    if (code === CODE.NUMBER) return [this.#numbers[slot]];
    if (isTimeCode(code)) return [textOf(code - CODE.TIME, this.#numbers[slot])];
    const codes = code === CODE.SEVERAL ? Array.from(this.lists.of(slot)) : [code];
    return codes.filter((one) => one >= CODE.FALSE).map((one) => this.#valueOf(one));
  }

  #valueOf(code: number): Value {
    return code < CODE.FIRST ? code === CODE.TRUE : this.dictionary.valueOf(code - CODE.FIRST)!;
  }

  /** Different values, and the documents that have any. */
  census(): { readonly cardinality: number; readonly documents: number } {
    const numbers = new Set<number>();
    const times = new Set<string>();
    const flags = new Set<number>();
    let documents = 0;
    this.#codes.forEach((code, slot) => {
      if (code === CODE.NUMBER) numbers.add(this.#numbers[slot]);
      if (isTimeCode(code)) times.add(`${code} ${this.#numbers[slot]}`);
      const codes = code === CODE.SEVERAL ? this.lists.of(slot) : [code];
      for (const one of codes) if (one === CODE.TRUE || one === CODE.FALSE) flags.add(one);
      if (codes.some((one) => one > CODE.SEVERAL)) documents++;
    });
    for (const number of numbers) if (this.dictionary.find(number) !== undefined) numbers.delete(number);
    return { cardinality: this.dictionary.size + numbers.size + times.size + flags.size, documents };
  }

  /** Of so many slots, as they are now. */
  copy(slots: number): ColumnCopy {
    return {
      path: this.path,
      of: this.of,
      codes: this.#codes.slice(0, slots),
      numbers: this.#numbers.slice(0, slots),
      lists: this.lists.copy(),
      dictionary: this.dictionary.copy(),
    };
  }

  /** Fills the new column with what was saved of one. False where what was saved is none of the documents in these slots. */
  restore({ codes, numbers, pool, values, limit }: ColumnParts, alive: Uint32Array): boolean {
    const { dictionary, lists, marks } = this;
    const several: number[] = [];
    dictionary.restore(values, limit);
    let documents = 0;
    let sound = true;
    for (let slot = 0; slot < codes.length; slot++) {
      const code = codes[slot];
      if (code === CODE.EMPTY) continue;
      documents++;
      if (!has(alive, slot)) return false;
      if (code >= CODE.FIRST) sound &&= dictionary.retake(code - CODE.FIRST);
      else marks[code]++;
      if (code === CODE.SEVERAL) several.push(slot);
      if (code === CODE.NUMBER) sound &&= Number.isFinite(numbers[slot]);
      if (isTimeCode(code)) sound &&= isTime(code - CODE.TIME, numbers[slot]);
    }
    const take = (code: number): boolean =>
      code >= CODE.FIRST
        ? dictionary.retake(code - CODE.FIRST)
        : code >= CODE.FALSE || (code > CODE.EMPTY && code < CODE.NOTHING);
    sound &&= documents === countOf(alive) && lists.restore(pool, several, take);
    this.#codes = codes;
    this.#numbers = numbers;
    return sound && dictionary.isTaken;
  }

  #number(slot: number, code: number, number: number, before: number): void {
    this.#drop(slot, before);
    this.#numbers = numbersFor(grown(this.#numbers, slot + 1), number);
    this.#numbers[slot] = number;
    this.#code(slot, code);
  }

  #code(slot: number, code: number): void {
    this.#codes = codesFor(grown(this.#codes, slot + 1), code);
    this.#codes[slot] = code;
    if (code < CODE.FIRST) this.marks[code]++;
  }

  /** What the slot has taken is given back. */
  #drop(slot: number, code: number): void {
    if (code >= CODE.FIRST) this.dictionary.drop(code - CODE.FIRST);
    else if (code !== CODE.EMPTY) this.marks[code]--;
    if (code !== CODE.SEVERAL) return;
    for (const one of this.lists.of(slot)) if (one >= CODE.FIRST) this.dictionary.drop(one - CODE.FIRST);
    this.lists.drop(slot);
  }
}
