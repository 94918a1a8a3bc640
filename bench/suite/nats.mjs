// Shards and replicas over NATS: what scattering and gathering adds to the slowest shard, recall beside one collection, replicas killed
// under load, four shards becoming eight under load, and what 10^9 vectors would take. All on 127.0.0.1.
import os from "node:os";
import { Hnsw } from "vicinal";
import { Collection } from "vicinal/collection";
import { connectCollection } from "vicinal/nats";
import { clusterStatus, createShards, reshard } from "vicinal/nats/cluster";
import { memory } from "vicinal/storage";
import { mergeHits } from "../kit/engine.mjs";
import { limitOr, quick } from "../kit/options.mjs";
import { atLeast, atMost, finish, fixed, times, whole } from "../kit/result.mjs";
import { median } from "../kit/timing.mjs";
import { DIMENSIONS, FIELDS, madeDocuments } from "./part/collection-documents.mjs";
import { billionTable } from "./part/nats-billion.mjs";
import { pause, quantile, startServer, thereIsNats, traffic } from "./part/nats-cluster.mjs";

const N = Math.min(limitOr(2000), 20_000);
const QUERIES = quick ? 100 : 1000;
const SHARDS = 4;
const K = 10;
const RATE = 200;
const say = (text) => process.stderr.write(`${text}\n`);

if (!thereIsNats) {
  say("nats: SKIPPED, there is no nats-server. NATS_SERVER names it.");
  process.exit(0);
}

const { documents, queries } = madeDocuments(2 * N, QUERIES);
const first = documents.slice(0, N);
const server = await startServer();
const { nc } = server;
const replicas = [];
/** Two replicas of every shard, started one after the other, as they share the machine. */
async function grow(shards, name) {
  for (let i = 0; i < 2 * shards; i++) {
    const replica = server.replica("docs", `${i % shards}/${shards}`, `${name}-${i}`);
    replicas.push(replica);
    await replica.ready();
  }
}
/** Every replica has all of the log, and its vectors are in their places. */
async function settled(generation) {
  for (;;) {
    const all = (await clusterStatus(nc, "docs")).replicas.filter((one) => one.generation === generation);
    if (all.length > 0 && all.every(({ lag, tiers }) => lag === 0 && tiers.doing === "idle")) return all;
    await pause(250);
  }
}

say(`${N} documents into ${SHARDS} shards of two replicas`);
await createShards(nc, { collection: "docs", dimensions: DIMENSIONS, shards: SHARDS, fields: FIELDS });
await grow(SHARDS, "a");
const docs = await connectCollection(nc, "docs", { within: 10_000, writeWithin: 100_000 });
const start = performance.now();
for (let i = 0; i < N; i += 1000) await docs.upsert(first.slice(i, i + 1000));
const written = (performance.now() - start) / 1000;
await settled(1);
const whole1 = await Collection.open({ storage: memory(), dimensions: DIMENSIONS, fields: FIELDS });
await whole1.upsert(first);
while (whole1.health.doing !== "idle") await pause(50);

say("recall beside one collection");
let [ours, theirs, same, apart] = [0, 0, 0, 0];
for (const vector of queries) {
  const exact = await whole1.search(vector, { k: K, exact: true, select: [] });
  const truth = new Set(exact.map(({ id }) => id));
  const share = (hits) => hits.filter(({ id }) => truth.has(id)).length / K;
  ours += share(await docs.search(vector, { k: K, select: [] })) / QUERIES;
  theirs += share(await whole1.search(vector, { k: K, select: [] })) / QUERIES;
  const scattered = await docs.search(vector, { k: K, exact: true, select: [] });
  if (scattered.every(({ id }, i) => id === exact[i].id)) same++;
  scattered.forEach(({ distance }, i) => {
    apart = Math.max(apart, Math.abs(distance - exact[i].distance));
  });
}

