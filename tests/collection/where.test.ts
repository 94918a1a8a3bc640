// Conditions on documents mean what the package sift says they do.
import siftModule from "sift";
import { expect, it } from "vitest";
import { eachSlot } from "../../src/collection/columns/bits.js";
import { Columns } from "../../src/collection/columns/columns.js";

const sift = siftModule as unknown as (where: unknown) => (document: unknown) => boolean;

function found(columns: Columns, where: unknown): number[] {
  const expression = columns.parse(where);
  const slots: number[] = [];
  eachSlot(columns.match(expression).words, (slot) => {
    slots.push(slot);
  });
  return slots;
}

it("works", async () => {
  const documents = [{ a: 1 }, { a: [1, 2, "x"] }, { a: null }, {}];
  const columns = new Columns();
  for (const [slot, data] of documents.entries()) columns.set(slot, data);
  for (const where of [{ a: 1 }, { a: null }, { a: { $ne: null } }, { a: { $exists: true } }, { a: { $gt: 1 } }]) {
    await columns.build(columns.parse(where), (visit) => {
      for (const [slot, data] of documents.entries()) visit(slot, data);
    });
    expect(found(columns, where)).toEqual(documents.flatMap((document, i) => (sift(where)(document) ? [i] : [])));
  }
});
