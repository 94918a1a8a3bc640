// Which lists may hold a document that meets a condition, so that the others are not fetched: per field either all its values, and which
// of them each list has, or of numbers and strings the least and the greatest of each list. Where neither says anything, a list may.

import { has } from "../collection/columns/bits.js";
import { Columns } from "../collection/columns/columns.js";
import type { Data } from "../collection/reading.js";
import type { Expression, Leaf } from "../collection/where/expression.js";
import { coded } from "./fields.js";

/** Of all values of a field, as JSON; a field that has more of them has only ends. */
const MOST_VALUES_BYTES = 1 << 16;
/** Of a string that is an end. */
const MOST_END = 64;
const MISSING = -1;

type End = number | string;

/** As JSON in the data. `lists`: of each list which values it has, -1 where one of its documents lacks the field. */
type Zone =
  | { readonly values: readonly unknown[]; readonly lists: readonly (readonly number[])[] }
  | { readonly ends: readonly (readonly [least: End, most: End] | null)[] };

/** Of the documents of each list. */
export function zonesText(lists: readonly (readonly Data[])[], names: readonly string[]): string {
  const zones: Record<string, Zone> = {};
  for (const name of names) {
    const zone = zoneOf(lists, name);
    if (zone) zones[name] = zone;
  }
  return JSON.stringify(zones);
}

function zoneOf(lists: readonly (readonly Data[])[], name: string): Zone | undefined {
  const all = coded(lists.flat(), name);
  if (JSON.stringify(all.values).length <= MOST_VALUES_BYTES) {
    let from = 0;
    const each = lists.map((datas) => [...new Set(all.at.slice(from, (from += datas.length)))].sort((a, b) => a - b));
    return { values: all.values, lists: each };
  }
  const type = typeof all.values[0];
  const orders = (value: unknown): boolean =>
    typeof value === type && (type === "number" || (type === "string" && (value as string).length <= MOST_END));
  if (!all.values.every(orders)) return undefined;
  const values = all.values as End[];
  let from = 0;
  const ends = lists.map((datas) => {
    const own = all.at
      .slice(from, (from += datas.length))
      .filter((at) => at !== MISSING)
      .map((at) => values[at]);
    if (own.length === 0) return null;
    own.sort((a, b) => (a < b ? -1 : 1));
    return [own[0], own[own.length - 1]] as const;
  });
  return { ends };
}

export class Zones {
  readonly #lists: number;
  readonly #zones = new Map<string, Zone>();
  /** Per field, its values as documents: the last lacks the field. */
  readonly #columns = new Map<string, Columns>();

  constructor(text: string, lists: number) {
    this.#lists = lists;
    for (const [name, zone] of Object.entries(JSON.parse(text) as Record<string, Zone>)) this.#zones.set(name, zone);
  }

  /** Per list, 1 if it may have a document that meets the condition. */
  async may(expression: Expression): Promise<Uint8Array> {
    return this.#ask(expression, true);
  }

  /** `meets` false: that does not meet it. */
  async #ask(expression: Expression, meets: boolean): Promise<Uint8Array> {
    if (expression.op === "not") return this.#ask(expression.part, !meets);
    if (!("parts" in expression)) return this.#leaf(expression, meets);
    const all = (expression.op === "and") === meets;
    const lists = new Uint8Array(this.#lists).fill(all ? 1 : 0);
    for (const part of expression.parts) {
      const may = await this.#ask(part, meets);
      for (let i = 0; i < lists.length; i++) lists[i] = all ? lists[i] & may[i] : lists[i] | may[i];
    }
    return lists;
  }

  async #leaf(leaf: Leaf, meets: boolean): Promise<Uint8Array> {
    const [name] = leaf.path.split(".");
    const zone = this.#zones.get(name);
    if (!zone) return new Uint8Array(this.#lists).fill(1);
    if ("ends" in zone)
      return Uint8Array.from(zone.ends, (ends) => (leaf.path !== name || !meets || mayBeWithin(leaf, ends) ? 1 : 0));
    const columns = this.#columnsOf(name, zone.values);
    while (columns.lacks(leaf)) {
      await columns.build(leaf, (visit) => {
        for (let i = 0; i <= zone.values.length; i++) visit(i, dataOf(name, zone.values, i));
      });
    }
    const { words } = columns.match(leaf);
    const passes = (at: number): boolean => has(words, at === MISSING ? zone.values.length : at) === meets;
    return Uint8Array.from(zone.lists, (own) => (own.some(passes) ? 1 : 0));
  }

  #columnsOf(name: string, values: readonly unknown[]): Columns {
    let columns = this.#columns.get(name);
    if (!columns) {
      columns = new Columns();
      for (let i = 0; i <= values.length; i++) columns.set(i, dataOf(name, values, i));
      this.#columns.set(name, columns);
    }
    return columns;
  }
}

function dataOf(name: string, values: readonly unknown[], i: number): Data {
  return i < values.length ? Object.fromEntries([[name, values[i]]]) : {};
}

/** Whether a list whose values lie between these ends, or are missing, may meet a leaf. */
function mayBeWithin(leaf: Leaf, ends: readonly [End, End] | null): boolean {
  if (leaf.op === "range") {
    const { side, bound } = leaf;
    if (!ends || typeof bound !== typeof ends[0]) return false;
    const [least, most] = ends;
    if (side === "$gt") return most > bound;
    if (side === "$gte") return most >= bound;
    return side === "$lt" ? least < bound : least <= bound;
  }
  if (leaf.op !== "among" || leaf.values.includes(null)) return true;
  return ends !== null && leaf.values.some((value) => typeof value === typeof ends[0] && value! >= ends[0] && value! <= ends[1]);
}
