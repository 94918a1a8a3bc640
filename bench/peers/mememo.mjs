// MeMemo: HNSW in plain JS, in memory (`useIndexedDB: false`).
import { HNSW } from "mememo";

export const row = (values) => Array.from(values);

export function open({ m, efConstruction }) {
  const index = new HNSW({ distanceFunction: "cosine-normalized", m, efConstruction, useIndexedDB: false, seed: 42 });
  let effort;
  return {
    memory: "heap",
    add: (rows) => index.bulkInsert([...rows.keys()].map(String), rows),
    effort(ef) {
      effort = ef;
    },
    search: (query, k) => index.query(query, k, effort),
    async update(ids, rows) {
      for (const [i, id] of ids.entries()) await index.update(String(id), rows[i]);
    },
    ids: ({ keys }) => keys.map(Number),
    close() {},
  };
}
