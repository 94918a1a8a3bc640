// Conditions on published documents mean what they mean to a collection of them, whatever the documents and the conditions.
import fc from "fast-check";
import { Collection, type Where } from "vicinal/collection";
import { publish, RangeIndex } from "vicinal/range";
import { memory } from "vicinal/storage";
import { expect, it } from "vitest";
import { often } from "../support/thorough.js";
import { conditions, documents } from "../support/where.js";
import { fetching, randomOf, URL_OF } from "./support/made.js";

const DIMENSIONS = 4;
const SETS = often(4, 12);
const ASKED = often(40, 60);

it("as a collection has it", async () => {
  const random = randomOf(2);
  for (let set = 0; set < SETS; set++) {
    const docs = await Collection.open({ storage: memory(), dimensions: DIMENSIONS, metric: "l2" });
    const datas = fc.sample(documents, { numRuns: 150, seed: set + 1 });
    // Small integers, and no two distances of a query alike but for equal vectors.
    await docs.upsert(datas.map((data, id) => ({ id, vector: Array.from({ length: DIMENSIONS }, () => random()), data })));
    const { files } = await publish(docs, { rows: "f32", pageKib: 4, fields: ["a", "b", "c"] });
    for (const where of fc.sample(conditions, { numRuns: ASKED, seed: set + 1 }) as Where[]) {
      const index = await RangeIndex.open(URL_OF, { fetch: fetching(files).fetch });
      const query = Array.from({ length: DIMENSIONS }, () => random());
      const truth = await docs.search(query, { k: 150, where, exact: true });
      const hits = await index.search(query, { k: 150, where, exact: true });
      expect(new Set(hits.map(({ id }) => id)), JSON.stringify(where)).toEqual(new Set(truth.map(({ id }) => id)));
      for (const { id, data } of hits) expect(data).toEqual(datas[id as number]);
      // Of as many as pass, k are found also without all lists.
      expect(await index.search(query, { k: 5, where, select: [] })).toHaveLength(Math.min(5, truth.length));
      index.close();
    }
    await docs.close();
  }
});
