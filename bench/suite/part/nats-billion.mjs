// What 10^9 vectors would take: from the measured time of a search of one shard at several sizes, of a message and of a merge.
//
//   shard(n)    = a + b ln n                  a, b by least squares over the sizes measured: a graph's search grows with log n
//   slowest(S)  = shard(n) * spread(S)        spread(S): the S/(S+1) quantile of measured searches over their median: of S shards, each
//                                             drawing alike, the slowest is about there
//   scatter(S)  = S * message                 message: what one shard's question and answer cost the coordinator's thread
//   query(S)    = slowest(S) + wire + scatter(S) + merge(S)
//   bytes(n)    = n * (4 d + links)           a graph of f32 with the links it has per vector, measured
//
// Not in it: caches that miss more often in larger memory, networks (`wire` is of this machine), other queries meanwhile.
import { fixed, whole } from "../../kit/result.mjs";
import { median } from "../../kit/timing.mjs";
import { quantile } from "./nats-cluster.mjs";

const VECTORS = 1e9;
const SHARDS = [16, 32, 64];

/** Least squares of y = a + b ln n. */
function fitted(points) {
  const xs = points.map(({ n }) => Math.log(n));
  const ys = points.map(({ ms }) => ms);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const b = xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i] - my), 0) / xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
  return { a: my - b * mx, b };
}

/** `points`: [{ n, ms, samples }], of a shard's search; `messageMs`, `wireMs`; `mergeMs(S)` measures; `bytes` a vector. */
export function billionTable({ points, messageMs, wireMs, mergeMs, bytes }) {
  const { a, b } = fitted(points);
  const { samples } = points.at(-1);
  const rows = SHARDS.map((shards) => {
    const n = VECTORS / shards;
    const shard = a + b * Math.log(n);
    const slowest = shard * (quantile(samples, shards / (shards + 1)) / median(samples));
    const [scatter, merge] = [shards * messageMs, mergeMs(shards)];
    const gib = (n * bytes) / 2 ** 30;
    return [
      ...[String(shards), whole(n), fixed(0)(gib), fixed(2)(shard), fixed(2)(slowest)],
      ...[fixed(2)(scatter), fixed(3)(merge), fixed(2)(slowest + wireMs + scatter + merge)],
    ];
  });
  return {
    columns: ["shards", "vectors each", "GiB each", "shard, ms", "slowest, ms", "scatter, ms", "merge, ms", "a query, ms"],
    rows,
    notes: [
      `extrapolated, not measured: shard(n) = ${a.toFixed(4)} + ${b.toFixed(4)} ln n ms, from ${points.map(({ n }) => whole(n)).join(", ")} vectors; a message ${messageMs.toFixed(3)} ms, the wire ${wireMs.toFixed(2)} ms, ${whole(bytes)} bytes a vector`,
      "assumes f32 graphs at their default ef, whose recall at that size is not known here; a machine per shard, whose memory it fits; no other load",
    ],
  };
}
