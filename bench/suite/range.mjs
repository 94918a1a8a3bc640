// Published indices on a plain web server: what a query costs that is the first after open, what opening costs, and what it finds. Two real
// sets, a made one of a million vectors, conditions on fields, and the same from a page in Chromium where there is one.
import { existsSync } from "node:fs";
import { Flat } from "vicinal";
import { Collection } from "vicinal/collection";
import { publish, RangeIndex } from "vicinal/range";
import { memory } from "vicinal/storage";
import { CHROMIUM } from "../kit/chromium.mjs";
import { loadSet, queriesOf, recall } from "../kit/data.mjs";
import { MADE, made, madeSet } from "../kit/made-set.mjs";
import { limitOr, quick, sets } from "../kit/options.mjs";
import { atLeast, atMost, finish, fixed, whole } from "../kit/result.mjs";
import { serveFiles } from "../kit/static-host.mjs";
import { median } from "../kit/timing.mjs";
import { pageResult } from "./part/range-page.mjs";

const QUERIES = quick ? 20 : 200;
const FAR_QUERIES = quick ? 5 : 40;
const RTT_MS = 40;
const NAMES = sets ?? ["gutenberg-sif-160", "minilm-mix-384", MADE];
/** Of the page: this one. */
const SHOWN = "minilm-mix-384";

const say = (text) => process.stderr.write(`${text}\n`);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const p95 = (values) => values.toSorted((a, b) => a - b)[Math.floor(0.95 * (values.length - 1))];
const kilobytes = (bytes) => whole(bytes / 1000);

const setOf = (name) =>
  name === MADE ? made(Math.min(limitOr(20_000), 1_000_000), QUERIES) : loadSet(name, { limit: limitOr(5000), queries: QUERIES });

/** Each query by an index of its own, just opened. */
async function cold(url, queries, options) {
  const work = [];
  const found = [];
  for (const query of queries) {
    const index = await RangeIndex.open(url);
    found.push((await index.search(query, { k: 10, select: [], ...options })).map(({ id }) => id));
    work.push(index.lastStats);
    index.close();
  }
  return { work, found };
}

/** Milliseconds of cold queries to a server that is so far away, opening apart. */
async function far(files, queries) {
  const host = await serveFiles(files, { delayMs: RTT_MS });
  const took = [];
  for (const query of queries) {
    const index = await RangeIndex.open(host.url);
    const start = performance.now();
    await index.search(query, { k: 10, select: [] });
    took.push(performance.now() - start);
    index.close();
  }
  host.close();
  return median(took);
}

const filesOf = (published) => new Map(Array.from(published.files, ([name, bytes]) => [`/${name}`, bytes]));

async function measured(set) {
  const { name, metric, n, d, base } = set;
  say(`${name}: ${n} x ${d}`);
  const flat = await Flat.create({ dimensions: d, metric });
  await flat.addAll(base);
  const queries = queriesOf(set);
  const truth = set.truth ?? flat.searchBatch(set.queries, { k: 10 }).ids;
  const start = performance.now();
  const published = await publish(flat);
  const seconds = (performance.now() - start) / 1000;
  flat.close();
  const files = filesOf(published);
  const host = await serveFiles(files);
  const { work, found } = await cold(host.url, queries);
  const warm = await RangeIndex.open(host.url);
  for (const query of queries) await warm.search(query, { k: 10, select: [] });
  const session = warm.stats().fetchedBytes / queries.length;
  warm.close();
  host.close();
  return {
    ...{ name, n, d, published, files, seconds, session, queries },
    recall: recall(found, truth),
    bytes: work.map((one) => one.bytes),
    requests: work.map((one) => one.requests),
    rounds: Math.max(...work.map((one) => one.rounds)),
    farMs: await far(files, queries.slice(0, FAR_QUERIES)),
  };
}

