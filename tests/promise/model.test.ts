// Random sequences of calls on an index and on a Map, which must agree after each. Few dimensions and small values, so
// that vectors repeat; small graphs with few links, so that removals tear them apart and sweeps are always under way.
import fc from "fast-check";
import { load, type PreparedFilter, type VectorIndex } from "vicinal";
import { describe, expect, it } from "vitest";
import { KINDS, type Kind } from "../../src/words/kinds.js";
import {
  byDistanceThenId,
  checkEstimates,
  checkExact,
  checkHits,
  checkKept,
  expectSameBytes,
  nearest,
} from "../support/answers.js";
import { type AnyOptions, CASES, type Case, create, EVERY_CASE, EXACT_KINDS, untrained } from "../support/cases.js";
import { exactData, gaussians, random, shuffled } from "../support/data.js";
import { expectError } from "../support/errors.js";
import { FORM_NAMES, FORMS } from "../support/filters.js";
import { thorough } from "../support/thorough.js";

interface Model {
  /** What holds of the index as it is: one that learns is another before it has. */
  of: Case;
  /** What it is when it has learned. */
  readonly whole: Case;
  readonly dimensions: number;
  rows: Map<number, Float32Array>;
  nextId: number;
  /** Of every vector and choice that comes. */
  seed: number;
  /** Prepared and not closed, with the ids that pass whenever they are there. */
  readonly filters: Map<PreparedFilter, ReadonlySet<number>>;
}
interface Real {
  index: VectorIndex;
}
type Step = fc.AsyncCommand<Model, Real>;

function vectors(model: Model, n: number): Float32Array[] {
  const seed = model.seed++;
  if (model.of.metric === "hamming") return exactData("hamming", n, model.dimensions, seed);
  const rows = gaussians(n, model.dimensions, seed, 3).map((row) => row.map((x) => Math.round(x)));
  // Codes learned from unit vectors have none for a vector without direction.
  if (model.whole.estimates && model.of.metric === "cosine") for (const row of rows) if (!row.some(Boolean)) row[0] = 1;
  return rows;
}

function note(model: Model, ids: readonly number[], rows: readonly Float32Array[]): void {
  ids.forEach((id, i) => {
    model.rows.set(id, rows[i]);
    model.nextId = Math.max(model.nextId, id + 1);
  });
}

/** `count` of the live ids, in random order. */
function some(model: Model, count: number): number[] {
  return shuffled(model.rows.keys(), model.seed++).slice(0, count);
}

/** What must hold at all times. */
async function agree(model: Model, { index }: Real): Promise<void> {
  const { rows } = model;
  model.of = index.trained || !model.whole.learns ? model.whole : untrained(model.whole);
  const { of } = model;
  expect(index.size).toBe(rows.size);
  expect(new Set(index.ids())).toEqual(new Set(rows.keys()));
  const [query] = vectors(model, 1);
  // Every live vector is there, in the right place, and a search for all of them returns all.
  checkExact(index.search(query, { k: rows.size + 1, exact: true }), rows, query, rows.size + 1, of, index);
  checkEstimates(index, rows, query, of);
  const found = index.search(query, { k: Math.max(rows.size, 1) });
  expect(found.length).toBe(rows.size);
  checkHits(found, rows, query, rows.size, of, index);
  const least = of.exact ? {} : { [KINDS[of.kind].effort ?? "ef"]: 1 };
  for (const k of [1, 3]) checkHits(index.search(query, { k, ...least }), rows, query, k, of, index);
  if (!of.lingers) expect(index.deleted).toBe(0);
  if (of.exact || of.thorough) checkExact(index.search(query, { k: 3, ...of.thorough }), rows, query, 3, of, index);
  for (const [filter, wanted] of model.filters) {
    const among = new Map([...rows].filter(([id]) => wanted.has(id)));
    expect(filter.size).toBe(among.size);
    checkExact(index.search(query, { k: rows.size + 1, filter, exact: true }), among, query, rows.size + 1, of, index);
    checkHits(index.search(query, { k: 3, filter }), among, query, 3, of, index);
    expect(index.explain(query, { filter }).passing).toBe(among.size);
  }
  // What would be saved now is a sound file.
  const bytes = index.toBytes();
  expectSameBytes((await load(bytes)).toBytes(), bytes);
}

function step(name: string, run: (model: Model, index: VectorIndex, real: Real) => unknown): Step {
  return {
    check: () => true,
    async run(model, real) {
      await run(model, real.index, real);
      await agree(model, real);
    },
    toString: () => name,
  };
}

