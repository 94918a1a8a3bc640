// The curse of dimensionality: of uniform data, the share of its leaves that an exact search of a k-d tree must look at,
// and what that does to its speed beside a scan.
import { Flat, KdTree } from "vicinal";
import { quick, roundsOr } from "../../kit/options.mjs";
import { K, searchSeconds } from "../../kit/queries.mjs";
import { fixed, times, whole } from "../../kit/result.mjs";
import { interleave, median } from "../../kit/timing.mjs";

const DIMENSIONS = [2, 4, 8, 16, 32];
const ROWS = quick ? 5000 : 50_000;
const QUERIES = quick ? 20 : 200;
const ROUNDS = roundsOr(5, 2);

function uniform(count, seed) {
  let state = seed;
  return Float32Array.from({ length: count }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
}

async function built(Index, dimensions, base) {
  const index = await Index.create({ dimensions, metric: "l2" });
  index.add(base);
  return index;
}

async function measure(d) {
  process.stderr.write(`k-d tree, ${d} dimensions\n`);
  const base = uniform(ROWS * d, 1);
  const queries = Array.from({ length: QUERIES }, (_, i) => uniform(d, 1000 + i));
  const [tree, flat] = [await built(KdTree, d, base), await built(Flat, d, base)];
  let visited = 0;
  for (const query of queries) {
    const distances = (index) => index.search(query, { k: K }).map(({ distance }) => distance.toPrecision(5));
    const [ours, right] = [distances(tree), distances(flat)];
    if (ours.join() !== right.join()) throw new Error(`k-d tree, ${d} dimensions: finds ${ours}, a scan finds ${right}`);
    visited += tree.lastStats.visited;
  }
  const speed = (index) => () => QUERIES / searchSeconds(index, queries, {}, QUERIES);
  const samples = await interleave(ROUNDS, { tree: speed(tree), flat: speed(flat) });
  const share = visited / QUERIES / tree.stats().leaves;
  for (const index of [tree, flat]) index.close();
  return { d, share, tree: median(samples.tree), flat: median(samples.flat) };
}

export async function dimensionTable() {
  const data = [];
  for (const d of DIMENSIONS) data.push(await measure(d));
  return {
    data,
    table: {
      columns: ["dimensions", "leaves visited", "KdTree QPS", "Flat QPS", "KdTree / Flat"],
      rows: data.map(({ d, share, tree, flat }) => [
        d,
        `${fixed(2)(100 * share)} %`,
        whole(tree),
        whole(flat),
        times(tree / flat),
      ]),
    },
  };
}
