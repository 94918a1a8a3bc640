// What the benches take on the command line. `--quick` is a smoke run: little data, few rounds, numbers of no worth.
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true }, // run.mjs: these benches
    peer: { type: "string", multiple: true }, // peers.mjs: these beside vicinal
    set: { type: "string", multiple: true }, // these data sets, where a bench has several
    factory: { type: "string" }, // reference.mjs: rows that this regular expression finds
    metric: { type: "string" }, // hnsw.mjs, families.mjs, peers.mjs: where a set has ground truth for several
    limit: { type: "string" }, // so many base vectors
    rounds: { type: "string" },
    draws: { type: "string" }, // hard.mjs: so many sets of each kind
    run: { type: "boolean", default: false }, // browser.mjs: in a headless Chromium
  },
});

const count = (text) => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new Error(`${text} is not a positive integer`);
  return n;
};

export const { quick, only, run, peer: peers, set: sets, metric, factory } = values;
/** A run that is not the whole measurement: its results never reach bench/README.md. */
export const partial = quick || [values.limit, values.rounds, values.draws, factory, peers].some((value) => value !== undefined);
/** Base vectors to take, `few` of them in a quick run. */
export const limitOr = (few) => (values.limit ? count(values.limit) : quick ? few : Infinity);
export const drawsOr = (full, few) => (values.draws ? count(values.draws) : quick ? few : full);
export const roundsOr = (full, few) => (values.rounds ? count(values.rounds) : quick ? few : full);