say("scatter and gather");
const alone = [];
for (const vector of [...queries, ...queries]) {
  const began = performance.now();
  await docs.search(vector, { k: K, select: [] });
  alone.push(performance.now() - began);
}
const answered = docs.stats().p50Ms;
const slowest = Math.max(...(await clusterStatus(nc, "docs")).replicas.map(({ p50Ms }) => p50Ms));
const rtts = [];
nc.subscribe("vic.bench.echo", { callback: (_, message) => message.respond(message.data) });
for (let i = 0; i < 500; i++) {
  const began = performance.now();
  await nc.request("vic.bench.echo", new Uint8Array(4 * DIMENSIONS), { timeout: 1000 });
  rtts.push(performance.now() - began);
}
const lists = (shards) =>
  Array.from({ length: shards }, (_, s) =>
    Array.from({ length: K }, (_, i) => ({ id: `document-${s}-${i}`, distance: i + s / 100 })),
  );
function mergeMs(shards) {
  const some = lists(shards);
  const rounds = 2000;
  for (let i = 0; i < rounds; i++) mergeHits(some, K);
  const began = performance.now();
  for (let i = 0; i < rounds; i++) mergeHits(some, K);
  return (performance.now() - began) / rounds;
}
const [p50, rtt] = [median(alone), median(rtts)];
// The coordinator's own work for one question to one shard and its answer: its thread is asked many at once.
const many = 200;
const cpu = process.cpuUsage();
for (let i = 0; i < many; i++) await docs.search(queries[i % QUERIES], { k: K, select: [] });
const spent = process.cpuUsage(cpu);
const messageMs = (spent.user + spent.system) / 1000 / many / SHARDS;

say("replicas are killed under load");
const search = (i) => docs.search(queries[i % QUERIES], { k: K, select: [] });
const load = traffic(RATE, search);
await pause(quick ? 2000 : 8000);
const calm = load.taken.map(({ ms }) => ms);
const killsBegin = performance.now();
const returns = [];
/** When replicas were gone, and when they started on the cores that the others answer on. */
const [gone, starting] = [[], []];
let next = N;
const writes = traffic(10, () => docs.upsert(documents[next++]));
for (let shard = 0; shard < SHARDS; shard++) {
  const killed = performance.now();
  await replicas[shard].kill();
  await pause(1500);
  replicas[shard].begin();
  const began = performance.now();
  gone.push([killed, began]);
  await replicas[shard].ready();
  for (;;) {
    const twins = (await clusterStatus(nc, "docs")).replicas.filter((one) => one.shard === shard);
    if (twins.length === 2 && twins.every(({ lag, state }) => lag === 0 && state === "ready")) break;
    await pause(100);
  }
  returns.push((performance.now() - began) / 1000);
  starting.push([began, performance.now()]);
}
await Promise.all([load.stop(), writes.stop()]);
const during = load.taken.filter(({ at }) => at >= killsBegin).map(({ ms }) => ms);
const within = (spans) => load.taken.filter(({ at }) => spans.some(([from, to]) => at >= from && at < to)).map(({ ms }) => ms);
const [calm99, kill99] = [quantile(calm, 0.99), quantile(during, 0.99)];
const missing = async (upTo) => {
  let lost = 0;
  for (const { id } of documents.slice(0, upTo)) if (!(await docs.has(id))) lost++;
  return lost + Math.abs((await docs.count()) - upTo);
};
const lostByKills = await missing(next);

say("four shards become eight under load");
const more = traffic(RATE / 4, search);
const moreWrites = traffic(10, () => docs.upsert(documents[next++]));
const [switched] = await Promise.all([
  reshard(nc, "docs", { shards: 2 * SHARDS, graceMs: 3000 }),
  pause(500).then(() => grow(2 * SHARDS, "b")),
]);
await pause(1000);
await Promise.all([more.stop(), moreWrites.stop()]);
await settled(switched.now.generation);
const lostBySwitch = await missing(next);

say("shards of other sizes");
const sizes = quick ? [500, 1000] : [5000, 10_000, 20_000];
const points = [];
for (const n of sizes) {
  const index = await Hnsw.create({ dimensions: DIMENSIONS });
  await index.addAll(first.slice(0, n).map(({ vector }) => vector));
  const samples = [];
  for (const vector of [...queries, ...queries]) {
    const began = performance.now();
    index.search(vector, { k: K });
    samples.push(performance.now() - began);
  }
  const ours = samples.slice(QUERIES);
  points.push({ n, ms: median(ours), samples: ours, bytes: index.toBytes().length });
  index.close();
}
const billion = billionTable({ points, messageMs, wireMs: rtt, mergeMs, bytes: points.at(-1).bytes / sizes.at(-1) });

