// Snapshots, and generations that take over from each other while documents are written and asked for.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { NatsConnection } from "@nats-io/nats-core";
import { Objm } from "@nats-io/obj";
import { connectCollection, type NatsCollection } from "vicinal/nats";
import { clusterStatus, createShards, dropGeneration, reshard, snapshotShards } from "vicinal/nats/cluster";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openBucket } from "../../src/nats/shard-map.js";
import { purge, readRecords } from "../../src/nats/snapshots.js";
import { expectError, thrownBy } from "../support/errors.js";
import { thorough } from "../support/thorough.js";
import { DIMENSIONS, documentsOf, FIELDS, type Made } from "./support/documents.js";
import { describeNats, pause, type ReplicaProcess, Server, until, vicinal } from "./support/server.js";

const N = thorough(400, 2000);

describeNats("generations", () => {
  let server: Server;
  let nc: NatsConnection;
  let docs: NatsCollection;
  const documents = documentsOf(N);
  const shardsOf = (shards: number, name: string): ReplicaProcess[] =>
    Array.from({ length: shards }, (_, i) => server.replica("docs", `${i}/${shards}`, `${name}-${i}`));
  const readyAll = (replicas: readonly ReplicaProcess[]) => Promise.all(replicas.map((replica) => replica.ready()));

  beforeEach(async () => {
    server = await Server.start();
    nc = await server.connect();
    await createShards(nc, { collection: "docs", dimensions: DIMENSIONS, shards: 2, fields: FIELDS });
  });
  afterEach(async () => {
    docs?.close();
    await server?.end();
  });

  async function expectAll(all: readonly Made[]): Promise<void> {
    for (let i = 0; i < all.length; i += 100) {
      const found = await Promise.all(all.slice(i, i + 100).map(({ id }) => docs.get(id, { vector: true })));
      expect(found).toEqual(all.slice(i, i + 100).map(({ id, data, vector }) => ({ id, data, vector: roughly(vector) })));
    }
    expect(await docs.count()).toBe(all.length);
  }
  /** Under cosine a vector comes back to within rounding. */
  const roughly = (vector: Float32Array) =>
    expect.toSatisfy((found: Float32Array) => found.every((x, i) => Math.abs(x - vector[i]) < 1e-6));

  it("new replicas begin from a snapshot, once the log has been purged, and so does one that was away", async () => {
    const [first, second] = shardsOf(2, "a");
    await readyAll([first, second]);
    docs = await connectCollection(nc, "docs", { within: 20_000, writeWithin: 60_000 });
    await docs.upsert(documents.slice(0, 100));
    await docs.delete(documents.slice(0, 10).map(({ id }) => id));
    const away = server.replica("docs", "0/2", "away");
    await away.ready();
    await away.stop();
    await docs.upsert(documents.slice(50, 200));
    await docs.delete(documents.slice(10, 20).map(({ id }) => id));
    const records = await snapshotShards(nc, "docs", { purge: true });
    expect(records.map(({ documents }) => documents).reduce((a, b) => a + b)).toBe(180);
    expect((await clusterStatus(nc, "docs")).log.messages).toBe(0);
    await docs.upsert(documents.slice(200, 220));
    away.begin();
    const late = shardsOf(2, "late");
    await readyAll([away, ...late]);
    await Promise.all([first.kill(), second.kill(), late[0].kill()]);
    await expectAll(documents.slice(20, 220));
    // Of each shard the last alone is in the store.
    expect(await (await new Objm(nc).open("vic-docs")).list()).toHaveLength(2);
  });

  it("a replica that was stopped while the log was purged begins from the snapshot", async () => {
    const replicas = [...shardsOf(2, "a"), ...shardsOf(2, "b")];
    await readyAll(replicas);
    docs = await connectCollection(nc, "docs", { within: 20_000, writeWithin: 60_000 });
    await docs.upsert(documents.slice(0, 50), { replicas: 2 });
    for (const stopped of replicas.slice(2)) stopped.signal("SIGSTOP");
    await docs.upsert(documents.slice(50, 150));
    const [record] = await snapshotShards(nc, "docs", { purge: true });
    expect(record.purgedMessages).toBeGreaterThan(0);
    await docs.upsert(documents.slice(150, 160));
    for (const stopped of replicas.slice(2)) stopped.signal("SIGCONT");
    await until("they have begun anew", () => replicas.slice(2).every((one) => one.said("again")));
    await readyAll(replicas.slice(2));
    await Promise.all(replicas.slice(0, 2).map((one) => one.kill()));
    await expectAll(documents.slice(0, 160));
  });

  it("a snapshot that comes between another and its purge is kept, and so is the log", async () => {
    await readyAll(shardsOf(2, "a"));
    docs = await connectCollection(nc, "docs", { within: 20_000, writeWithin: 60_000 });
    await docs.upsert(documents.slice(0, 50));
    const kv = await openBucket(nc, "docs");
    const [older] = await snapshotShards(nc, "docs");
    await docs.upsert(documents.slice(50, 100));
    const [newer] = await snapshotShards(nc, "docs");
    const { messages } = (await clusterStatus(nc, "docs")).log;
    expect(await purge(nc, kv, "docs", older, [])).toBe(0);
    expect((await readRecords(kv)).find(({ shard }) => shard === 0)).toMatchObject({ object: newer.object, purged: 0 });
    expect((await clusterStatus(nc, "docs")).log.messages).toBe(messages);
    // One is read while two more are taken: it is there until the second has been.
    expect(await (await new Objm(nc).open("vic-docs")).info(older.object)).not.toBeNull();
    // What is no record of a snapshot is passed over.
    await kv.put("snapshot.2.9", "nothing that is known");
    await kv.put("snapshot.4.1", JSON.stringify({ shard: 1, shards: 4, object: 7 }));
    const records = await snapshotShards(nc, "docs", { purge: true });
    for (const { purgedMessages } of records) expect(purgedMessages).toBeGreaterThan(0);
    expect((await clusterStatus(nc, "docs")).log.messages).toBe(0);
    await expectAll(documents.slice(0, 100));
  });

  it("a collection that could not be made leaves its name free", async () => {
    const notes = { collection: "notes", dimensions: 3, shards: 1 };
    await expectError(() => createShards(nc, { ...notes, dimensions: 0 }), "BAD_OPTION", "dimensions is 0");
    expect(await thrownBy(() => createShards(nc, { ...notes, logBytes: 2 ** 52 }))).toBeInstanceOf(Error);
    await expectError(() => connectCollection(nc, "notes"), "MISSING", "there is no collection notes");
    expect(await createShards(nc, notes)).toMatchObject({ dimensions: 3 });
  });

  it("two shards become four and again two, under load: no search fails, no write is lost", async () => {
    await readyAll(shardsOf(2, "a"));
    docs = await connectCollection(nc, "docs", { within: 20_000, writeWithin: 60_000 });
    await docs.upsert(documents.slice(0, N / 2));
    let going = true;
    let searches = 0;
    const searching = (async () => {
      for (; going; searches++) {
        const hits = await docs.search(documents[searches % (N / 2)].vector, { k: 3, select: [] });
        expect(hits[0].id).toBe(documents[searches % (N / 2)].id);
      }
    })();
    const written: Made[] = documents.slice(0, N / 2);
    const writing = (async () => {
      for (let i = N / 2; going && i < N; i += 2) {
        await docs.upsert(documents.slice(i, i + 2));
        written.push(...documents.slice(i, i + 2));
        await pause(10);
      }
    })();
    const became: string[] = [];
    const onProgress = ({ generation, shards, doing }: { generation: number; shards: number; doing: string }) => {
      const what = `${generation} ${shards} ${doing}`;
      if (became.at(-1) !== what) became.push(what);
    };
    const [map] = await Promise.all([
      reshard(nc, "docs", { shards: 4, graceMs: 500, onProgress }),
      until("it is announced", async () => (await clusterStatus(nc, "docs", { within: 1 })).map.next !== undefined).then(() =>
        readyAll(shardsOf(4, "b")),
      ),
    ]);
    expect(map).toMatchObject({ now: { generation: 2, shards: 4 } });
    await snapshotShards(nc, "docs", { purge: true });
    const again = reshard(nc, "docs", { shards: 2, index: { kind: "flat" }, graceMs: 500, onProgress });
    await until("it is announced", async () => (await clusterStatus(nc, "docs", { within: 1 })).map.next !== undefined);
    await readyAll(shardsOf(2, "c"));
    expect(await again).toMatchObject({ now: { generation: 3, shards: 2, index: { kind: "flat" } } });
    going = false;
    await Promise.all([searching, writing]);
    expect(searches).toBeGreaterThan(20);
    expect(became).toEqual([...["2 4 filling", "2 4 switched", "2 4 done"], ...["3 2 filling", "3 2 switched", "3 2 done"]]);
    await until("the generations before have ended", async () =>
      (await clusterStatus(nc, "docs")).replicas.every(({ generation }) => generation === 3),
    );
    await expectAll(written);
  });

  it("one that is under way can be dropped; the one that answers cannot", async () => {
    const replicas = shardsOf(2, "a");
    await readyAll(replicas);
    const stop = new AbortController();
    const going = reshard(nc, "docs", { shards: 4, signal: stop.signal }).catch((error) => error);
    await until("it is announced", async () => (await clusterStatus(nc, "docs", { within: 1 })).map.next !== undefined);
    const next = server.replica("docs", "3/4", "next");
    await next.ready();
    await expectError(() => reshard(nc, "docs", { shards: 8 }), "BAD_OPTION", "generation 2 of docs with 4 shards is under way");
    stop.abort(new Error("enough"));
    expect(String(await going)).toBe("Error: enough");
    await expectError(() => dropGeneration(nc, "docs", 1), "BAD_OPTION", "generation 1 of docs is the one that answers");
    await dropGeneration(nc, "docs", 2);
    await until("its replica has ended", () => next.code === 0);
    expect((await clusterStatus(nc, "docs")).map).toMatchObject({ now: { generation: 1, shards: 2 } });
    const wrong = server.replica("docs", "3/4", "wrong");
    await until("it has ended", () => wrong.code !== null);
    expect(wrong.problems).toBe("vicinal: docs has no 4 shards: generation 1 has 2\n");
  });

  it("a replica begins from a snapshot at a URL; a folder of another shard is refused, and one of another log", async () => {
    const [first] = shardsOf(2, "a");
    await first.ready();
    const one = await connectCollection(nc, "docs", { writeWithin: 60_000 });
    await readyAll([server.replica("docs", "1/2", "b")]);
    await one.upsert(documents.slice(0, 100));
    const [{ object, documents: count }] = await snapshotShards(nc, "docs", { purge: true });
    one.close();
    const store = await new Objm(nc).open("vic-docs");
    const bytes = (await store.getBlob(object)) as Uint8Array;
    const other = (from: RegExp, to: string): Buffer =>
      Buffer.from(
        Buffer.from(bytes)
          .toString("latin1")
          .replace(from, (found) => to.padEnd(found.length)),
        "latin1",
      );
    const files: Record<string, Uint8Array> = {
      ...{ "/whole": bytes, "/cut": bytes.subarray(0, -20) },
      ...{ "/part": other(/"shards":2,/, '"shards":4,'), "/old": other(/"sequence":\d+/, '"sequence":1') },
    };
    const site = createServer((request, response) => response.end(files[request.url ?? ""]));
    await new Promise<void>((resolve) => void site.listen(0, "127.0.0.1", resolve));
    try {
      const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
      const refused = {
        cut: /^vicinal: the snapshot http.*\/cut ends in the midst of it/,
        part: /^vicinal: the snapshot http.*\/part is of shard 0\/4, which is a part of 0\/2 alone/,
        old: /^vicinal: the snapshot http.*\/old ends at 1, and the log of docs begins after \d+/,
      };
      for (const [name, why] of Object.entries(refused)) {
        const one = server.replica("docs", "0/2", name, ["--snapshot", `${origin}/${name}`]);
        await until("it has ended", () => one.code !== null);
        expect(one.problems).toMatch(why);
      }
      const whole = server.replica("docs", "0/2", "whole", ["--snapshot", `${origin}/whole`]);
      await whole.ready();
      expect(await whole.stop()).toBe(0);
    } finally {
      site.close();
    }
    const stranger = server.replica("docs", "1/2", "whole");
    await until("it has ended", () => stranger.code !== null);
    expect(stranger.problems).toMatch(
      /^vicinal: folder .*whole\/g1 has shard 0\/2 of generation 1 of docs, not shard 1\/2 of generation 1/,
    );
    await first.kill();
    const again = server.replica("docs", "0/2", "whole");
    await again.ready();
    const { replicas } = await clusterStatus(nc, "docs");
    expect(replicas.find(({ shard }) => shard === 0)).toMatchObject({ size: count, state: "ready" });
  });

  it("the command line does the same", async () => {
    const flags = ["--nats", server.url];
    vicinal("cluster", "create", "notes", ...flags, "--dimensions", "3", "--shards", "1", "--field", "lang:keyword");
    expect(vicinal("cluster", "status", "notes", ...flags)).toMatch(/no replica answers for shard 0/);
    await server.replica("notes", "0/1", "notes").ready();
    const notes = await connectCollection(nc, "notes");
    await notes.upsert({ id: "a", vector: [1, 2, 3], data: { lang: "en" } });
    await until("it is told", () => / 0\/1 .* ready +1 /.test(vicinal("cluster", "status", "notes", ...flags)));
    const [record] = JSON.parse(vicinal("cluster", "snapshot", "notes", ...flags, "--purge", "--json"));
    expect(record).toMatchObject({ shard: 0, shards: 1, documents: 1, purgedMessages: 1 });
    const { replicas, log } = JSON.parse(vicinal("cluster", "status", "notes", ...flags, "--json"));
    expect(replicas).toMatchObject([{ collection: "notes", shard: 0, state: "ready", size: 1, lag: 0, poisoned: 0 }]);
    expect(log.messages).toBe(0);
    expect(vicinal("cluster", "repair", "notes", ...flags)).toBe("notes: no replica has stopped\n");
    const service = await nc.request("$SRV.INFO.vicinal", "", { timeout: 1000 });
    expect(service.json()).toMatchObject({
      ...{ type: "io.nats.micro.v1.info_response", name: "vicinal", metadata: { collection: "notes", shard: "0/1" } },
      endpoints: [{ name: "ask", subject: "vic.notes.1.s00.ask", queue_group: "replicas" }],
    });
    notes.close();
  });
});