/** Documents of which fewer and fewer meet a condition. */
async function conditions() {
  const n = Math.min(limitOr(4000), 20_000);
  const d = 64;
  say(`conditions: ${n} documents`);
  const row = madeSet({ d, clusters: 60 });
  const docs = await Collection.open({ storage: memory(), dimensions: d, metric: "l2", fields: { n: "number" } });
  const vectorOf = (i) => {
    const vector = new Float32Array(d);
    row(i, vector, 0);
    return vector;
  };
  for (let from = 0; from < n; from += 1000) {
    await docs.upsert(
      Array.from({ length: 1000 }, (_, i) => ({ id: from + i, vector: vectorOf(from + i), data: { n: (from + i) % 1000 } })),
    );
  }
  const host = await serveFiles(filesOf(await publish(docs, { pageKib: 16 })));
  const queries = Array.from({ length: quick ? 5 : 50 }, (_, i) => vectorOf(n + i));
  const rows = [];
  for (const passing of [1000, 500, 100, 10, 1]) {
    const where = { n: { $lt: passing } };
    const { work, found } = await cold(host.url, queries, { where });
    let hits = 0;
    let wanted = 0;
    for (const [i, query] of queries.entries()) {
      const truth = new Set((await docs.search(query, { k: 10, where, exact: true, select: [] })).map(({ id }) => id));
      wanted += truth.size;
      for (const id of found[i]) hits += truth.has(id) ? 1 : 0;
    }
    const mostRounds = Math.max(...work.map((one) => one.rounds));
    rows.push([
      `${fixed(1)(passing / 10)} %`,
      fixed(3)(hits / wanted),
      fixed(1)(mean(work.map((one) => one.requests))),
      kilobytes(mean(work.map((one) => one.bytes))),
      mostRounds,
    ]);
  }
  host.close();
  await docs.close();
  return { columns: [`${whole(n)} x ${d}, passing`, "recall@10", "requests", "KB", "rounds, at most"], rows };
}

const all = [];
let page;
for (const name of NAMES) {
  const set = setOf(name);
  if (!set) continue;
  const result = await measured(set);
  if (name === SHOWN && existsSync(CHROMIUM)) {
    say("a page in Chromium");
    page = await pageResult(result.files, result.queries.slice(0, FAR_QUERIES));
  }
  all.push({ ...result, files: undefined, queries: undefined, published: { ...result.published, files: undefined } });
}

const gatesOf = ({ name, recall: found, bytes, requests, rounds, published }) => [
  atLeast(`${name}: recall@10 of a cold query`, found, 0.95, fixed(3)),
  ...(name === MADE
    ? [atMost(`${name}: MB of a cold query`, mean(bytes) / 1e6, 1.5, fixed(2))]
    : [
        atMost(`${name}: MB of a cold query`, mean(bytes) / 1e6, 0.8, fixed(2)),
        atMost(`${name}: requests of a cold query, at most`, Math.max(...requests), 20, whole),
        atMost(`${name}: rounds of a cold query, at most`, rounds, 2, whole),
        atMost(`${name}: MB of opening`, published.headBytes / 1e6, 0.6, fixed(2)),
      ]),
];

finish("range", {
  tables: {
    range: {
      columns: [
        "cold query, k 10",
        "recall@10",
        "requests",
        "KB",
        "KB, p95",
        "rounds",
        `ms at ${RTT_MS} ms`,
        "KB a query, one visit",
        "open KB",
        "all MB",
        "publish s",
      ],
      rows: all.map(({ name, n, d, recall: found, requests, bytes, rounds, farMs, session, published, seconds }) => [
        `${name}, ${whole(n)} x ${d}`,
        ...[fixed(3)(found), fixed(1)(mean(requests)), kilobytes(mean(bytes)), kilobytes(p95(bytes)), rounds, whole(farMs)],
        ...[
          kilobytes(session),
          kilobytes(published.headBytes),
          fixed(1)((published.headBytes + published.dataBytes) / 1e6),
          whole(seconds),
        ],
      ]),
    },
    "range-where": sets ? { columns: [], rows: [] } : await conditions(),
    "range-page": {
      columns: ["a page in Chromium", "open ms", "cold query ms", "warm query ms", "requests", "KB"],
      rows: page
        ? [[SHOWN, ...[page.open, page.cold, page.warm].map(fixed(1)), fixed(1)(page.requests), kilobytes(page.bytes)]]
        : [],
    },
  },
  gates: all.flatMap(gatesOf),
  data: { all, page },
});
