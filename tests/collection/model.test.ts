// A collection and a Map are told the same, in any order, through crashes and rebuilds; then they are the same.
import fc from "fast-check";
import { VicinalError } from "vicinal";
import { Collection, type MainOptions } from "vicinal/collection";
import { expect, it } from "vitest";
import { often } from "../support/thorough.js";
import { Crashing } from "./support/crashing.js";
import { DIMENSIONS, expectEqual, type Kept, type Model } from "./support/model.js";
import { randomOf } from "./support/random.js";

/** "1" and 1 are among them, and what a string may be. */
const id = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(0, 1, 2, 3, -1, 2 ** 53 - 1, "0", "1", "2", "3", "-1", "", "é", "\u{1f600}", "\ud83d", "\ufeff"),
  },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 30 }) },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
);
const vector = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: DIMENSIONS, maxLength: DIMENSIONS });
const data = fc.record({ n: fc.integer({ min: 0, max: 2 }), t: fc.oneof(fc.string(), fc.constant(null)) }, { requiredKeys: [] });
const patch = fc.record(
  { n: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant(null)), u: fc.oneof(fc.boolean(), fc.constant(null)) },
  { requiredKeys: [] },
);
const upsert = fc.record({
  op: fc.constant("upsert" as const),
  documents: fc.uniqueArray(fc.record({ id, vector, data }), { selector: (one) => one.id, minLength: 1, maxLength: 8 }),
});

const INDICES: (MainOptions | undefined)[] = [
  undefined,
  { kind: "flat" },
  { kind: "hnsw", m: 4 },
  { kind: "hnsw", codec: "sq8" },
  { kind: "flat", codec: "f16" },
];

const operation = fc.oneof(
  { weight: 20, arbitrary: upsert },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("update" as const), id, patch }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("delete" as const), ids: fc.array(id, { maxLength: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("deleteWhere" as const), n: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("look" as const), query: vector }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("reopen" as const) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("crash" as const), writes: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("snapshot" as const), meanwhile: upsert }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("compact" as const), meanwhile: upsert }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("reindex" as const), index: fc.constantFrom(...INDICES), meanwhile: upsert }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function patchedBy(old: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const data = { ...old };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete data[name];
    else data[name] = value;
  }
  return data;
}

/** What the model becomes. */
function applied(model: Model, step: Operation): Model {
  const next: Model = new Map(model);
  if (step.op === "upsert") for (const { id, vector, data } of step.documents) next.set(id, { vector, data });
  if (step.op === "delete") for (const id of step.ids) next.delete(id);
  if (step.op === "deleteWhere") for (const [id, { data }] of model) if (data.n === step.n) next.delete(id);
  if (step.op === "update") {
    const old = model.get(step.id);
    if (old) next.set(step.id, { ...old, data: patchedBy(old.data, step.patch) });
  }
  return next;
}

function change(collection: Collection, step: Operation): Promise<unknown> {
  if (step.op === "upsert") return collection.upsert(step.documents);
  if (step.op === "delete") return collection.delete(step.ids);
  if (step.op === "deleteWhere") return collection.delete({ where: { n: step.n } });
  if (step.op === "update") return collection.update(step.id, step.patch);
  return Promise.resolve();
}

class Pair {
  model: Model = new Map();
  collection!: Collection;

  constructor(
    public storage: Crashing,
    readonly worker: boolean,
  ) {}

  async open(): Promise<void> {
    const options = { storage: this.storage, dimensions: DIMENSIONS, metric: "l2", cacheBytes: 300 } as const;
    const opening = this.worker ? Collection.open({ ...options, worker: true }) : Collection.open(options);
    this.collection = (await opening) as Collection;
  }

  async run(step: Operation): Promise<void> {
    const { collection } = this;
    switch (step.op) {
      case "look":
        return expectEqual(collection, this.model, step.query);
      case "reopen":
        await collection.close();
        return this.open();
      case "compact":
      case "snapshot":
      case "reindex": {
        const work = step.op === "reindex" ? collection.reindex(step.index) : collection[step.op]();
        work.catch(() => {}); // it is returned below
        // One change at once, one somewhere in the middle.
        const [first, ...rest] = step.meanwhile.documents;
        await collection.upsert(first);
        this.model = applied(this.model, { op: "upsert", documents: [first] });
        if (rest.length > 0) await collection.upsert(rest);
        this.model = applied(this.model, { op: "upsert", documents: rest });
        return work;
      }
      case "crash":
        this.storage.left = step.writes;
        return;
      default:
        await change(collection, step);
        this.model = applied(this.model, step);
    }
  }

  /** After the power went in the middle of a step: all that was said to be done is there, and of the rest all or nothing. */
  async recover(step: Operation): Promise<void> {
    await this.collection.close().catch(() => {});
    this.storage = this.storage.after as Crashing;
    await this.open();
    const found: Model = new Map();
    for await (const { id, data, vector } of this.collection.scan({ vectors: true })) {
      found.set(id, { vector: Array.from(vector as Float32Array), data });
    }
    const possible = [this.model, applied(this.model, step)];
    if ("meanwhile" in step) {
      const [first, ...rest] = step.meanwhile.documents;
      possible.push(
        applied(this.model, { op: "upsert", documents: [first] }),
        applied(this.model, { op: "upsert", documents: rest }),
      );
    }
    const same = possible.find((model) => sameModel(model, found));
    expect(same, JSON.stringify([...found])).toBeDefined();
    this.model = same as Model;
  }
}

function sameModel(a: Model, b: Model): boolean {
  const text = (model: Model): string =>
    JSON.stringify(
      [...model]
        .map(([id, { vector, data }]: [unknown, Kept]) => [typeof id, id, vector, Object.entries(data).sort()])
        .map((row) => JSON.stringify(row))
        .sort(),
    );
  return text(a) === text(b);
}

it.each([
  { where: "in this thread", worker: false, runs: often(30, 400) },
  { where: "in a worker", worker: true, runs: often(3, 20) },
])(
  "is what a Map is, whatever happens, $where",
  async ({ worker, runs }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 60, size: "max" }), fc.integer(), async (steps, seed) => {
        const pair = new Pair(new Crashing(randomOf(seed)), worker);
        await pair.open();
        for (const step of steps) {
          try {
            await pair.run(step);
          } catch (error) {
            if (!(error instanceof VicinalError) || !pair.storage.after) throw error;
            await pair.recover(step);
          }
          // In the background, or in a reopening, the power may go unnoticed.
          while (pair.storage.after)
            await pair.recover(step).catch((error) => {
              if (!pair.storage.after) throw error;
            });
        }
        pair.storage.left = Infinity;
        await expectEqual(pair.collection, pair.model, [0, 0, 0]);
        await pair.collection.close();
      }),
      {
        numRuns: runs,
        timeout: 60_000,
        ...(process.env.SEED && { seed: Number(process.env.SEED), path: process.env.TRAIL ?? "" }),
      },
    );
  },
  300_000 * Number(process.env.VICINAL_TIMES ?? 1),
);