const count = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 90 }));
const share = fc.oneof(
  { arbitrary: fc.constantFrom(0.5, 0.9, 1), weight: 2 },
  { arbitrary: fc.double({ min: 0, max: 1, noNaN: true }), weight: 1 },
);

const steps: fc.Arbitrary<Step>[] = [
  count.map((n) =>
    step(`add ${n}`, (model, index) => {
      const rows = vectors(model, n);
      index.add(rows);
      note(
        model,
        rows.map((_, i) => model.nextId + i),
        rows,
      );
    }),
  ),
  count.map((n) =>
    step(`addAll ${n}`, async (model, index) => {
      const rows = vectors(model, n);
      await index.addAll(rows.values());
      note(
        model,
        rows.map((_, i) => model.nextId + i),
        rows,
      );
    }),
  ),
  fc.tuple(count, fc.integer({ min: 1, max: 400 })).map(([n, range]) =>
    step(`add ${n} with ids below ${range}`, (model, index) => {
      const ids = shuffled(Array(range).keys(), model.seed++)
        .filter((id) => !model.rows.has(id))
        .slice(0, n);
      const rows = vectors(model, ids.length);
      index.add(rows, ids);
      note(model, ids, rows);
    }),
  ),
  share.map((part) =>
    step(`remove ${part} at once`, (model, index) => {
      const ids = some(model, Math.ceil(part * model.rows.size));
      expect(index.remove(ids)).toBe(ids.length);
      for (const id of ids) model.rows.delete(id);
    }),
  ),
  share.map((part) =>
    step(`remove ${part} one by one`, (model, index) => {
      for (const id of some(model, Math.ceil(part * model.rows.size))) {
        expect(index.remove(id)).toBe(1);
        model.rows.delete(id);
        expect(index.has(id)).toBe(false);
      }
    }),
  ),
  fc.integer({ min: 1, max: 60 }).map((n) =>
    step(`replace ${n}, one by one`, (model, index) => {
      for (const id of some(model, n)) {
        index.remove(id);
        const rows = vectors(model, 1);
        index.add(rows, [id]);
        note(model, [id], rows);
      }
    }),
  ),
  fc.constant(
    step("remove those that are not there", (model, index) => {
      expect(index.remove([model.nextId, model.nextId + 5])).toBe(0);
      expect(index.has(model.nextId)).toBe(false);
    }),
  ),
  fc.constant(
    step("add an id that is there", async (model, index) => {
      const [id] = some(model, 1);
      if (id === undefined) return;
      await expectError(() => index.add(vectors(model, 2), [model.nextId + 7, id]), "DUPLICATE_ID", `${id}`);
    }),
  ),
  share.map((part) =>
    step(`filter ${part}`, (model, index) => {
      const passing = some(model, Math.ceil(part * model.rows.size));
      const among = new Map(passing.map((id) => [id, model.rows.get(id)!]));
      const [query] = vectors(model, 1);
      for (const k of [1, 5, among.size + 1]) {
        const { of } = model;
        checkHits(index.search(query, { k, filter: passing }), among, query, k, of, index);
        checkExact(index.search(query, { k, filter: new Set(passing), exact: true }), among, query, k, of, index);
        if (of.thorough) {
          checkExact(index.search(query, { k, filter: passing, ...of.thorough }), among, query, k, of, index);
        }
      }
    }),
  ),
  fc.tuple(share, fc.constantFrom(...FORM_NAMES)).map(([part, form]) =>
    step(`prepare a filter of ${part} as ${form}`, (model, index) => {
      if (model.filters.size > 2) return;
      const next = random(model.seed++);
      const coming = Array.from({ length: model.nextId + 400 }, (_, id) => id).filter(() => next() < part);
      const wanted = new Set([...coming, ...some(model, 3)]);
      model.filters.set(index.prepareFilter(FORMS[form](wanted)), wanted);
    }),
  ),
  fc.constant(
    step("close a filter", async (model, index) => {
      const [filter] = shuffled(model.filters.keys(), model.seed++);
      if (!filter) return;
      filter.close();
      model.filters.delete(filter);
      const [query] = vectors(model, 1);
      await expectError(() => index.search(query, { filter }), "CLOSED", "the filter is closed");
    }),
  ),
  fc.integer({ min: 0, max: 6 }).map((radius) =>
    step(`radius ${radius}`, (model, index) => {
      if (model.of.metric === "cosine") return;
      const [query] = vectors(model, 1);
      const all = model.of.estimates
        ? index.search(query, { k: index.size + 1, exact: true })
        : nearest(model.rows, query, model.of.metric);
      const expected = all.filter((hit) => hit.distance <= radius);
      expect(index.search(query, { radius, exact: true })).toEqual(expected);
      const found = index.search(query, { radius });
      for (const hit of found) expect(expected).toContainEqual(hit);
    }),
  ),
  fc.constant(
    step("get", (model, index) => {
      for (const id of some(model, 5)) {
        checkKept(index.get(id)!, model.rows.get(id)!, model.of);
      }
    }),
  ),
  fc.constant(
    step("searchBatch", (model, index) => {
      const queries = vectors(model, 6);
      for (const exact of [true, false]) {
        const { ids, distances } = index.searchBatch(queries, { k: 4, exact });
        queries.forEach((query, i) => {
          const hits = index.search(query, { k: 4, exact });
          expect([...ids.subarray(4 * i, 4 * i + hits.length)]).toEqual(hits.map(({ id }) => id));
          expect([...distances.subarray(4 * i, 4 * i + hits.length)]).toEqual(hits.map((hit) => Math.fround(hit.distance)));
        });
      }
    }),
  ),
  fc.constant(
    step("compact", async (model, index) => {
      const before = index.search(vectors(model, 1)[0], { k: model.rows.size + 1, exact: true }).sort(byDistanceThenId);
      model.seed--;
      await index.compact();
      expect(index.deleted).toBe(0);
      expect(index.search(vectors(model, 1)[0], { k: model.rows.size + 1, exact: true })).toEqual(before);
    }),
  ),
  fc.boolean().map((given) =>
    step(given ? "train on others" : "train", async (model, index) => {
      if (!model.whole.learns) return;
      // Codes are made of what the codes before them held.
      if (model.of.estimates) for (const id of model.rows.keys()) model.rows.set(id, index.get(id)!);
      if (given) await index.train(vectors(model, 40));
      // A sample of its own may be too small.
      else if (index.size < NEEDED) await index.train().catch((error) => expect(error).toMatchObject({ code: "BAD_OPTION" }));
      else await index.train();
      if (given || index.size >= NEEDED) expect(index.trained).toBe(true);
    }),
  ),
  fc.constant(
    step("save and load", async (model, index, real) => {
      real.index = await load(index.toBytes());
      model.filters.clear();
    }),
  ),
];

