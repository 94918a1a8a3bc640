// Four shards of two replicas answer as one collection does.

import type { NatsConnection } from "@nats-io/nats-core";
import type { ErrorCode, VicinalError } from "vicinal";
import { Collection, type DocumentHit } from "vicinal/collection";
import { doctor, tune } from "vicinal/guide";
import { connectCollection, type NatsCollection } from "vicinal/nats";
import { clusterStatus, createShards } from "vicinal/nats/cluster";
import { memory } from "vicinal/storage";
import { afterAll, beforeAll, expect, it } from "vitest";
import { thrownBy } from "../support/errors.js";
import { thorough } from "../support/thorough.js";
import { DIMENSIONS, documentsOf, FIELDS, queriesOf } from "./support/documents.js";
import { describeNats, pause, Server, until } from "./support/server.js";

const SHARDS = 4;
const N = thorough(1500, 6000);
const QUERIES = thorough(400, 10_000);
const BATCH = 50;

const codeOf = async (call: () => Promise<unknown>): Promise<ErrorCode | undefined> =>
  ((await thrownBy(call)) as VicinalError | undefined)?.code;

describeNats("four shards of two replicas", () => {
  let server: Server;
  let nc: NatsConnection;
  let shards: NatsCollection;
  let whole: Collection;
  const documents = documentsOf(N);

  beforeAll(async () => {
    server = await Server.start();
    nc = await server.connect();
    await createShards(nc, { collection: "docs", dimensions: DIMENSIONS, shards: SHARDS, fields: FIELDS });
    const replicas = Array.from({ length: 2 * SHARDS }, (_, i) =>
      server.replica("docs", `${i % SHARDS}/${SHARDS}`, `replica-${i}`),
    );
    await Promise.all(replicas.map((replica) => replica.ready()));
    shards = await connectCollection(nc, "docs", { within: 20_000, writeWithin: 60_000, replicas: 2 });
    whole = await Collection.open({ storage: memory(), dimensions: DIMENSIONS, fields: FIELDS });
    const { count } = await shards.upsert(documents);
    expect(count).toBe(N);
    await whole.upsert(documents);
  });
  afterAll(async () => {
    shards?.close();
    await whole?.close();
    await server?.end();
  });

  it("to tune() and doctor() too", async () => {
    const { findings, recall } = await doctor(shards, { sample: 30, filters: [{ lang: "en" }] });
    expect(findings.filter(({ severity }) => severity === "problem")).toEqual([]);
    expect(recall.recall).toBeGreaterThan(0.9);
    const found = await tune(shards, { sample: 30, recall: 0.9 });
    expect(found.choice.reached).toBe(true);
    expect(await found.search(documents[0].vector, { k: 3, recall: 0.9 })).toHaveLength(3);
    expect(found.effort()).toEqual({ ef: found.choice.effort });
  });

  it(`to ${QUERIES} exact queries, most with conditions, exactly the same`, async () => {
    const queries = queriesOf(QUERIES);
    const answer = async (from: NatsCollection | Collection): Promise<DocumentHit[][]> => {
      const all: DocumentHit[][] = [];
      for (let i = 0; i < queries.length; i += BATCH) {
        const some = queries.slice(i, i + BATCH);
        all.push(...(await Promise.all(some.map(({ vector, options }) => from.search(vector, { ...options, exact: true })))));
      }
      return all;
    };
    const [ours, theirs] = [await answer(shards), await answer(whole)];
    expect(ours).toEqual(theirs);
    expect(theirs.filter((hits) => hits.length > 0).length).toBeGreaterThan(QUERIES / 2);
  });

  it("to approximate queries no worse", async () => {
    let [ours, theirs] = [0, 0];
    for (const { vector } of queriesOf(200, 4)) {
      const truth = new Set((await whole.search(vector, { exact: true, select: [] })).map(({ id }) => id));
      const found = (hits: DocumentHit[]): number => hits.filter(({ id }) => truth.has(id)).length;
      ours += found(await shards.search(vector, { select: [] }));
      theirs += found(await whole.search(vector, { select: [] }));
    }
    expect(ours).toBeGreaterThanOrEqual(theirs);
  });

  it("many at once, within a radius, and what a second opinion says of them", async () => {
    const queries = queriesOf(100, 3).map(({ vector }) => vector);
    const where = { lang: "en" };
    const options = { k: 7, where, exact: true };
    expect(await shards.searchBatch(queries, options)).toEqual(await whole.searchBatch(queries, options));
    const radius = { radius: 0.6, exact: true, select: [] };
    const near = await whole.search(queries[0], radius);
    expect(near.length).toBeGreaterThan(10);
    expect(await shards.search(queries[0], radius)).toEqual(near);
    const rescore = (hits: DocumentHit[]) => hits.map(({ data }) => data?.group as number);
    const rescored = { k: 5, candidates: 40, rescore, exact: true };
    expect(await shards.search(queries[0], rescored)).toEqual(await whole.search(queries[0], rescored));
  });

  it("documents by id, and how many there are", async () => {
    for (const { id } of documents.slice(0, 20)) expect(await shards.get(id)).toEqual(await whole.get(id));
    expect(await shards.get("nobody")).toBeUndefined();
    expect(await shards.has(documents[1].id)).toBe(true);
    expect(await shards.get(documents[1].id, { vector: false })).toEqual(await whole.get(documents[1].id, { vector: false }));
    const where = { year: { $lt: 2000 } };
    expect(await shards.count({ where })).toBe(await whole.count({ where }));
    expect(await shards.count()).toBe(N);
    await until("the size is told", () => shards.size === N);
  });

  it("what is changed, and removed by ids and by conditions", async () => {
    const patches = documents.slice(0, 100).map(({ id }, i) => ({ id, data: { year: 1900 + i } }));
    const missing = { id: "nobody", data: { year: 1 } };
    expect((await shards.update([...patches, missing])).count).toBe(100);
    await whole.update(patches);
    const ids = documents.slice(50, 60).map(({ id }) => id);
    expect((await shards.delete([...ids, "nobody"])).count).toBe(10);
    await whole.delete(ids);
    const where = { year: { $lt: 1920 } };
    expect((await shards.delete({ where })).count).toBe(await whole.delete({ where }));
    await shards.upsert({ ...documents[55], data: { year: 1 } });
    await whole.upsert({ ...documents[55], data: { year: 1 } });
    const query = documents[55].vector;
    expect(await shards.search(query, { k: 100, exact: true })).toEqual(await whole.search(query, { k: 100, exact: true }));
    expect(await shards.count()).toBe(whole.size);
  });

  it("refuses what a collection refuses, before anything is written", async () => {
    const { vector } = documents[0];
    const messages = (await clusterStatus(nc, "docs", { within: 1 })).log.last;
    const refused: [ErrorCode, () => Promise<unknown>][] = [
      ["BAD_DIMENSION", () => shards.upsert({ id: 1, vector: [1, 2] })],
      ["NOT_FINITE", () => shards.upsert({ id: 1, vector: Array.from(vector, (x, i) => (i === 3 ? Number.NaN : x)) })],
      ["BAD_ID", () => shards.upsert({ id: 1.5, vector })],
      ["DUPLICATE_ID", () => shards.upsert([{ id: 1, vector }, { id: 1, vector }])], // biome-ignore format: a line each
      ["BAD_OPTION", () => shards.upsert({ id: 1, vector, text: "both" })],
      ["BAD_OPTION", () => shards.search("text without embed")],
      ["BAD_OPTION", () => shards.search(vector, { k: 0 })],
      ["BAD_OPTION", () => shards.search(vector, { after: { id: 1, distance: 1 } } as never)],
      ["BAD_WHERE", () => shards.search(vector, { where: { year: { $near: 1 } } as never })],
      ["BAD_DIMENSION", () => shards.search([1, 2])],
      ["BAD_WHERE", () => shards.delete({ where: { lang: undefined } as never })],
      ["BAD_WHERE", () => shards.delete({ where: null as never })],
      ["BAD_WHERE", () => shards.count({ where: { lang: undefined } as never })],
      ["BAD_WHERE", () => shards.count({ where: null as never })],
      ["BAD_WHERE", () => shards.search(vector, { where: { lang: undefined } as never })],
      ["BAD_OPTION", () => shards.get(1, { signal: "soon" as never })],
      ["TOO_LARGE", () => shards.count({ where: { lang: "x".repeat(2 << 20) } })],
    ];
    for (const [code, call] of refused) expect(await codeOf(call), String(call)).toBe(code);
    expect((await clusterStatus(nc, "docs", { within: 1 })).log.last).toBe(messages);
  });

  it("a signal that is aborted before or meanwhile is what a call ends with", async () => {
    const unhandled: unknown[] = [];
    const hear = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", hear);
    const aborted = AbortSignal.abort(new Error("enough"));
    const calls = [
      (signal: AbortSignal) => shards.get(documents[0].id, { signal, within: 1 }),
      (signal: AbortSignal) => shards.count({ signal, within: 1 }),
      (signal: AbortSignal) => shards.search(documents[0].vector, { signal, within: 1 }),
    ];
    for (const call of calls) {
      expect(String(await thrownBy(() => call(aborted)))).toBe("Error: enough");
      const stop = new AbortController();
      const going = thrownBy(() => call(stop.signal));
      stop.abort(new Error("enough"));
      expect(String(await going)).toBe("Error: enough");
    }
    await pause(50);
    process.off("unhandledRejection", hear);
    expect(unhandled).toEqual([]);
  });

  it("a field that is declared otherwise is refused by replicas, which go on", async () => {
    const { vector } = documents[0];
    expect(await codeOf(() => shards.upsert({ id: "year", vector, data: { year: "soon" } }))).toBe("BAD_FIELD");
    expect(await shards.has("year")).toBe(false);
    await shards.upsert({ id: "year", vector, data: { year: 2000 } });
    expect((await shards.get("year"))?.data).toEqual({ year: 2000 });
    await shards.delete("year");
  });

  it("one that is closed says so", async () => {
    const other = await connectCollection(nc, "docs");
    expect(await other.count()).toBeGreaterThan(0);
    other.close();
    expect(await codeOf(() => other.count())).toBe("CLOSED");
    expect(await codeOf(() => connectCollection(nc, "nothing"))).toBe("MISSING");
    expect(await codeOf(() => createShards(nc, { collection: "docs", dimensions: 2, shards: 2 }))).toBe("BAD_OPTION");
  });
});
