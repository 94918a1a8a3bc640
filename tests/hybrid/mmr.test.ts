// Maximal marginal relevance as its paper defines it, computed here a second time and slowly.
import { cosine, mmr } from "vicinal/hybrid";
import { describe, expect, it } from "vitest";
import { exactData } from "../support/data.js";
import { expectError } from "../support/errors.js";

/** One after the other, by the definition. */
function slowly(vectors: readonly ArrayLike<number>[], relevance: readonly number[], k: number, lambda: number): number[] {
  const taken: number[] = [];
  while (taken.length < Math.min(k, vectors.length)) {
    const worth = vectors.map((vector, i) => {
      if (taken.includes(i)) return Number.NEGATIVE_INFINITY;
      if (taken.length === 0) return relevance[i];
      return lambda * relevance[i] - (1 - lambda) * Math.max(...taken.map((one) => cosine(vector, vectors[one])));
    });
    taken.push(worth.indexOf(Math.max(...worth)));
  }
  return taken;
}

describe("mmr", () => {
  const rows = exactData("l2", 40, 7, 3);
  const relevance = rows.map((row) => cosine(row, rows[0]));

  it.each([0, 0.2, 0.5, 0.9, 1])("with lambda %d", (lambda) => {
    for (const k of [1, 5, 40, 99]) expect(mmr(rows, relevance, { k, lambda })).toEqual(slowly(rows, relevance, k, lambda));
  });

  it("takes 10 at a lambda of 0.5 where nothing else is said", () => {
    expect(mmr(rows, relevance)).toEqual(slowly(rows, relevance, 10, 0.5));
  });

  it("leaves copies for the end", () => {
    const copies = [rows[0], rows[0], rows[0], rows[1], rows[2]];
    const order = mmr(
      copies,
      copies.map((row) => cosine(row, rows[0])),
      { k: 3, lambda: 0.3 },
    );
    expect(order[0]).toBe(0);
    expect(order.slice(1).sort()).toEqual([3, 4]);
  });

  it("goes by another likeness", () => {
    const parity = (a: ArrayLike<number>, b: ArrayLike<number>): number => (a[0] % 2 === b[0] % 2 ? 1 : 0);
    expect(mmr([[2], [4], [6], [7]], [1, 0.9, 0.8, 0.1], { k: 2, similarity: parity })).toEqual([0, 3]);
  });

  it("says what is wrong, and takes nothing of nothing", async () => {
    expect(mmr([], [])).toEqual([]);
    await expectError(() => mmr(rows, [1]), "BAD_OPTION", "40 candidates and 1 numbers");
    await expectError(() => mmr(rows, relevance, { lambda: 2 }), "BAD_OPTION", /lambda is 2/);
    await expectError(() => mmr(rows, relevance, { k: 0 }), "BAD_OPTION", /k is 0/);
  });
});

it("the cosine of a zero vector is 0", () => {
  expect([cosine([0, 0], [1, 2]), cosine([1, 2], [2, 4])]).toEqual([0, 1]);
});
