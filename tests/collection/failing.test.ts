// A medium that fails: what fails has changed nothing, and is said.
import { VicinalError } from "vicinal";
import { Collection } from "vicinal/collection";
import { expect, it } from "vitest";
import { expectError } from "../support/errors.js";
import { Crashing } from "./support/crashing.js";
import { randomOf } from "./support/random.js";

const full = new VicinalError("NO_SPACE", "the disk is full");
const broken = new VicinalError("IO_ERROR", "the medium failed");
const document = (id: number) => ({ id, vector: [id, 0], data: { n: id } });
const idsOf = async (collection: Collection) => (await collection.search([0, 0], { k: 99 })).map(({ id }) => id);

async function opened(): Promise<{ storage: Crashing; collection: Collection }> {
  const storage = new Crashing(randomOf(3));
  const collection = await Collection.open({ storage, dimensions: 2, metric: "l2" });
  await collection.upsert([document(1), document(2)]);
  return { storage, collection };
}

it("goes on when a full disk has room again", async () => {
  const { storage, collection } = await opened();
  storage.failing.append = full;
  await expectError(() => collection.upsert(document(3)), "NO_SPACE", "full");
  await expectError(() => collection.update(1, { n: 5 }), "NO_SPACE", "full");
  await expectError(() => collection.delete(1), "NO_SPACE", "full");
  await expectError(() => collection.snapshot(), "NO_SPACE", "full");
  expect(await idsOf(collection)).toEqual([1, 2]);
  expect(collection.health.state).toBe("ready");
  storage.failing.append = undefined;
  await collection.upsert(document(4));
  await collection.snapshot();
  expect((await collection.verify()).problems).toEqual([]);
  await collection.close();
  const again = await Collection.open({ storage });
  expect(await idsOf(again)).toEqual([1, 2, 4]);
  await again.close();
});

it("takes nothing more when a sync has failed, and is whole when it is opened again", async () => {
  const { storage, collection } = await opened();
  storage.failing.sync = broken;
  await expectError(() => collection.upsert(document(3)), "IO_ERROR", "failed");
  storage.failing.sync = undefined;
  await expectError(() => collection.upsert(document(4)), "IO_ERROR", "takes no more changes until it is opened again");
  expect(collection.health).toMatchObject({ state: "failed", problem: expect.stringContaining("the medium failed") });
  expect(await idsOf(collection)).toEqual([1, 2]);
  await collection.close();
  const again = await Collection.open({ storage: storage.crash() });
  // Nobody knows what became of 3.
  expect([
    [1, 2],
    [1, 2, 3],
  ]).toContainEqual(await idsOf(again));
  await again.upsert(document(5));
  await again.close();
});

it("leaves another's files alone", async () => {
  const { storage, collection } = await opened();
  await collection.close();
  for (const name of ["notes.txt", "main.vic", "log-1"]) storage.files.set(name, { bytes: Uint8Array.of(1), synced: 1 });
  const again = await Collection.open({ storage });
  await again.compact();
  await again.close();
  expect([...storage.files.keys()]).toEqual(expect.arrayContaining(["notes.txt", "main.vic", "log-1"]));
});

it("says that a newer vicinal wrote it", async () => {
  const { storage, collection } = await opened();
  await collection.close();
  const { xxh32 } = await import("../../src/collection/xxh32.js");
  const manifest = storage.files.get("manifest") as { bytes: Uint8Array };
  const view = new DataView(manifest.bytes.buffer, manifest.bytes.byteOffset);
  view.setUint32(8, 2, true);
  view.setUint32(40, xxh32(manifest.bytes.subarray(0, 40)), true);
  await expectError(
    () => Collection.open({ storage }),
    "BAD_FILE",
    "format version 2, this vicinal reads 1: open the collection with the newer vicinal",
  );
});

it("xxh32 is XXH32", async () => {
  const { xxh32 } = await import("../../src/collection/xxh32.js");
  const text = (words: string) => new TextEncoder().encode(words);
  expect(xxh32(text(""))).toBe(0x02cc5d05);
  expect(xxh32(text("a"))).toBe(0x550d7456);
  expect(xxh32(text("abc"))).toBe(0x32d153ff);
  expect(xxh32(text("Nobody inspects the spammish repetition"))).toBe(0xe2293b2f);
});

it("chooses a main tier that fits maxBytes, and gives vectors back as they were given", async () => {
  const storage = new Crashing(randomOf(4));
  const random = randomOf(5);
  const options = { storage, dimensions: 32, metric: "l2", maxBytes: 1 << 20 } as const;
  const vectors = Array.from({ length: 6000 }, () => Float32Array.from({ length: 32 }, () => random() - 0.5));
  let collection = await Collection.open(options);
  await collection.upsert(vectors.slice(0, 3000).map((vector, id) => ({ id, vector })));
  await collection.reindex();
  await collection.upsert(vectors.slice(3000).map((vector, i) => ({ id: 3000 + i, vector })));
  await collection.compact();
  const { main } = await collection.stats();
  expect(main?.bytes).toBeLessThanOrEqual(1 << 20);
  expect(main?.codec).not.toBe("f32");
  for (let round = 0; round < 2; round++) {
    for (const id of [0, 77, 5999]) expect((await collection.get(id))?.vector).toEqual(vectors[id]);
    const found = await Promise.all(vectors.slice(0, 50).map((vector) => collection.search(vector, { k: 10 })));
    expect(found.filter((hits, i) => hits.some(({ id }) => id === i)).length).toBeGreaterThan(40);
    await collection.close();
    collection = await Collection.open(options);
  }
  await collection.close();
});

it("syncs by itself where changes do not wait for it", async () => {
  const storage = new Crashing(randomOf(6));
  const collection = await Collection.open({ storage, dimensions: 2, metric: "l2", durability: "interval" });
  await collection.upsert(document(1));
  const unsynced = (): number => {
    const logs = [...storage.files].filter(([name]) => name.startsWith("log-"));
    return logs.reduce((sum, [, { bytes, synced }]) => sum + bytes.length - synced, 0);
  };
  expect(unsynced()).toBeGreaterThan(0);
  while (unsynced() > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const again = await Collection.open({ storage: storage.crash() });
  expect(await idsOf(again)).toEqual([1]);
  await again.close();
  await collection.upsert(document(2));
  await collection.close();
  expect(unsynced()).toBe(0);
});
