// The planner of filtered searches: what its choice takes, and what either way takes where there is no choice.
import { queriesOf } from "../../kit/data.mjs";
import { microseconds, Own } from "./filter-contest.mjs";

/** Of a cell, for the time it takes: codes are kept for each filter. */
const QUERIES = 20;

/** Microseconds that assembly/family/graph/costs.ts is to go by, of a row scanned, a row met, a hop, a code scanned. */
const FORCED = {
  walk: [1e9, 0.1, 0.5, 1e9],
  scan: [1e-6, 1e-9, 1, 1e-9], // by codes, where a filter keeps some
};
export const WAYS = Object.keys(FORCED);

/** The low memory of an instance, which has all that an index keeps beside its vectors (assembly/memory/arena.ts). */
const RECORDS_WORDS = 1024;

/** Where the engine keeps its four costs: setCosts holds them within a quarter of what it assumes and four times that. */
function costsAt(engine) {
  const told = (cost) => {
    engine.exports.setCosts(cost, cost, cost, cost);
    return engine.f32().slice(0, RECORDS_WORDS);
  };
  const [low, high] = [told(0), told(Number.POSITIVE_INFINITY)];
  const at = low.findIndex((_, at) => [0, 1, 2, 3].every((i) => low[at + i] > 0 && high[at + i] === 16 * low[at + i]));
  if (at < 0) throw new Error("the costs of assembly/family/graph/costs.ts are not where they were");
  return at;
}

/** The index as planned by itself, its steps timed anew, or as forced. */
class Planned extends Own {
  #engine;
  #costs;
  #at;

  constructor(index, costs, ...own) {
    super(index, ...own);
    this.#engine = index.engine;
    this.#costs = costs;
    this.#at = costsAt(index.engine);
  }

  seconds(ef, times) {
    this.#engine.timed = this.#costs !== undefined;
    if (this.#costs) this.#engine.f32().set(this.#costs, this.#at);
    this.answers(ef); // the first of them times the steps
    return super.seconds(ef, times);
  }
}

/**
 * Microseconds of a search by its own plan and by either way: { own, walk, scan }. Each has filters of its own, as what one keeps would
 * help another.
 */
export async function plansOf(index, set, cell, ef, rounds) {
  const queries = queriesOf(set).slice(0, QUERIES);
  const bits = cell.bits().slice(0, QUERIES);
  const filters = [];
  const side = (costs) => {
    const own = bits.map((one) => index.prepareFilter(one));
    filters.push(...own);
    return new Planned(index, costs, queries, own);
  };
  const forced = Object.fromEntries(WAYS.map((way) => [way, side(FORCED[way])]));
  const times = await microseconds({ own: side(), ...forced }, queries.length, ef, rounds);
  for (const filter of filters) filter.close();
  index.engine.timed = false;
  return times;
}
