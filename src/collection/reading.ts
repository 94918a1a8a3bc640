// The data of documents, from memory or from files; and what of it is wanted.
import { badOption, show, VicinalError } from "../words/errors.js";
import { type Body, readBody } from "./body.js";
import type { Documents } from "./documents.js";
import type { Files } from "./files.js";
import type { Spot } from "./places.js";

/** A document's data, as JSON.parse makes it. */
export type Data = Record<string, unknown>;

export class Reading {
  constructor(
    readonly documents: Documents,
    readonly files: Files,
  ) {}

  /** The JSON of slots that have documents now, whatever becomes of them until it is read. */
  texts(slots: readonly number[]): string[] | Promise<string[]> {
    const texts = slots.map((slot) => this.documents.texts.get(slot));
    if (texts.every((text) => text !== undefined)) return texts as string[];
    // All reads begin in this turn: a file is not removed before those that were asked for have ended.
    return Promise.all(slots.map((slot, i) => texts[i] ?? this.#text(slot)));
  }

  async #text(slot: number): Promise<string> {
    const { places, texts } = this.documents;
    const spot = places.at(slot) as Spot;
    const { text } = readBody(await this.files.body(spot));
    if (places.isAt(slot, spot)) texts.put(slot, text);
    return text;
  }

  /** The body in a slot, read from its file. */
  async body(slot: number): Promise<Body> {
    return readBody(await this.files.body(this.documents.places.at(slot) as Spot));
  }
}

/** Takes of a document's data what `select` names. */
export type Selection = (data: Data) => Data;

/** `select` of a search or a scan: undefined for all of the data, [] for none. */
export function selectionOf(select: unknown): Selection | undefined {
  if (select === undefined) return undefined;
  if (!Array.isArray(select) || select.some((path) => typeof path !== "string" || path === "")) {
    throw badOption(`select is ${show(select)}; it must be an array of paths such as ["title", "author.name"]`);
  }
  const paths = select.map((path: string) => path.split("."));
  return (data) => {
    const selected: Data = {};
    for (const path of paths) copyPath(data, selected, path, 0);
    return selected;
  };
}

function copyPath(from: Data, to: Data, path: readonly string[], depth: number): void {
  const name = path[depth];
  if (!Object.hasOwn(from, name)) return;
  const value = from[name];
  if (depth === path.length - 1) define(to, name, value);
  else if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    if (!Object.hasOwn(to, name)) define(to, name, {});
    copyPath(value as Data, to[name] as Data, path, depth + 1);
  }
}

/** Also a name that means something else in an assignment: __proto__. */
function define(to: Data, name: string, value: unknown): void {
  Object.defineProperty(to, name, { value, writable: true, enumerable: true, configurable: true });
}

export function closed(place: string): VicinalError {
  return new VicinalError("CLOSED", `the collection in ${place} is closed`);
}
