// A Collection in a folder. By path: here "vicinal" would be looked for in this folder's node_modules.
import { Collection } from "../../../dist/collection.js";
import { folder } from "../../../dist/storage-node.js";

const BATCH = 1000;

export const row = (values) => values;

export async function build(dir, documents, { dimensions }) {
  const collection = await Collection.open({ storage: folder(dir), dimensions, fields: { part: "number" } });
  for (let i = 0; i < documents.length; i += BATCH) {
    await collection.upsert(documents.slice(i, i + BATCH).map(({ id, vector, part }) => ({ id, vector, data: { part } })));
  }
  // Few documents stay without a graph.
  if (collection.health.main === 0) await collection.reindex();
  while (collection.health.fresh > 0 || collection.health.doing !== "idle")
    await new Promise((resolve) => setTimeout(resolve, 5));
  await collection.snapshot();
  await collection.close();
}

export async function open(dir) {
  const collection = await Collection.open({ storage: folder(dir) });
  let ef = 64;
  return {
    effort(value) {
      ef = value;
    },
    search: (query, k, share) => collection.search(query, { k, ef, select: [], where: { part: { $lt: share } } }),
    ids: (hits) => hits.map(({ id }) => id),
  };
}