/** Vectors in the place of others. */
const edits: fc.Arbitrary<Step>[] = [
  fc.tuple(count, count).map(([n, fresh]) =>
    step(`upsert ${n}, and ${fresh} that are not there`, (model, index) => {
      const known = some(model, n);
      const ids = shuffled([...known, ...Array.from({ length: fresh }, (_, i) => model.nextId + 2 * i)], model.seed++);
      const rows = vectors(model, ids.length);
      expect(index.upsert(rows, ids)).toBe(known.length);
      note(model, ids, rows);
    }),
  ),
  count.map((n) =>
    step(`upsert ${n}, of which the last cannot be used`, async (model, index) => {
      const ids = [...some(model, n), model.nextId + 1];
      if (model.of.metric === "hamming") {
        await expectError(() => index.upsert(vectors(model, 2), [ids[0], ids[0]]), "DUPLICATE_ID", "twice");
        return;
      }
      const rows: Float32Array[] = vectors(model, ids.length).map((row) => Float32Array.from(row));
      rows[rows.length - 1][0] = Number.NaN;
      await expectError(() => index.upsert(rows, ids), "NOT_FINITE", "NaN");
    }),
  ),
];

/** 4 bits have as many centroids; lists are fewer. */
const NEEDED = 16;

const options = fc.record({
  dimensions: fc.integer({ min: 1, max: 3 }),
  m: fc.integer({ min: 2, max: 4 }),
  efConstruction: fc.integer({ min: 1, max: 12 }),
  seed: fc.integer({ min: 0, max: 99 }),
});

/** What gives a family of few vectors many parts. */
const SMALL: Readonly<Partial<Record<Kind, Partial<AnyOptions>>>> = {
  ivf: { nlist: 4, nprobe: 2 },
  kdtree: { leafSize: 2 },
  forest: { trees: 2, leafSize: 3, searchK: 4 },
  lsh: { tables: 2, bits: 4, probes: 2 },
};