docs.close();
await whole1.close();
await server.end();

const errors = [...load.errors, ...writes.errors, ...more.errors, ...moreWrites.errors];
for (const error of errors.slice(0, 5)) say(String(error));
const ms = fixed(2);
finish("nats", {
  tables: {
    "nats-search": {
      columns: [`${whole(N)} x ${DIMENSIONS}, ${SHARDS} shards of 2 replicas, k ${K}`, "p50, ms"],
      rows: [
        ["a search, from call to hits", ms(p50)],
        ["the slowest shard's search, in its replica, waiting included", ms(slowest)],
        ["what scattering and gathering adds", ms(p50 - slowest)],
        ["of it: a message of a query's size there and back, to this process", ms(rtt)],
        ["of it: a shard's answer as the coordinator sees it, less its search", ms(answered - slowest)],
        ["of it: the merge", fixed(4)(mergeMs(SHARDS))],
        ["the coordinator's processor, a shard's question and answer", fixed(3)(messageMs)],
      ],
      notes: [
        `exact answers: the same ids in the same order for ${whole(same)} of ${whole(QUERIES)} queries, distances at most ${apart.toExponential(1)} apart; recall of approximate ones ${ours.toFixed(4)}, of one collection ${theirs.toFixed(4)}`,
        `${whole(N / written)} documents a second written in batches of 1000, each durable with a replica`,
      ],
    },
    "nats-faults": {
      columns: ["", "searches", "failed", "p50, ms", "p99, ms", "documents lost"],
      rows: [
        [`${RATE} searches a second`, whole(calm.length), "0", ms(median(calm)), ms(calm99), "-"],
        [
          "a replica of every shard killed in turn",
          whole(during.length),
          whole(load.errors.length),
          ms(median(during)),
          ms(kill99),
          whole(lostByKills),
        ],
        [
          "of these while one is gone",
          whole(within(gone).length),
          "",
          ms(median(within(gone))),
          ms(quantile(within(gone), 0.99)),
          "",
        ],
        [
          "of these while one starts, on the same cores",
          whole(within(starting).length),
          "",
          ms(median(within(starting))),
          ms(quantile(within(starting), 0.99)),
          "",
        ],
        [
          `4 shards become 8, at ${RATE / 4} a second`,
          whole(more.taken.length),
          whole(more.errors.length),
          ms(median(more.taken.map(({ ms }) => ms))),
          ms(
            quantile(
              more.taken.map(({ ms }) => ms),
              0.99,
            ),
          ),
          whole(lostBySwitch),
        ],
      ],
      notes: [
        `all processes share ${os.availableParallelism()} cores: ${2 * SHARDS} replicas, and ${4 * SHARDS} more that start, one after the other, while 4 shards become 8`,
        `killed replicas had all of the log again ${returns.map((s) => s.toFixed(1)).join(", ")} s after they were started`,
      ],
    },
    "nats-billion": billion,
  },
  gates: [
    atMost("scatter and gather over the slowest shard, p50, ms", p50 - slowest, 3, fixed(2)),
    atLeast("exact queries answered as by one collection, share", same / QUERIES, 1, fixed(4)),
    atLeast("recall of 4 shards / of one collection", ours / theirs, 1, fixed(4)),
    atMost("failed searches, replicas killed", load.errors.length, 0, whole),
    atMost("p99 of a search, replicas killed / calm", kill99 / calm99, 5, times),
    atMost("seconds until a killed replica has all of the log", Math.max(...returns), 10, fixed(1)),
    atMost("documents lost, replicas killed", lostByKills, 0, whole),
    atMost("failed searches, 4 shards become 8", more.errors.length, 0, whole),
    atMost("documents lost, 4 shards become 8", lostBySwitch, 0, whole),
    atMost("failed writes", writes.errors.length + moreWrites.errors.length, 0, whole),
  ],
  data: { calm, during, returns, ours, theirs, points: points.map(({ n, ms, bytes }) => ({ n, ms, bytes })), messageMs, rtt },
});
