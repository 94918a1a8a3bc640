// A million vectors: how soon a graph with fastScan is built by one thread and by two, how much memory that takes meanwhile, and what it
// finds; beside native hnswlib.
import { Flat } from "vicinal";
import { queriesOf } from "../kit/data.mjs";
import { made } from "../kit/made-set.mjs";
import { limitOr, quick } from "../kit/options.mjs";
import { atLeast, atMost, finish, fixed, times, whole } from "../kit/result.mjs";
import { contest, peer } from "./part/hnsw-contest.mjs";

const N = Math.min(limitOr(20_000), 1_000_000);
const QUERIES = quick ? 50 : 500;
const K = 10;
const EFS = [20, 40, 80];
const ONE = "fastScan";
const TWO = "fastScan, 2 threads";
const OURS = {
  [ONE]: { variant: "relaxed", options: { fastScan: true } },
  [TWO]: { variant: "relaxed", options: { fastScan: true, threads: 2 } },
};

const set = made(N, QUERIES);
const exact = await Flat.create({ dimensions: set.d, metric: set.metric });
exact.add(set.base);
set.truth = exact.searchBatch(queriesOf(set), { k: K }).ids;
exact.close();
const { native, ...ours } = await contest(set, OURS, { runs: { curve: { k: K, efs: EFS } }, rounds: 1 });

const row = (name, { seconds, bytes, peak, curve }) => [
  name,
  fixed(1)(seconds),
  times(native.seconds / seconds),
  whole(bytes),
  peak ? times(peak) : "",
  ...curve.flatMap(({ recall, qps }) => [recall.toFixed(4), whole(qps)]),
];
finish("million", {
  tables: {
    million: {
      columns: [
        ...[`${whole(N)} x ${set.d}, l2`, "build s", "/ hnswlib", "bytes per vector", "peak / end"],
        ...EFS.flatMap((ef) => [`recall, ef ${ef}`, "QPS"]),
      ],
      rows: [row("hnswlib", native), ...Object.entries(ours).map((one) => row(...one))],
    },
  },
  gates: [
    atLeast(`build of ${whole(N)} x ${set.d}: speed / hnswlib's`, native.seconds / ours[ONE].seconds, 4.75),
    atLeast(`build of ${whole(N)} x ${set.d}: two threads / one`, ours[ONE].seconds / ours[TWO].seconds, 1.7),
    atMost(`build of ${whole(N)} x ${set.d}: most memory / that of the end`, Math.max(ours[ONE].peak, ours[TWO].peak), 1.15),
  ],
  data: { peer, native, ours },
});
