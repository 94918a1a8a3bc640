// A collection in a worker answers as one in this thread does, and this thread stays free: in a worker of its own, and in one of a
// user's script. What each call answers in the first is in calls.test.ts.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { VicinalError } from "vicinal";
import { Collection } from "vicinal/collection";
import { memory } from "vicinal/storage";
import { folder } from "vicinal/storage/node";
import { WorkerCollection } from "vicinal/worker";
import { afterEach, describe, expect, it } from "vitest";
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

it("tells what goes on, and how it is", async () => {
  const docs = await WorkerCollection.open(started());
  const progress: unknown[] = [];
  const texts = Array.from({ length: 40 }, (_, i) => ({ id: i, text: "x".repeat(i) }));
  await docs.upsert(texts, { onProgress: (so) => progress.push(so) });
  expect(progress).toEqual([
    { done: 32, total: 40 },
    { done: 40, total: 40 },
  ]);
  expect(await docs.health).toMatchObject({ state: "ready", fresh: 40, main: 0 });
  const all = await docs.searchBatch(["xx", [9, 0]], {
    k: 1,
    candidates: 3,
    rescore: (hits) => hits.map(({ id }) => -Number(id)),
  });
  expect(all.map(([hit]) => hit.id)).toEqual([1, 8]);
  await expectError(() => docs.upsert(texts, { progress: 1 } as never), "BAD_OPTION", 'no option "progress"');
  await expectError(() => docs.search([1, 2], { rescore: () => [], candidates: 0 }), "BAD_OPTION", "candidates is 0");
  await docs.close();
});

describe("by one option", () => {
  const path = mkdtempSync(join(tmpdir(), "vicinal-worker-"));
  afterEach(() => rmSync(path, { recursive: true, force: true }));
  const options = { dimensions: 2, metric: "l2" } as const;

  /** Workers that are made from now on. */
  function watched(): Worker[] {
    const threads = createRequire(import.meta.url)("node:worker_threads") as { Worker: typeof Worker };
    const made: Worker[] = [];
    threads.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        made.push(this);
        threads.Worker = Worker;
      }
    };
    return made;
  }

  it("keeps a folder, which this thread may open next", async () => {
    const far = await Collection.open({ ...options, storage: folder(path), worker: true });
    expect(far).toBeInstanceOf(Object);
    await far.upsert(documents);
    await expectError(() => Collection.open({ storage: folder(path) }), "LOCKED", "by this very process");
    await far.reindex();
    await far.close();
    const near = await Collection.open({ storage: folder(path) });
    expect(near.size).toBe(150);
    expect((await near.search([9, 0], { k: 1, select: [] }))[0].id).toBe(9);
    await near.close();
  });

  it("embeds in this thread, and heeds a signal there", async () => {
    const seen: unknown[] = [];
    const controller = new AbortController();
    const embed = async (texts: string[], { signal }: { signal?: AbortSignal }) => {
      seen.push(texts);
      if (texts[0] === "never") {
        const aborted = new Promise((resolve) => signal?.addEventListener("abort", resolve));
        controller.abort(new Error("enough"));
        await aborted;
        seen.push("aborted");
      }
      if (texts[0] === "bad") throw new TypeError("no such text");
      return texts.map((text) => [text.length, 0]);
    };
    const docs = await Collection.open({ ...options, storage: memory(), embed, worker: true });
    await docs.upsert({ id: 1, text: "four" });
    expect(await thrownBy(() => docs.search("bad"))).toMatchObject({ name: "TypeError", message: "no such text" });
    expect(await thrownBy(() => docs.search("never", { signal: controller.signal }))).toEqual(new Error("enough"));
    while (seen.at(-1) !== "aborted") await new Promise((resolve) => setTimeout(resolve, 1));
    expect(seen).toEqual([["four"], ["bad"], ["never"], "aborted"]);
    await docs.close();
  });

  it("says so when the worker dies, and loses nothing", async () => {
    const made = watched();
    const docs = await Collection.open({ ...options, storage: folder(path), worker: true });
    await docs.upsert(documents);
    const asked = thrownBy(() => docs.reindex({ kind: "hnsw" }));
    await made[0].terminate();
    expect(await asked).toMatchObject({
      code: "BAD_RUNTIME",
      message: expect.stringMatching(/has died: .*Open the collection again/),
    });
    await expectError(() => docs.count(), "BAD_RUNTIME", "has died");
    await docs.close();
    const again = await Collection.open({ storage: folder(path), worker: true });
    expect(await again.count()).toBe(150);
    expect(await again.verify()).toMatchObject({ ok: true });
    await again.close();
  });

  it("ends its worker when it is closed, and where it cannot be opened", async () => {
    const made = watched();
    const storage = memory();
    await expectError(() => Collection.open({ storage, worker: true }), "BAD_OPTION", "dimensions are needed");
    while (made[0].threadId !== -1) await new Promise((resolve) => setTimeout(resolve, 5));
    await (await Collection.open({ ...options, storage, worker: true })).close();
    await (await Collection.open({ storage })).close();
    await expectError(() => Collection.open({ ...options, storage, worker: 1 } as never), "BAD_OPTION", "worker is 1");
    await expectError(
      () => Collection.open({ ...options, storage, worker: true, index: { kind: "hnsw", rerank: () => 1 } as never }),
      "BAD_OPTION",
      "plain data",
    );
  });

  it("does not keep a process alive that forgets to close it", async () => {
    const dist = (name: string) =>
      JSON.stringify(pathToFileURL(fileURLToPath(new URL(`../../dist/${name}`, import.meta.url))).href);
    const program = `
      import { Collection } from ${dist("collection.js")};
      import { folder } from ${dist("storage-node.js")};
      const docs = await Collection.open({ storage: folder(process.argv[1]), dimensions: 2, worker: true });
      await docs.upsert({ id: 1, vector: [1, 2] });
      console.log(await docs.count());`;
    const args = ["--input-type=module", "--eval", program, path];
    expect((await promisify(execFile)(process.execPath, args, { timeout: 60_000 })).stdout).toBe("1\n");
    const near = await Collection.open({ storage: folder(path) });
    expect(near.size).toBe(1);
    await near.close();
  });
});
