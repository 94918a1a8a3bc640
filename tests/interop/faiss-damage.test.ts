// Damaged files of Faiss, of every class that is read: an error that says what is wrong, or an index that can be searched, in memory that it may have.
import { readFaiss } from "vicinal/interop";
import { expect, it } from "vitest";
import { often } from "../support/thorough.js";
import { readDamaged } from "./support/damage.js";
import { MADE, ROWS } from "./support/faiss-made.js";

const FILES = Object.entries(MADE);
/** 2,000 in all, for a user one of each. */
const EACH = often(1, Math.ceil(2000 / FILES.length));
/** Some two hundred times the files. */
const MOST_BYTES = 4 * 2 ** 20;

async function readAndSearch(bytes: Uint8Array): Promise<void> {
  const { index, transform, labels } = await readFaiss(bytes, { maxBytes: MOST_BYTES });
  // A damaged transform may bring any vector beyond what a search takes.
  const query = new Float32Array(index.dimensions).fill(1);
  const asked = transform && query.length === ROWS[0].length ? transform(query) : query;
  const hits = Math.hypot(...asked) < 2 ** 62 ? index.search(asked, { k: 5 }) : [];
  expect(hits.length).toBeLessThanOrEqual(index.size);
  if (labels) expect(hits.every(({ id }) => id < labels.length)).toBe(true);
  expect(index.bytes).toBeLessThanOrEqual(MOST_BYTES);
  index.close();
}

it("as they are they can be read in so much memory", async () => {
  for (const [, { bytes }] of FILES) await readAndSearch(bytes);
});

it.each(FILES)("damaged: %s", async (_, { bytes }) => {
  const refused = await readDamaged(bytes, 0, EACH, readAndSearch);
  if (EACH > 20) expect(refused).toBeGreaterThan(EACH / 4);
});
