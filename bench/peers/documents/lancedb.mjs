// LanceDB: a graph over scalar codes in one partition, whose answers it reads again as they were given.
import { connect, Index } from "@lancedb/lancedb";

const BATCH = 5000;

export const row = (values) => values;

export async function build(dir, documents) {
  const db = await connect(dir);
  const rows = documents.map(({ id, vector, part }) => ({ id, vector: Array.from(vector), part }));
  const table = await db.createTable("documents", rows.slice(0, BATCH));
  for (let i = BATCH; i < rows.length; i += BATCH) await table.add(rows.slice(i, i + BATCH));
  const config = Index.hnswSq({ distanceType: "cosine", numPartitions: 1, m: 16, efConstruction: 200 });
  await table.createIndex("vector", { config });
  await table.createIndex("part", { config: Index.btree() });
  await table.optimize();
}

export async function open(dir) {
  const table = await (await connect(dir)).openTable("documents");
  let ef = 64;
  return {
    effort(value) {
      ef = value;
    },
    search: (query, k, share) =>
      table
        .query()
        .nearestTo(query)
        .distanceType("cosine")
        .ef(Math.max(ef, 2 * k))
        .refineFactor(2)
        .where(`part < ${share}`)
        .select(["id", "_distance"])
        .limit(k)
        .toArray(),
    ids: (rows) => rows.map(({ id }) => id),
  };
}
