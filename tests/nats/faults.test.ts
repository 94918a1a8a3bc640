// What goes wrong while documents are written and asked for: replicas and the server are killed and stopped, messages are poisoned or
// too large, two write at once.
import type { NatsConnection } from "@nats-io/nats-core";
import type { VicinalError } from "vicinal";
import { connectCollection, type NatsCollection } from "vicinal/nats";
import { clusterStatus, createShards, type ReplicaStatus, repairShards } from "vicinal/nats/cluster";
import { afterEach, beforeEach, expect, it } from "vitest";
import { logSubject, partitionOf } from "../../src/nats/names.js";
import { thrownBy } from "../support/errors.js";
import { thorough } from "../support/thorough.js";
import { DIMENSIONS, documentsOf, FIELDS, type Made } from "./support/documents.js";
import { describeNats, pause, type ReplicaProcess, Server, until } from "./support/server.js";

const SHARDS = 2;

describeNats("two shards of two replicas", () => {
  let server: Server;
  let nc: NatsConnection;
  let docs: NatsCollection;
  let replicas: ReplicaProcess[];
  const documents = documentsOf(600);

  beforeEach(async () => {
    server = await Server.start({ config: "max_payload: 262144" });
    nc = await server.connect();
    await createShards(nc, { collection: "docs", dimensions: DIMENSIONS, shards: SHARDS, fields: FIELDS });
    replicas = Array.from({ length: 2 * SHARDS }, (_, i) => server.replica("docs", `${i % SHARDS}/${SHARDS}`, `replica-${i}`));
    await Promise.all(replicas.map((replica) => replica.ready()));
    docs = await connectCollection(nc, "docs", { within: 10_000, writeWithin: 60_000 });
  });
  afterEach(async () => {
    docs?.close();
    await server?.end();
  });

  const statuses = async (): Promise<readonly ReplicaStatus[]> => (await clusterStatus(nc, "docs")).replicas;
  /** Every replica of a shard has all of the log, and as many documents as its twin. */
  const settled = (): Promise<void> =>
    until("all replicas have all of the log", async () => {
      const all = await statuses();
      const sizes = (shard: number): number[] => all.filter((one) => one.shard === shard).map(({ size }) => size);
      const alike = [0, 1].every((shard) => sizes(shard).length === 2 && new Set(sizes(shard)).size === 1);
      return alike && all.every(({ lag, state }) => lag === 0 && state === "ready");
    });
  async function expectAll(from: NatsCollection, all: readonly Made[]): Promise<void> {
    for (let i = 0; i < all.length; i += 100) {
      const found = await Promise.all(all.slice(i, i + 100).map(({ id }) => from.get(id, { vector: false })));
      expect(found.map((one) => one?.data)).toEqual(all.slice(i, i + 100).map(({ data }) => data));
    }
    expect(await from.count()).toBe(all.length);
  }

  /** Searches and writes, one after the other, until it is told to stop; none may fail. */
  function load(): { stop(): Promise<{ searches: number; written: Made[] }> } {
    let going = true;
    const written: Made[] = [];
    const searching = (async () => {
      let searches = 0;
      for (; going; searches++) await docs.search(documents[searches % documents.length].vector, { k: 5 });
      return searches;
    })();
    const writing = (async () => {
      for (let i = 0; going && i < documents.length; i += 5) {
        await docs.upsert(documents.slice(i, i + 5));
        written.push(...documents.slice(i, i + 5));
        await pause(20);
      }
    })();
    return {
      async stop() {
        going = false;
        await writing;
        return { searches: await searching, written };
      },
    };
  }

  it("a replica of every shard is killed in turn and comes back: nothing fails, nothing is missing", async () => {
    const loading = load();
    for (const replica of replicas.slice(0, thorough(SHARDS, replicas.length))) {
      await pause(200);
      await replica.kill();
      await pause(400);
      replica.begin();
      await replica.ready();
    }
    const { searches, written } = await loading.stop();
    expect(searches).toBeGreaterThan(50);
    await settled();
    await expectAll(docs, written);
  });

  it("the server is killed and comes back: what was acknowledged is there, and writes under way end well", async () => {
    const loading = load();
    await pause(300);
    await server.kill();
    await pause(500);
    await server.begin();
    await pause(1000);
    const { written } = await loading.stop();
    expect(written.length).toBeGreaterThan(20);
    await settled();
    await expectAll(docs, written);
  });

  it("a replica is stopped: the other answers in its place, and it catches up", async () => {
    replicas[0].signal("SIGSTOP");
    const loading = load();
    await pause(3000);
    const { searches, written } = await loading.stop();
    expect(searches).toBeGreaterThan(50);
    replicas[0].signal("SIGCONT");
    await settled();
    await expectAll(docs, written);
    expect(docs.stats().hedged).toBeGreaterThan(0);
  });

  it("both replicas of a shard are gone: a search says which shard, one that may be partial has the rest", async () => {
    await docs.upsert(documents.slice(0, 100));
    await Promise.all([replicas[1].kill(), replicas[3].kill()]);
    const failed = (await thrownBy(() => docs.search(documents[0].vector, { within: 500 }))) as VicinalError;
    expect(failed.code).toBe("NO_ANSWER");
    expect(failed.message).toMatch(/^shard 1 of docs .* within 500 ms/);
    const { hits, partial, missing } = await docs.searchPartial(documents[0].vector, { k: 100, within: 500 });
    expect({ partial, missing }).toEqual({ partial: true, missing: [1] });
    expect(hits.length).toBe((await statuses()).find(({ shard }) => shard === 0)?.size);
    replicas[1].begin();
    await replicas[1].ready();
    expect((await docs.searchPartial(documents[0].vector, { k: 100 })).partial).toBe(false);
  });

  it("poisoned messages are passed over by all replicas alike, counted and told", async () => {
    await docs.upsert(documents.slice(0, 50));
    const poison = [
      new Uint8Array(0),
      new TextEncoder().encode("nothing that is known"),
      new Uint8Array([255, 255, 255, 127, 0, 0]),
    ];
    for (let partition = 0; partition < 2; partition++)
      for (const payload of poison) await nc.request(logSubject("docs", partition), payload);
    // Of another partition than its id's.
    const stray = { what: "remove", ids: [documents[0].id] };
    const json = new TextEncoder().encode(JSON.stringify(stray));
    const parcel = new Uint8Array(4 + json.length);
    parcel[0] = json.length;
    parcel.set(json, 4);
    await nc.request(logSubject("docs", (partitionOf(documents[0].id) + 2) % 64), parcel);
    await docs.upsert(documents.slice(50, 100), { replicas: 2 });
    await settled();
    await expectAll(docs, documents.slice(0, 100));
    const counts = [0, 1].map((shard) => (partitionOf(documents[0].id) % 2 === shard ? 4 : 3));
    for (const { shard, poisoned, poison: last } of await statuses()) {
      expect(poisoned).toBe(counts[shard]);
      expect(last).toMatch(/^message \d+: /);
    }
  });

  it("what is larger than a message may be is cut; one document alone is refused with its size", async () => {
    const long = documents.slice(0, 60).map((one) => ({ ...one, data: { ...one.data, text: "x".repeat(20_000) } }));
    await docs.upsert(long, { replicas: 2 });
    expect(await docs.count()).toBe(60);
    const huge = { ...documents[0], data: { text: "x".repeat(300_000) } };
    const refused = (await thrownBy(() => docs.upsert(huge))) as VicinalError;
    expect(refused.code).toBe("TOO_LARGE");
    expect(refused.message).toMatch(/^documents\[0\] is about \d+ bytes in a message, more than the 258048 /);
    // Answers of many queries are asked for in parts, one alone is refused.
    const queries = documents.slice(0, 40).map(({ vector }) => vector);
    expect((await docs.searchBatch(queries, { k: 5 })).map((hits) => hits.length)).toEqual(queries.map(() => 5));
    expect(((await thrownBy(() => docs.search(queries[0], { k: 40 }))) as VicinalError).code).toBe("TOO_LARGE");
    expect(await docs.search(queries[0], { k: 40, select: ["year"] })).toHaveLength(40);
  });

  it("the server's disk goes back to what it was: replicas answer, take nothing that they cannot trust, and say so", async () => {
    await docs.upsert(documents.slice(0, 60), { replicas: 2 });
    await server.kill();
    const before = server.copyLog();
    await server.begin();
    await docs.upsert(documents.slice(60, 120), { replicas: 2 });
    await server.kill();
    server.putBack(before);
    await server.begin();
    await until(
      "all replicas have stopped",
      async () => (await statuses().catch(() => [])).filter(({ state }) => state === "stopped").length === 4,
    );
    for (const { problem } of await statuses())
      expect(problem).toMatch(/^the log ends at \d+, where message \d+, [\w-]+, was read: the server has lost/);
    await expectAll(docs, documents.slice(0, 120));
    const failed = (await thrownBy(() => docs.upsert(documents.slice(120, 180), { within: 3000 }))) as VicinalError;
    expect(failed.code).toBe("NO_ANSWER");
    expect(failed.message).toMatch(/ is in the log, and durable with 0 replicas of the 1 asked for within 3000 ms$/);
    // Nothing of it is lost: not what the log has no more, nor what it got since.
    const repaired = await repairShards(nc, "docs");
    expect(repaired.map(({ shard, anew }) => ({ shard, anew: anew.length }))).toEqual(
      [0, 1].map((shard) => ({ shard, anew: 1 })),
    );
    await settled();
    await expectAll(docs, documents.slice(0, 180));
    await Promise.all(repaired.map(async ({ shard }) => replicas[shard].kill()));
    await docs.upsert(documents.slice(180, 190));
    await expectAll(docs, documents.slice(0, 190));
  });

  it("of two writers the one whose message is later in the log has the last word, on every replica", async () => {
    const other = await connectCollection(await server.connect(), "docs", { writeWithin: 60_000 });
    const ids = documents.slice(0, 40);
    const write = async (from: NatsCollection, name: string): Promise<void> => {
      for (let round = 0; round < 10; round++)
        await from.upsert(ids.map((one) => ({ ...one, data: { ...one.data, lang: name, year: round } })));
    };
    await Promise.all([write(docs, "first"), write(other, "second")]);
    await settled();
    // Each replica alone: its twin is stopped.
    const seen: unknown[][] = [];
    for (const twin of [0, 2]) {
      for (const replica of replicas.slice(twin, twin + 2)) replica.signal("SIGSTOP");
      seen.push((await Promise.all(ids.map(({ id }) => docs.get(id)))).map((one) => one?.data));
      for (const replica of replicas.slice(twin, twin + 2)) replica.signal("SIGCONT");
    }
    expect(seen[0]).toEqual(seen[1]);
    for (const data of seen[0]) expect((data as { year: number }).year).toBe(9);
    other.close();
  });

  it("a question that asks for writes waits for them, in another process too", async () => {
    const other = await connectCollection(await server.connect(), "docs", { readYourWrites: true });
    for (let i = 0; i < 20; i++) {
      const written = await docs.upsert({ ...documents[i], data: { ...documents[i].data, year: i } }, { replicas: 1 });
      expect((await other.get(documents[i].id, { written: JSON.parse(JSON.stringify(written)) }))?.data.year).toBe(i);
      await other.update({ id: documents[i].id, data: { year: i + 100 } });
      expect((await other.get(documents[i].id))?.data.year).toBe(i + 100);
    }
    other.close();
  });
});
