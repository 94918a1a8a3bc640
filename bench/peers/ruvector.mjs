// @ruvector/core: its search() does nothing with `efSearch`, which counts when a database is made; and its database is a file.
// Its filter is a text of JSON that metadata must meet, and metadata a text of JSON.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";

process.env.RAYON_NUM_THREADS = "1"; // read when the addon is loaded
const { default: ruvector } = await import("@ruvector/core");

const METRICS = { cosine: "Cosine", l2: "Euclidean" };

const dir = mkdtempSync(`${os.tmpdir()}/vicinal-ruvector-`);
process.on("exit", () => rmSync(dir, { recursive: true }));
let made = 0;

export const row = (values) => values;

export function open({ n, dimensions, metric, m, efConstruction, ef }) {
  const db = new ruvector.VectorDb({
    dimensions,
    distanceMetric: METRICS[metric],
    storagePath: `${dir}/${made++}.db`,
    hnswConfig: { m, efConstruction, efSearch: ef, maxElements: n },
  });
  const entry = (id, vector, group) => ({ id: String(id), vector, metadata: JSON.stringify({ group }) });
  let groups;
  let filter;
  return {
    memory: "RSS",
    add(rows, all) {
      groups = all;
      return db.insertBatch(rows.map((vector, id) => entry(id, vector, groups[id])));
    },
    search: (vector, k) => db.search({ vector, k }),
    filter(group) {
      filter = JSON.stringify({ group });
    },
    filtered: (vector, k) => db.search({ vector, k, filter }),
    async update(ids, rows) {
      for (const id of ids) await db.delete(String(id));
      await db.insertBatch(ids.map((id, i) => entry(id, rows[i], groups[id])));
    },
    ids: (hits) => hits.map(({ id }) => Number(id)),
    close() {},
  };
}
