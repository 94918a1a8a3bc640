// Stores that something happened to: each is refused with a sentence that says where, and left as it is, or is the collection it
// was.
import { VicinalError } from "vicinal";
import { Collection } from "vicinal/collection";
import { expect, it } from "vitest";
import { often } from "../support/thorough.js";
import { Crashing, type Random } from "./support/crashing.js";
import { DIMENSIONS, expectEqual, type Model } from "./support/model.js";
import { randomOf } from "./support/random.js";

const TRIALS = often(300, 2000);
type Files = Map<string, Uint8Array>;

const open = (storage: Crashing): Promise<Collection> => Collection.open({ storage, dimensions: DIMENSIONS, metric: "l2" });

/** A collection with everything: indices, a table, bodies, two logs, the second in use when it was closed. */
async function made(random: Random): Promise<{ files: Files; model: Model }> {
  const storage = new Crashing(random);
  const model: Model = new Map();
  let collection = await open(storage);
  const upsert = async (from: number, to: number): Promise<void> => {
    const documents = Array.from({ length: to - from }, (_, i) => ({
      id: i % 3 ? `d${from + i}` : from + i,
      vector: Array.from({ length: DIMENSIONS }, () => Math.floor(random() * 19) - 9),
      data: { n: i % 3, text: "word ".repeat(Math.floor(random() * 9)) },
    }));
    await collection.upsert(documents);
    for (const { id, vector, data } of documents) model.set(id, { vector, data });
  };
  await upsert(0, 60);
  await collection.reindex();
  await upsert(60, 90);
  await collection.snapshot();
  await upsert(80, 100);
  await collection.close();
  collection = await open(storage);
  await collection.delete(["d1", 3]);
  model.delete("d1");
  model.delete(3);
  await upsert(100, 110);
  await collection.close();
  return { files: new Map(Array.from(storage.files, ([name, { bytes }]) => [name, bytes])), model };
}

const DAMAGES: Record<string, (files: Files, name: string, other: string, random: Random) => void> = {
  flip: (files, name, _, random) => {
    const bytes = (files.get(name) as Uint8Array).slice();
    bytes[Math.floor(random() * bytes.length)] ^= 1 << Math.floor(random() * 8);
    files.set(name, bytes);
  },
  truncation: (files, name, _, random) => {
    const bytes = files.get(name) as Uint8Array;
    files.set(name, bytes.slice(0, Math.floor(random() * bytes.length)));
  },
  longer: (files, name, _, random) => {
    const bytes = files.get(name) as Uint8Array;
    files.set(
      name,
      Uint8Array.of(...bytes, ...Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 256))),
    );
  },
  zeros: (files, name, _, random) => {
    const bytes = (files.get(name) as Uint8Array).slice();
    const at = Math.floor(random() * bytes.length);
    files.set(name, bytes.fill(0, at, at + Math.floor(random() * 600)));
  },
  missing: (files, name) => void files.delete(name),
  swapped: (files, name, other) => {
    const bytes = files.get(name) as Uint8Array;
    files.set(name, files.get(other) as Uint8Array);
    files.set(other, bytes);
  },
  duplicated: (files, name, other) => void files.set(name, files.get(other) as Uint8Array),
};

it(
  "refuses damage, or is what it was",
  async () => {
    const random = randomOf(Number(process.env.SEED ?? 7));
    const stores = [await made(random), await made(random)];
    const told: Record<string, number> = {};
    for (let trial = 0; trial < TRIALS; trial++) {
      const { files: whole, model } = stores[trial % 2];
      const kind = Object.keys(DAMAGES)[trial % Object.keys(DAMAGES).length];
      const names = [...whole.keys()];
      const pick = (): string => names[Math.floor(random() * names.length)];
      const [name, other] = [pick(), pick()];
      const files: Files = new Map(whole);
      // Files of another collection of the same shape, too: by name.
      if (kind === "duplicated" && trial % 2 === 0) files.set(name, stores[1].files.get(name) ?? new Uint8Array(3));
      else DAMAGES[kind](files, name, other, random);
      const storage = new Crashing(
        random,
        new Map(Array.from(files, ([file, bytes]) => [file, { bytes, synced: bytes.length }])),
      );
      const what = `${kind} of ${name}${kind === "swapped" || kind === "duplicated" ? ` with ${other}` : ""}, trial ${trial}`;
      let collection: Collection | undefined;
      try {
        collection = await open(storage);
        await expectEqual(collection, model, [1, 2, 3]);
        told.equal = (told.equal ?? 0) + 1;
      } catch (error) {
        if (!(error instanceof VicinalError)) throw new Error(`${what}: ${error}`, { cause: error });
        expect(error.code, `${what}: ${error.message}`).toMatch(/^(BAD_FILE|MISSING)$/);
        expect(error.message, what).toMatch(/manifest|(log|data|table|main|fresh)-\d{8}/);
        if (!collection) {
          const after = new Map(Array.from(storage.files, ([file, { bytes }]) => [file, Buffer.from(bytes).toString("latin1")]));
          expect(after, what).toEqual(
            new Map(Array.from(files, ([file, bytes]) => [file, Buffer.from(bytes).toString("latin1")])),
          );
        }
        told.refused = (told.refused ?? 0) + 1;
      }
      await collection?.close().catch(() => {});
    }
    expect(told.refused).toBeGreaterThan(told.equal);
  },
  300_000 * Number(process.env.VICINAL_TIMES ?? 1),
);
