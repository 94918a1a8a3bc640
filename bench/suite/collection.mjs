// Collections: searches beside those of a bare index, durable changes beside addAll and the medium's fsyncs, opening beside
// load(), memory, disk, searches while vectors move to the main tier, and conditions on fields. On a folder of the system's
// temporary files.
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hnsw, load } from "vicinal";
import { Collection } from "vicinal/collection";
import { folder } from "vicinal/storage/node";
import { limitOr, quick, roundsOr } from "../kit/options.mjs";
import { atLeast, atMost, finish, fixed, times, whole } from "../kit/result.mjs";
import { interleave, median, seconds } from "../kit/timing.mjs";
import { DIMENSIONS, FIELDS, madeDocuments, meets, WHERE } from "./part/collection-documents.mjs";
import { whereTable } from "./part/where.mjs";

const N = Math.min(limitOr(8000), 100_000);
const QUERIES = quick ? 100 : 500;
const ROUNDS = roundsOr(7, 2);
const BATCH = 1000;
const K = 10;

const say = (text) => process.stderr.write(`${text}\n`);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const percentile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];

async function settled(collection) {
  for (;;) {
    const { fresh, doing, problem } = collection.health;
    if (problem) throw new Error(problem);
    if (fresh === 0 && doing === "idle") return;
    await pause(20);
  }
}

/** Syncs of a file that grows by so many bytes each, a second. */
function fsyncsPerSecond(path, bytes, rounds = 200) {
  const file = openSync(path, "a");
  const block = Buffer.alloc(bytes, 1);
  const start = performance.now();
  for (let i = 0; i < rounds; i++) {
    writeSync(file, block);
    fsyncSync(file);
  }
  closeSync(file);
  return (1000 * rounds) / (performance.now() - start);
}

const root = mkdtempSync(join(tmpdir(), "vicinal-bench-"));
const { documents, queries } = madeDocuments(N, QUERIES);
const vectors = documents.map(({ vector }) => vector);
const path = join(root, "main");
const open = () => Collection.open({ storage: folder(path), dimensions: DIMENSIONS, fields: FIELDS });

say(`${N} documents into a collection, batches of ${BATCH}`);
let collection = await open();
const written = await seconds(async () => {
  for (let i = 0; i < N; i += BATCH) await collection.upsert(documents.slice(i, i + BATCH));
});
const merged = written + (await seconds(() => settled(collection)));
say("and into a bare index");
const bare = await Hnsw.create({ dimensions: DIMENSIONS });
const added = await seconds(() => bare.addAll(vectors));

say("one by one, as the medium syncs");
const single = quick ? 50 : 300;
const one = await seconds(async () => {
  for (let i = 0; i < single; i++) await collection.upsert(documents[i]);
});
const recordBytes = DIMENSIONS * 4 + 180;
const fsyncs = fsyncsPerSecond(join(root, "syncs"), recordBytes);
const many = await seconds(() => Promise.all(documents.slice(0, 5 * single).map((document) => collection.upsert(document))));
await settled(collection);

say("searches");
const prepared = bare.prepareFilter((id) => meets(documents[id].data));
const each = (search) => async () => {
  const start = performance.now();
  for (const query of queries) await search(query);
  return (1000 * queries.length) / (performance.now() - start);
};
const contenders = {
  bare: each((query) => bare.search(query, { k: K })),
  collection: each((query) => collection.search(query, { k: K, select: [] })),
  data: each((query) => collection.search(query, { k: K })),
  prepared: each((query) => bare.search(query, { k: K, filter: prepared })),
  where: each((query) => collection.search(query, { k: K, select: [], where: WHERE })),
};
await interleave(1, contenders);
const samples = await interleave(ROUNDS, contenders);
const ratio = (a, b) => median(samples[a].map((value, i) => value / samples[b][i]));
const qps = (name) => median(samples[name]);

say("searches while vectors move");
/**
 * Searches at moments that do not depend on what else goes on, a few milliseconds apart: the milliseconds each took, and those since
 * the timer was due that it waited for.
 */
