// What passes, query by query, and who are then the true neighbours: by plain arithmetic over all distances.

import { queriesOf, ranker } from "../../kit/data.mjs";
import { K } from "../../kit/queries.mjs";

export const SHARES = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001];
/** Which rows pass: of each kind, how a mask (a byte per row) comes to have its share, for query `q` whose rows are in `order`. */
const MASKS = {
  independent: (mask, share, q) => mask.map((_, id) => chance(id, q) < share),
  near: (mask, share, _, order) => markAll(mask, order.subarray(0, count(mask, share))),
  far: (mask, share, _, order) => markAll(mask, order.subarray(mask.length - count(mask, share))),
  "a and b": (mask, share, q) =>
    mask.map((_, id) => chance(id, 2 * q + 1) < share ** 0.5 && chance(id, -2 * q - 1) < share ** 0.5),
};
export const KINDS = Object.keys(MASKS);

const count = (mask, share) => Math.max(1, Math.round(mask.length * share));

function markAll(mask, ids) {
  for (const id of ids) mask[id] = 1;
  return mask;
}

/** In 0 to 1, of nothing but the two numbers: the finaliser of MurmurHash3. */
export function chance(id, salt) {
  let h = Math.imul(id ^ Math.imul(salt, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return ((h ^ (h >>> 13)) >>> 0) / 2 ** 32;
}

/** All rows as each query sees them: { far: a number by id that grows with the distance, order: ids, nearest first }. */
export function viewsOf(set) {
  const rank = ranker(set.metric, set.base, set.d);
  return queriesOf(set).map((query) => {
    const far = rank(query);
    return { far, order: Uint32Array.from(far, (_, id) => id).sort((a, b) => far[a] - far[b] || a - b) };
  });
}

/** One kind of mask at one share, for all queries. */
export class Cell {
  #views;
  /** One after another, a byte per row. */
  masks;

  constructor(views, kind, share) {
    const n = views[0].far.length;
    this.queries = views.length;
    this.kind = kind;
    this.share = share;
    this.masks = new Uint8Array(views.length * n);
    this.#views = views.map(({ far, order }, q) => {
      const mask = MASKS[kind](new Uint8Array(n), share, q, order);
      this.masks.set(mask, q * n);
      const wanted = order.filter((id) => mask[id]).subarray(0, K);
      return { far, mask, wanted: wanted.length, last: far[wanted.at(-1)] };
    });
  }

  /** For each query, bit i & 7 of byte i >> 3 for row i. */
  bits() {
    return this.#views.map(({ mask }) => {
      const bits = new Uint8Array((mask.length + 7) >> 3);
      mask.forEach((passes, id) => {
        bits[id >> 3] |= passes << (id & 7);
      });
      return bits;
    });
  }

  /** Of the true neighbours among what passes, the share that was found: equal distances are as good. */
  recall(found) {
    const right = this.#views.map(({ far, mask, last }, q) => found[q].filter((id) => mask[id] && far[id] <= last).length);
    const sum = (values) => values.reduce((total, one) => total + one, 0);
    return sum(right) / sum(this.#views.map(({ wanted }) => wanted));
  }
}
