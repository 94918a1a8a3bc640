// What goes wrong while documents are written and asked for: replicas and the server are killed and stopped, messages are poisoned or
// too large, two write at once.
import { headers, type NatsConnection } from "@nats-io/nats-core";
import type { VicinalError } from "vicinal";
import { connectCollection, type NatsCollection } from "vicinal/nats";
import { clusterStatus, createShards, type ReplicaStatus, repairShards } from "vicinal/nats/cluster";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Alive } from "../../src/nats/alive.js";
import { messagesOf } from "../../src/nats/changes.js";
import { logSubject, partitionOf } from "../../src/nats/names.js";
import { pack, unpack } from "../../src/nats/parcel.js";
import { Writing } from "../../src/nats/writing.js";
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
  function load(): { readonly written: readonly Made[]; stop(): Promise<{ searches: number; written: Made[] }> } {
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
      written,
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
    await until("documents are written after it", () => loading.written.length > 20);
    const { written } = await loading.stop();
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
    // One that is started on that log answers as well.
    await replicas[3].stop();
    replicas[3].begin();
    await replicas[3].ready();
    // Nothing of it is lost: not what the log has no more, nor what it got since.
    replicas[0].signal("SIGSTOP");
    const repaired = await repairShards(nc, "docs");
    expect(repaired.map(({ shard, anew }) => ({ shard, anew: anew.length }))).toEqual(
      [0, 1].map((shard) => ({ shard, anew: shard })),
    );
    // Nor what was acknowledged before one that was away is back, which then follows.
    await docs.upsert(documents.slice(190, 200));
    replicas[0].signal("SIGCONT");
    await until("it has stopped", async () => (await statuses()).some(({ state }) => state === "stopped"));
    expect((await repairShards(nc, "docs")).map(({ shard, anew }) => ({ shard, anew: anew.length }))).toEqual([
      { shard: 0, anew: 1 },
    ]);
    await settled();
    await docs.delete(documents.slice(190, 200).map(({ id }) => id));
    await expectAll(docs, documents.slice(0, 180));
    await Promise.all(repaired.map(async ({ shard }) => replicas[shard].kill()));
    await docs.upsert(documents.slice(180, 190));
    await expectAll(docs, documents.slice(0, 190));
  });

  it("what names another subject than an inbox is told nothing there, and replicas go on", async () => {
    const told: string[] = [];
    nc.subscribe("told.>", { callback: (_, message) => void told.push(message.subject) });
    const to = headers();
    for (const name of ["told.ack", "told.by an ack", "told.*"]) {
      to.set("Vic-Ack", name);
      for (let partition = 0; partition < 2; partition++)
        await nc.request(logSubject("docs", partition), new Uint8Array(0), { headers: to, timeout: 5000 });
    }
    nc.publish("vic.docs.1.s00.ask", pack({ ask: { call: "count" }, within: 1000 }), { reply: "told.answer" });
    nc.publish("$SRV.PING", "", { reply: "told.ping" });
    const nothing = await nc.request("vic.docs.1.s00.ask", pack(null), { timeout: 5000 });
    expect(unpack(nothing.data).value).toMatchObject({ error: { code: "BAD_OPTION" } });
    await docs.upsert(documents.slice(0, 20), { replicas: 2 });
    expect(await docs.count()).toBe(20);
    expect(told).toEqual([]);
  });

  it("a refused write whose acknowledgement was lost is refused, after a restart of its replicas too", async () => {
    // As a writer that hears no acknowledgements: only what replicas tell of themselves.
    const alive = new Alive(nc, "docs", 1);
    const writing = new Writing(
      nc,
      "docs",
      () => false,
      async (partition) => {
        alive.refresh();
        await pause(200);
        return alive.of(partition % SHARDS).filter(({ ready }) => ready);
      },
    );
    const wrong = documents
      .slice(0, 1)
      .map(({ id, vector }) => ({ id, vector: new Uint8Array(vector.buffer), data: { year: "soon" } }));
    const messages = messagesOf("put", wrong, 10_000);
    const written = (): Promise<unknown> => thrownBy(() => writing.write(messages, { replicas: 1, within: 20_000 }));
    expect(((await written()) as VicinalError).code).toBe("BAD_FIELD");
    const going = written();
    await pause(100);
    for (const replica of replicas) {
      await replica.stop();
      replica.begin();
    }
    expect(((await going) as VicinalError).code).toBe("BAD_FIELD");
    alive.close();
    writing.close();
  });

  it("closing ends what waits to be written, and a write is not kept behind another for longer than it has", async () => {
    await Promise.all(replicas.map((replica) => replica.kill()));
    const one = await connectCollection(nc, "docs");
    const waits = thrownBy(() => one.upsert(documents[0], { within: 60_000 }));
    await pause(100);
    one.close();
    expect(((await waits) as VicinalError).code).toBe("CLOSED");
    await server.kill();
    const other = docs;
    const long = thrownBy(() => other.upsert(documents[0], { within: 60_000 }));
    expect(((await thrownBy(() => other.upsert(documents[0], { within: 300 }))) as VicinalError).code).toBe("NO_ANSWER");
    docs.close();
    expect(((await long) as VicinalError).code).toBe("CLOSED");
  });

  it("questions that wait for a write keep nobody else waiting", async () => {
    await docs.upsert(documents.slice(0, 20), { replicas: 2 });
    const written = { count: 0, sequences: { 0: 1e6, 1: 1e6 } };
    const behind = Array.from({ length: 8 }, () => thrownBy(() => docs.count({ written, within: 4000 })));
    await pause(200);
    expect(await docs.count({ within: 1500 })).toBe(20);
    for (const one of behind) expect(((await one) as VicinalError).code).toBe("NO_ANSWER");
  });

  it("long ids are removed by conditions; a document of nearly a message is taken", async () => {
    const long = Array.from({ length: 1500 }, (_, i) => ({ ...documents[0], id: `${"x".repeat(400)}${i}` }));
    await docs.upsert(long, { replicas: 2 });
    expect((await docs.delete({ where: {} }, { replicas: 2 })).count).toBe(1500);
    expect(await docs.count()).toBe(0);
    await docs.upsert({ ...documents[0], data: { text: "x".repeat(250_000) } }, { replicas: 2 });
    expect(await docs.count()).toBe(1);
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

describeNats("a server without JetStream", () => {
  it("is waited for by a replica, which says so once and ends when it is told to", async () => {
    const server = await Server.start({ jetstream: false });
    try {
      const replica = server.replica("docs", "0/1", "waits");
      await until("it says why", () => replica.said("waits"));
      expect(await replica.stop()).toBe(0);
      expect(replica.problems).toBe("");
    } finally {
      await server.end();
    }
  });
});
