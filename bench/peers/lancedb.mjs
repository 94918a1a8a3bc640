// LanceDB, a folder: rows in, then a graph over scalar codes in one partition, whose answers it reads again as they were given;
// optimize() brings it up to date after an update.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";

// Read when the addon is loaded; the second keeps it from warning of what it will do without.
Object.assign(process.env, { LANCE_CPU_THREADS: "1", LANCE_INCLUDE_VECTOR_CENTROIDS: "false" });
const { connect, Index } = await import("@lancedb/lancedb");

const BATCH = 5000;

const dir = mkdtempSync(`${os.tmpdir()}/vicinal-lancedb-`);
process.on("exit", () => rmSync(dir, { recursive: true }));
let made = 0;

export const row = (values) => values;

export async function open({ metric, m, efConstruction }) {
  const db = await connect(`${dir}/${made++}`);
  let table;
  let groups;
  let condition;
  let effort = 64;
  const records = (ids, rows) => ids.map((id, i) => ({ id, vector: Array.from(rows[i]), part: groups[id] }));
  const ask = (query, k) =>
    table
      .query()
      .nearestTo(query)
      .distanceType(metric)
      .ef(Math.max(effort, 2 * k))
      .refineFactor(2)
      .select(["id", "_distance"])
      .limit(k);
  return {
    memory: "RSS",
    async add(rows, all) {
      groups = all;
      const documents = records([...rows.keys()], rows);
      table = await db.createTable("items", documents.slice(0, BATCH));
      for (let i = BATCH; i < documents.length; i += BATCH) await table.add(documents.slice(i, i + BATCH));
      const config = Index.hnswSq({ distanceType: metric, numPartitions: 1, m, efConstruction });
      await table.createIndex("vector", { config });
      await table.createIndex("part", { config: Index.btree() });
      await table.optimize();
    },
    effort(ef) {
      effort = ef;
    },
    search: (query, k) => ask(query, k).toArray(),
    filter(group) {
      condition = `part = ${group}`;
    },
    filtered: (query, k) => ask(query, k).where(condition).toArray(),
    async update(ids, rows) {
      await table.mergeInsert("id").whenMatchedUpdateAll().execute(records(ids, rows));
      await table.optimize();
    },
    ids: (rows) => rows.map(({ id }) => id),
    close() {
      table.close();
      db.close();
    },
  };
}
