// Annoy's files: items by their numbers, in trees of ours.
import { readAnnoy } from "vicinal/interop";
import { expect, it, test } from "vitest";
import { METRICS } from "../../src/words/kinds.js";
import { gaussians } from "../support/data.js";
import { expectError } from "../support/errors.js";
import { often } from "../support/thorough.js";
import { writeAnnoyFile } from "./support/annoy.js";
import { readDamaged } from "./support/damage.js";
import { describeForeign, pathOf } from "./support/foreign.js";

const MUTATIONS = often(20, 2000);
const NAMES = ["cosine", "l2", "l1", "dot"] as const;

test.each(NAMES)("%s: items come in under their numbers", async (metric) => {
  const rows = gaussians(90, 7, 2).map((row, i) => (i === 5 || i === 60 ? undefined : row));
  const { index, format, notes } = await readAnnoy(writeAnnoyFile(metric, rows, 7, 6), { dimensions: 7, metric });
  expect(format).toBe("Annoy");
  expect(notes[0]).toContain("grown anew");
  expect(index.stats()).toMatchObject({ metric, size: 88, options: { trees: 6 } });
  expect([index.has(5), index.has(60), index.has(6)]).toEqual([false, false, true]);
  const query = gaussians(1, 7, 8)[0];
  const far = rows.flatMap((row, id) => (row ? [{ id, distance: METRICS[metric].exact(query, row) }] : []));
  const wanted = far.sort((a, b) => a.distance - b.distance).slice(0, 10);
  expect(index.search(query, { k: 10, exact: true }).map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
});

test("what is missing or does not fit is named", async () => {
  const file = writeAnnoyFile("l2", gaussians(20, 5, 1), 5, 2);
  await expectError(() => readAnnoy(file, { metric: "l2" } as never), "BAD_OPTION", "neither its dimensions nor its metric");
  await expectError(() => readAnnoy(file, { metric: "hamming" as never, dimensions: 5 }), "BAD_OPTION", "hamming");
  await expectError(() => readAnnoy(file, { metric: "l2", dimensions: 6 }), "BAD_FILE", "no whole number of nodes of 40");
  await expectError(
    () => readAnnoy(file.subarray(0, 20 * 36), { metric: "l2", dimensions: 5 }),
    "BAD_FILE",
    "not the copy of a root",
  );
  await expectError(() => readAnnoy(new Uint8Array(), { metric: "l2", dimensions: 5 }), "BAD_FILE", "0 bytes");
});

it("damage is refused, or read as what can be searched", async () => {
  const file = writeAnnoyFile("cosine", gaussians(30, 5, 1), 5, 3);
  const refused = await readDamaged(file, 0, MUTATIONS, async (bytes) => {
    const { index } = await readAnnoy(bytes, { dimensions: 5, metric: "cosine", maxBytes: 1 << 24 });
    index.search(new Float32Array(5).fill(1), { k: 3 });
    index.close();
  });
  expect(refused).toBeGreaterThan(MUTATIONS / 8);
});

describeForeign("a file that Annoy wrote", () => {
  test("annoy_test.tree: what Annoy finds, and what it walks past", async () => {
    const { index } = await readAnnoy(pathOf("annoy_test.tree"), { dimensions: 10, metric: "cosine" });
    expect(index.stats()).toMatchObject({ size: 100, options: { trees: 10 } });
    const query = index.get(0) as Float32Array;
    const nearest = index.search(query, { k: 10, exact: true }).map(({ id }) => id);
    // get_nns_by_item(0, 10) in Annoy's own test, whose walk passes two of the ten by.
    const theirs = [0, 85, 42, 11, 54, 38, 53, 66, 19, 31];
    const far = theirs.map((id) => index.search(query, { k: 1, exact: true, filter: [id] })[0].distance);
    expect(far).toEqual([...far].sort((a, b) => a - b));
    expect(theirs.filter((id) => nearest.includes(id)).length).toBe(8);
    expect(index.search(query, { k: 10 }).map(({ id }) => id)).toEqual(nearest);
  });
});
