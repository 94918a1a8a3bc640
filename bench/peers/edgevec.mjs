// EdgeVec takes the effort of its searches when it is made, and loads from IndexedDB only: another effort is another build.
// Its metrics "cosine" and "dot" find the farthest vectors instead of the nearest. By "l2" vectors of length 1 are in the order
// of the cosine.
import { readFileSync } from "node:fs";
import init, { EdgeVec, EdgeVecConfig, JsMetadataValue } from "edgevec/edgevec.js";

const file = new URL("node_modules/edgevec/edgevec_bg.wasm", import.meta.url);
const { memory } = await init({ module_or_path: readFileSync(file) });

export const row = (values) => values;

export function open({ dimensions, m, efConstruction }) {
  const make = (ef) =>
    new EdgeVec(
      Object.assign(new EdgeVecConfig(dimensions), {
        metric: "l2",
        m,
        m0: 2 * m,
        ef_construction: efConstruction,
        ef_search: ef,
      }),
    );
  const first = 50; // one of its efforts in list.mjs: no build in vain
  const built = new Map([[first, make(first)]]);
  let index = built.get(first);
  let all;
  let groups;
  let condition;
  const names = new Map(); // of what has been updated: its number here to its id
  const fill = () => {
    for (const values of all) index.insert(values);
  };
  return {
    memory: "wasm",
    add(rows, given) {
      all = rows;
      groups = given;
      fill();
    },
    effort(ef) {
      if (built.has(ef)) return (index = built.get(ef));
      built.set(ef, (index = make(ef)));
      return fill();
    },
    search: (query, k) => index.search(query, k),
    filter(group) {
      for (const id of all.keys()) index.setMetadata(id + 1, "part", JsMetadataValue.fromInteger(groups[id]));
      condition = `part = ${group}`;
    },
    filtered: (query, k) => index.searchWithFilter(query, condition, k),
    update(ids, rows) {
      for (const [i, id] of ids.entries()) {
        index.softDelete(id + 1);
        names.set(index.insert(rows[i]), id);
      }
    },
    ids: (hits) => hits.map(({ id }) => names.get(id) ?? id - 1),
    bytes: () => memory.buffer.byteLength,
    close() {
      for (const each of built.values()) each.free();
    },
  };
}
