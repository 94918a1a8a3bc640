// Conditions on documents mean what the package sift says they do.
import fc from "fast-check";
import { expect, it } from "vitest";
import { Columns } from "../../src/collection/columns/columns.js";
import { thorough } from "../support/thorough.js";
import { conditions, documents, judged, passing } from "../support/where.js";

const DOCUMENTS = 25;

it(`agrees with sift on ${thorough(2500, 10_000)} generated pairs`, async () => {
  let met = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(documents, { minLength: DOCUMENTS, maxLength: DOCUMENTS }), conditions, async (given, where) => {
      const columns = new Columns();
      const live = new Map(given.entries());
      for (const [slot, data] of live) columns.set(slot, data);
      const slots = judged(where, live);
      met += slots.length;
      expect(await passing(columns, where, live)).toEqual(slots);
    }),
    { seed: Number(process.env.SEED ?? 1), numRuns: Number(process.env.RUNS ?? thorough(2500, 10_000) / DOCUMENTS) },
  );
  console.log(met);
});
