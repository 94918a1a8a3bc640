// What may be called while addAll, train and compact run, what a file is that is saved meanwhile, and when an id may be given again.
import { Flat, Hnsw, Ivf, load, type VectorIndex } from "vicinal";
import { describe, expect, it } from "vitest";
import { gaussians } from "../support/data.js";
import { expectError } from "../support/errors.js";

const D = 8;
const rows = gaussians(6000, D, 1);

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Calls `meanwhile` at each pause of `work` until it ends; returns how often. */
async function between(work: Promise<unknown>, meanwhile: (turn: number) => unknown): Promise<number> {
  let done = false;
  const end = work.finally(() => {
    done = true;
  });
  let turns = 0;
  while (!done) {
    await pause();
    if (!done) await meanwhile(turns++);
  }
  await end;
  return turns;
}

/** An edit of everything, with ids that are given again at once. */
function edit(index: VectorIndex, turn: number, gone: Set<number>): void {
  const [a, b, c] = [3 * turn, 3 * turn + 1, 3 * turn + 2];
  expect(index.remove([a, b])).toBe(2);
  expect(index.has(a)).toBe(false);
  index.add([rows[5000 + turn]], [a]);
  expect(index.upsert([rows[5500 + turn]], c)).toBe(1);
  gone.add(b);
}

const SOURCES: readonly [string, () => Promise<VectorIndex>, (index: VectorIndex) => Promise<unknown>][] = [
  [
    "addAll",
    () => Hnsw.create({ dimensions: D, metric: "l2", m: 8 }),
    (index) =>
      index.addAll(
        (async function* () {
          for (let i = 0; i < 10; i++) {
            await pause();
            yield* rows.slice(3000 + 100 * i, 3100 + 100 * i);
          }
        })(),
        { ids: Array.from({ length: 1000 }, (_, i) => 10_000 + i) },
      ),
  ],
  ["train", () => Ivf.create({ dimensions: D, metric: "l2", nlist: 64, trainAt: 5000 }), (index) => index.train()],
  [
    "compact",
    async () => {
      // All is linked anew, which takes a while.
      const index = await Hnsw.create({ dimensions: D, metric: "l2", m: 8, atOnce: true });
      index.add(
        rows.slice(3000, 5000),
        Uint32Array.from({ length: 2000 }, (_, i) => 20_000 + i),
      );
      return index;
    },
    (index) => {
      index.remove(Uint32Array.from({ length: 400 }, (_, i) => 20_000 + i));
      return index.compact();
    },
  ],
];

describe.each(SOURCES)("while %s runs", (_, make, run) => {
  it("everything may be called, counts, and is in the file", async () => {
    const index = await make();
    index.add(
      rows.slice(0, 3000),
      Uint32Array.from({ length: 3000 }, (_, i) => i),
    );
    const gone = new Set<number>();
    const filter = index.prepareFilter((id) => id % 2 === 0);
    const turns = await between(run(index), async (turn) => {
      if (turn >= 400) return;
      edit(index, turn, gone);
      expect(index.search(rows[5000 + turn], { k: 1, exact: true })[0]).toMatchObject({ id: 3 * turn, distance: 0 });
      if (turn % 20) return;
      const { deleted, trained } = index;
      const saved = await load(index.toBytes());
      expect(saved.trained).toBe(trained);
      expect(new Set(saved.ids())).toEqual(new Set(index.ids()));
      expect(saved.deleted).toBe(deleted);
      saved.close();
    });
    expect(turns, "the work ended before anything was called").toBeGreaterThan(0);
    for (let turn = 0; turn < Math.min(turns, 400); turn++) {
      expect(index.search(rows[5000 + turn], { k: 1, exact: true })[0]).toMatchObject({ id: 3 * turn, distance: 0 });
      expect(index.search(rows[5500 + turn], { k: 1, exact: true })[0]).toMatchObject({ id: 3 * turn + 2, distance: 0 });
    }
    for (const id of gone) expect(index.has(id)).toBe(false);
    expect(filter.size).toBe([...index.ids()].filter((id) => id % 2 === 0).length);
  });
});

it("an id that addAll has not come to is free, and addAll ends where it comes to it", async () => {
  const index = await Flat.create({ dimensions: D, metric: "l2" });
  async function* source(): AsyncGenerator<Float32Array> {
    for (const row of rows.slice(0, 100)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      yield row;
    }
  }
  const adding = index.addAll(source(), { ids: Array.from({ length: 100 }, (_, i) => i) });
  index.add([rows[200]], [99]);
  await expectError(() => adding, "DUPLICATE_ID", "99");
  expect(index.has(99)).toBe(true);
  expect(index.search(rows[200], { k: 1 })[0]).toMatchObject({ id: 99, distance: 0 });
});
