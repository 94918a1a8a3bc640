// The planner of filtered searches: what its choice takes, and what either way takes where there is no choice.
import { queriesOf } from "../../kit/data.mjs";
import { microseconds, Own } from "./filter-contest.mjs";

/** Of a cell, for the time it takes: a scan keeps codes for each filter. */
export const QUERIES = 20;

/** Microseconds that assembly/family/graph/costs.ts is told, of a row scanned, a row met, a hop, a code scanned. */
const FORCED = {
  walk: [1e9, 0.1, 0.5, 1e9],
  scan: [1e-9, 1e-9, 1, 1e-9],
};

/** The index as planned by itself, its steps timed anew, or as forced. */
class Planned extends Own {
  #engine;
  #costs;

  constructor(index, costs, ...own) {
    super(index, ...own);
    this.#engine = index.engine;
    this.#costs = costs;
  }

  seconds(ef, times) {
    this.#engine.timed = this.#costs !== undefined;
    if (this.#costs) this.#engine.exports.setCosts(...this.#costs);
    this.answers(ef); // the first of them times the steps
    return super.seconds(ef, times);
  }
}

/** Microseconds of a search: { own, walk, scan }. Each has filters of its own, as what one keeps would help another. */
export async function plansOf(index, set, cell, ef, rounds) {
  const queries = queriesOf(set).slice(0, QUERIES);
  const bits = cell.bits().slice(0, QUERIES);
  const filters = [];
  const side = (costs) => {
    const own = bits.map((one) => index.prepareFilter(one));
    filters.push(...own);
    return new Planned(index, costs, queries, own);
  };
  const times = await microseconds({ own: side(), walk: side(FORCED.walk), scan: side(FORCED.scan) }, queries.length, ef, rounds);
  for (const filter of filters) filter.close();
  index.engine.timed = false;
  return times;
}
