// What searches of a published index do that say nothing: the least that finds enough of the true neighbours of some of its own vectors,
// measured on what is about to be published.
import type { Flat } from "../family/flat.js";
import type { Head, Places, Span } from "./format.js";
import type { Lists } from "./lists.js";
import { chosenOf, joined, REQUESTS } from "./spans.js";

const K = 10;
/** Vectors that are searched for. */
const JUDGES = 200;
const PROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512];
const CANDIDATES = [10, 12, 16, 20, 25, 30, 40, 50, 60, 80, 120, 160, 240];
/** What a request costs beside its bytes, in bytes. */
const REQUEST_BYTES = 8192;

export interface Effort {
  readonly nprobe: number;
  readonly candidates: number;
  readonly recall: number;
  readonly judges: number;
}

const costOf = (spans: readonly Span[]): number => spans.reduce((sum, { from, to }) => sum + to - from + REQUEST_BYTES, 0);

/** `numbers`: of each place the number of its vector in `rows`. All lists are here. */
export function measureEffort(
  head: Head,
  places: Places,
  lists: Lists,
  rows: Flat,
  numbers: Uint32Array,
  wanted: number,
): Effort {
  const n = numbers.length;
  const k = Math.min(K, n - 1);
  const most = Math.min(CANDIDATES[CANDIDATES.length - 1], n);
  const judges = k > 0 ? Array.from({ length: Math.min(JUDGES, n) }, (_, i) => Math.floor((i * n) / Math.min(JUDGES, n))) : [];
  const probes = [...PROBES.filter((probe) => probe < head.lists.length), head.lists.length];
  const candidates = [...CANDIDATES.filter((one) => one < most), most];
  // Sums over the judges, per probe and number of candidates.
  const found = probes.map(() => new Float64Array(candidates.length));
  const cost = probes.map(() => new Float64Array(candidates.length));
  for (const judge of judges) {
    const vector = rows.get(judge) as Float32Array;
    const truth = new Set(
      rows
        .search(vector, { k: k + 1 })
        .map(({ id }) => id)
        .filter((id) => id !== judge)
        .slice(0, k),
    );
    const query = lists.query(vector);
    const order = lists.nearest(query).filter((list) => head.lists[list].documents > 0);
    for (const [p, probe] of probes.entries()) {
      const chosen = chosenOf(places, head.lists, order, probe, most);
      const nominated = lists.nominate(query, chosen.lists, Math.min(most + 1, n)).filter((place) => numbers[place] !== judge);
      const codes = costOf(chosen.spans);
      let hits = 0;
      let at = 0;
      for (const [c, count] of candidates.entries()) {
        for (; at < Math.min(count, nominated.length); at++) hits += truth.has(numbers[nominated[at]]) ? 1 : 0;
        const records = nominated
          .slice(0, count)
          .sort((a, b) => a - b)
          .map((place) => places.record(place));
        found[p][c] += hits;
        cost[p][c] += codes + costOf(joined(records, REQUESTS));
      }
    }
  }
  const recallAt = (p: number, c: number): number => (judges.length ? found[p][c] / (judges.length * k) : 1);
  let best = { p: probes.length - 1, c: candidates.length - 1 };
  for (const p of probes.keys()) {
    for (const c of candidates.keys()) {
      if (recallAt(p, c) >= wanted && cost[p][c] < cost[best.p][best.c]) best = { p, c };
    }
  }
  return { nprobe: probes[best.p], candidates: candidates[best.c], recall: recallAt(best.p, best.c), judges: judges.length };
}
