// A collection in a worker answers as one in this thread does, and this thread stays free.
import { Worker } from "node:worker_threads";
import { VicinalError } from "vicinal";
import { Collection } from "vicinal/collection";
import { memory } from "vicinal/storage";
import { WorkerCollection } from "vicinal/worker";
import { afterEach, expect, it } from "vitest";
import { expectError, thrownBy } from "../support/errors.js";

const workers: Worker[] = [];
afterEach(async () => void (await Promise.all(workers.splice(0).map((worker) => worker.terminate()))));

function started(options: object = { dimensions: 2 }): Worker {
  const worker = new Worker(new URL("support/threaded.mjs", import.meta.url), { workerData: options });
  workers.push(worker);
  return worker;
}

const documents = Array.from({ length: 150 }, (_, i) => ({
  id: i % 2 ? i : `d${i}`,
  vector: [i, 0],
  data: { i, odd: i % 2 === 1 },
}));

it("answers as a collection in this thread", async () => {
  const far = await WorkerCollection.open(started());
  const near = await Collection.open({ storage: memory(), dimensions: 2, metric: "l2" });
  let changes = 0;
  const end = far.onChange(() => changes++);
  for (const docs of [far, near]) {
    await docs.upsert(documents);
    await docs.update("d0", { i: 5 });
    await docs.delete([1, 3]);
  }
  expect(changes).toBe(3);
  end();
  expect([far.dimensions, far.size]).toEqual([2, 148]);
  const both = async (ask: (docs: Collection | WorkerCollection) => unknown): Promise<void> =>
    expect(await ask(far)).toEqual(await ask(near));
  await both((docs) => docs.search([0, 0], { k: 4, where: { odd: true }, select: ["i"] }));
  await both((docs) =>
    docs.searchBatch(
      [
        [3, 0],
        [9, 9],
      ],
      { k: 2 },
    ),
  );
  await both((docs) =>
    docs.search([0, 0], { k: 2, candidates: 9, rescore: (hits) => hits.map(({ data }) => data?.i as number) }),
  );
  await both((docs) => docs.get("d0"));
  await both((docs) => docs.has("nobody"));
  await both((docs) => docs.count({ where: { i: { $lt: 9 } } }));
  await both(async (docs) => {
    const all = [];
    for await (const document of docs.scan({ where: { i: { $gte: 20 } } })) all.push(document);
    return all;
  });
  expect(await far.search("four", { k: 1, select: [] })).toEqual([{ id: "d4", distance: 0 }]);
  await far.reindex({ kind: "hnsw", m: 4 });
  await far.snapshot();
  expect((await far.stats()).main?.kind).toBe("hnsw");
  expect(await far.verify()).toMatchObject({ ok: true });
  await far.close();
  await far.close();
  await expectError(() => far.count(), "CLOSED", "in a worker is closed");
});

it("tells errors as they are", async () => {
  const docs = await WorkerCollection.open(started());
  await expectError(() => docs.search([1]), "BAD_DIMENSION", "query has 1 values");
  await expectError(() => docs.upsert({ id: 1.5, vector: [1, 2] }), "BAD_ID", "documents[0].id");
  await expectError(() => docs.count({ where: { a: { $near: 1 } } as never }), "BAD_WHERE", "$near");
  await expectError(() => docs.upsert({ id: 1, vector: [1, 2], data: { a: () => 1 } }), "BAD_OPTION", "must be plain data");
  const signal = AbortSignal.abort(new Error("enough"));
  expect(await thrownBy(() => docs.search([1, 2], { signal }))).toEqual(new Error("enough"));
  expect(await docs.count()).toBe(0);
  await expectError(() => WorkerCollection.open({} as never), "BAD_OPTION", "worker is");
  await expectError(() => WorkerCollection.open(started({})), "BAD_OPTION", "dimensions are needed");
});

it("says so when the worker dies", async () => {
  const worker = started();
  const docs = await WorkerCollection.open(worker);
  const asked = docs.count();
  await asked;
  worker.postMessage("die");
  await new Promise((resolve) => worker.once("exit", resolve));
  const error = await thrownBy(() => docs.count());
  expect(error).toBeInstanceOf(VicinalError);
  expect((error as VicinalError).code).toBe("BAD_RUNTIME");
  await docs.close();
});

it("leaves this thread free while much is put in and built", async () => {
  const docs = await WorkerCollection.open(started({ dimensions: 32 }));
  const many = Array.from({ length: 4000 }, (_, id) => ({
    id,
    vector: new Float32Array(32).map((_, j) => (id * (j + 7919)) % 251),
  }));
  let done = false;
  const work = docs
    .upsert(many)
    .then(() => docs.reindex())
    .then(() => void (done = true));
  // Turns of this thread meanwhile: of building 4000 vectors it would have a few.
  let turns = 0;
  for (; !done; turns++) await new Promise((resolve) => setImmediate(resolve));
  await work;
  expect(docs.size).toBe(4000);
  expect(turns).toBeGreaterThan(1000);
});