async function latencies(milliseconds) {
  const taken = [];
  const end = performance.now() + milliseconds;
  for (let i = 0; performance.now() < end; i++) {
    const due = performance.now() + 2;
    await pause(2);
    const start = performance.now();
    await collection.search(queries[i % QUERIES], { k: K, select: [] });
    const now = performance.now();
    taken.push({ search: now - start, sinceDue: now - due });
  }
  return taken;
}
const idle = await latencies(quick ? 300 : 3000);
const moving = [];
const until = performance.now() + (quick ? 500 : 8000);
while (performance.now() < until) {
  const from = Math.floor(Math.random() * Math.max(N - BATCH, 1));
  await collection.upsert(documents.slice(from, from + BATCH));
  while (collection.health.fresh > 0 && performance.now() < until) moving.push(...(await latencies(50)));
}
await settled(collection);

say("snapshot and opening");
const stats = await collection.stats();
const snapshot = await seconds(() => collection.snapshot());
const disk = (await collection.stats()).disk.bytes;
await collection.close();
const file = bare.toBytes();
const opening = await interleave(ROUNDS, {
  open: async () => {
    const took = await seconds(async () => {
      collection = await open();
    });
    await collection.close();
    return took;
  },
  load: () => seconds(async () => (await load(file)).close()),
});
const openRatio = median(opening.open.map((took, i) => took / opening.load[i]));
rmSync(root, { recursive: true });
const where = whereTable();

const memory = stats.memory.documentBytes / N;
const p99Of = (what) =>
  [idle, moving].map((list) =>
    percentile(
      list.map((one) => one[what]),
      0.99,
    ),
  );
const [p99, p99SinceDue] = [p99Of("search"), p99Of("sinceDue")];
finish("collection", {
  tables: {
    "collection-search": {
      columns: [`${whole(N)} x ${DIMENSIONS}, k ${K}`, "QPS", "to the index"],
      rows: [
        ["Hnsw.search", whole(qps("bare")), "-"],
        ["collection.search, no data", whole(qps("collection")), times(ratio("collection", "bare"))],
        ["collection.search, all data", whole(qps("data")), times(ratio("data", "bare"))],
        ["Hnsw.search, prepared filter", whole(qps("prepared")), "-"],
        ["collection.search, where, no data", whole(qps("where")), times(ratio("where", "prepared"))],
      ],
    },
    "collection-work": {
      columns: ["", "", ""],
      rows: [
        [`upserts in batches of ${BATCH}, durable, a second`, whole(N / written), `found by a scan until they have moved`],
        [
          "the same, with the main tier built, a second",
          whole(N / merged),
          `${times(added / merged)} of addAll's ${whole(N / added)}`,
        ],
        [
          "upserts one by one, durable, a second",
          whole(single / one),
          `${times(single / one / fsyncs)} of the medium's ${whole(fsyncs)} syncs`,
        ],
        ["upserts one by one, nobody waiting, a second", whole((5 * single) / many), "one sync for many"],
        ["p99 of a search, idle / while vectors move, ms", `${fixed(2)(p99[0])} / ${fixed(2)(p99[1])}`, times(p99[1] / p99[0])],
        [
          "the same with the wait for its turn, ms",
          p99SinceDue.map(fixed(2)).join(" / "),
          times(p99SinceDue[1] / p99SinceDue[0]),
        ],
        ["snapshot, s", fixed(2)(snapshot), ""],
        ["open, ms", fixed(0)(1000 * median(opening.open)), `${times(openRatio)} of load()`],
        ["memory beside the indices, bytes a document", fixed(0)(memory), ""],
        ["disk, bytes a document", fixed(0)(disk / N), `${times(disk / file.length)} of the bare index's file`],
      ],
    },
    "collection-where": where.table,
  },
  gates: [
    atLeast("collection.search / Hnsw.search", ratio("collection", "bare"), 0.85),
    atLeast("collection.search with where / with a prepared filter", ratio("where", "prepared"), 0.85),
    atLeast("durable upserts in batches, main tier built / addAll", added / merged, 0.7),
    atLeast("durable upserts one by one / syncs of the medium", single / one / fsyncs, 0.7),
    atMost("p99 of a search while vectors move / idle", p99[1] / p99[0], 2),
    atMost("open / load", openRatio, 2.5),
    atMost("memory beside the indices, bytes a document", memory, 120, fixed(0)),
    ...where.gates,
  ],
  data: { samples, opening, stats },
});
