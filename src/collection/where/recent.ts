// What has been parsed of late: to see that a where is one of these takes a tenth of the time of parsing it again.
import type { Expression } from "./expression.js";
import { isDate, isPlain } from "./json.js";

/** A program asks the same few questions again and again. */
const MOST = 16;
/** Characters of a key: longer ones are of lists, of which a few would take much memory. */
const LONGEST = 10_000;

interface Known {
  /** A copy: the caller may change its own. */
  readonly where: unknown;
  readonly expression: Expression;
}

export class Recent {
  /** The latest first. */
  readonly #known: Known[] = [];

  find(where: unknown): Expression | undefined {
    const at = this.#known.findIndex((one) => same(where, one.where));
    if (at < 0) return undefined;
    const found = this.#known[at];
    if (at > 0) {
      this.#known.splice(at, 1);
      this.#known.unshift(found);
    }
    return found.expression;
  }

  /** The where must have been parsed, so that it holds nothing but JSON and Dates. */
  add(where: unknown, expression: Expression): void {
    if (expression.key.length > LONGEST) return;
    this.#known.unshift({ where: copy(where), expression });
    if (this.#known.length > MOST) this.#known.pop();
  }
}

function copy(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(copy);
  if (isDate(value)) return new Date(value);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copy(member)]));
}

/** Whether they are the same, also in the order of their members; the second is a copy. */
function same(given: unknown, known: unknown): boolean {
  if (given === null || typeof given !== "object" || known === null || typeof known !== "object") return given === known;
  if (Array.isArray(known))
    return Array.isArray(given) && given.length === known.length && known.every((one, i) => same(given[i], one));
  if (isDate(known)) return isDate(given) && given.getTime() === known.getTime();
  if (!isPlain(given)) return false;
  const names = Object.keys(given);
  const wanted = Object.keys(known);
  if (names.length !== wanted.length) return false;
  return wanted.every((name, i) => names[i] === name && same(given[name], (known as Record<string, unknown>)[name]));
}
