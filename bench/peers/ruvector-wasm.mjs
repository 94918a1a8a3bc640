// @ruvector/wasm: asked for a graph it says that this build has none, and scans. For pages: it looks for `window`.
import { readFileSync } from "node:fs";
import init, { VectorDB } from "@ruvector/wasm";

globalThis.window ??= globalThis;
const file = new URL("node_modules/@ruvector/wasm/pkg/ruvector_wasm_bg.wasm", import.meta.url);
const { memory } = await init({ module_or_path: readFileSync(file) });

const METRICS = { cosine: "cosine", l2: "euclidean", dot: "dotproduct" };

export const row = (values) => values;

export function open({ dimensions, metric }) {
  const db = new VectorDB(dimensions, METRICS[metric], false);
  let groups;
  let filter;
  return {
    memory: "wasm",
    add(rows, all) {
      groups = all;
      for (const [id, values] of rows.entries()) db.insert(values, String(id), { group: groups[id] });
    },
    search: (query, k) => db.search(query, k),
    filter(group) {
      filter = { group };
    },
    filtered: (query, k) => db.search(query, k, filter),
    update(ids, rows) {
      for (const [i, id] of ids.entries()) {
        db.delete(String(id));
        db.insert(rows[i], String(id), { group: groups[id] });
      }
    },
    ids: (hits) => hits.map(({ id }) => Number(id)),
    bytes: () => memory.buffer.byteLength,
    close: () => db.free(),
  };
}