/** The cases that learn from a few vectors, and before they have: those that never do would be the same. */
const MODELLED = EVERY_CASE.filter(({ name }) => !name.includes("pq 8") && !name.endsWith("untrained"));

/** The checked build is asked other things than the published ones. */
const DRAWS = process.env.VICINAL_VARIANT ? 100 : 0;

describe.each(MODELLED.map((of) => [of.name, of] as const))("%s", (_, of) => {
  it.each([
    ["whatever is done", steps, 1],
    ["whatever is replaced", [...edits, ...edits, ...steps.slice(0, 5)], 3],
  ] as const)("agrees with a map, %s", async (_, commands, seed) => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.commands([...commands], { maxCommands: 24, size: "max" }),
        async ({ dimensions, seed, ...own }, done) => {
          await fc.asyncModelRun(async () => {
            const given = {
              ...{ dimensions, seed, ...of.options },
              ...(of.kind === "hnsw" ? own : SMALL[of.kind]),
              ...(of.learns && { trainAt: 60 }),
            };
            const model: Model = { of, whole: of, dimensions, rows: new Map(), nextId: 0, seed, filters: new Map() };
            return { model, real: { index: await create(of.kind, given) } };
          }, done);
        },
      ),
      { seed: seed + DRAWS, numRuns: CASES.includes(of) ? thorough(6, 10) : thorough(3, 5) },
    );
  });
});

// Rounded, distances to a query of 0 are a little below 0, and so nearer than the length of a row lets it be.
it("lsh dot rabitq 4: rows of any length at one distance come by id", async () => {
  const own = { dimensions: 1, metric: "dot", codec: { type: "rabitq", bits: 4 }, tables: 2, bits: 4, seed: 84 } as const;
  for (const size of [0.3, 1.1, 3.3, 7.7]) {
    const index = await create("lsh", own);
    const rows = Array.from({ length: 40 }, (_, i) => [(((i * 7) % 11) - 5) * size]);
    await index.train(rows);
    index.add(rows);
    for (const k of [1, 3, 10, 20]) {
      expect(index.search([0], { k, probes: 16 })).toEqual(index.search([0], { k, exact: true }));
    }
  }
});

describe("sweeps", () => {
  const approximate = CASES.filter(({ kind, rerank }) => !EXACT_KINDS.includes(kind) && !rerank);

  /** Every stop of a sweep: removed one by one, then added one by one, all checked after each call. */
  it.each(approximate.map((of) => [of.name, of] as const))("%s: nothing is lost at any stop", async (_, of) => {
    const index = await create(of.kind, { dimensions: 3, ...of.options, m: 2, efConstruction: 4 });
    const model: Model = { of, whole: of, dimensions: 3, rows: new Map(), nextId: 0, seed: 5, filters: new Map() };
    const add = (n: number): void => {
      const rows = vectors(model, n);
      index.add(rows);
      note(
        model,
        rows.map((_, i) => model.nextId + i),
        rows,
      );
    };
    add(thorough(60, 150));
    for (const [left, back] of thorough(
      [
        [44, 60],
        [1, 24],
        [0, 16],
      ],
      [
        [110, 150],
        [20, 90],
        [1, 60],
        [0, 40],
      ],
    )) {
      for (const id of some(model, model.rows.size - left)) {
        index.remove(id);
        model.rows.delete(id);
        await agree(model, { index });
      }
      while (model.rows.size < back) {
        add(1);
        await agree(model, { index });
      }
    }
  });

  it.each(approximate.map((of) => [of.name, of] as const))(
    "%s: a graph of which only a few are left stays whole",
    async (_, of) => {
      const index = await create(of.kind, { dimensions: 3, ...of.options, m: 3, efConstruction: 6 });
      const model: Model = { of, whole: of, dimensions: 3, rows: new Map(), nextId: 0, seed: 9, filters: new Map() };
      const next = random(3);
      for (let round = 0; round < thorough(3, 12); round++) {
        const rows = vectors(model, 300);
        const ids = rows.map((_, i) => model.nextId + i);
        index.add(rows);
        note(model, ids, rows);
        const gone = some(model, model.rows.size - 1 - Math.floor(next() * 12));
        if (round % 2) index.remove(gone);
        else for (const id of gone) index.remove(id);
        for (const id of gone) model.rows.delete(id);
        await agree(model, { index });
        if (round % 3 === 2) await index.compact();
        await agree(model, { index });
      }
    },
  );
});
