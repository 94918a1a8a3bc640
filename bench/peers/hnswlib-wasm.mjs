// hnswlib-wasm is for pages: it asks for `window`, and its loader mounts a file system in IndexedDB, which Node has not. So
// the loader is left out and the module behind it taken, under the name that its loader knows it by.
import { readdirSync } from "node:fs";

globalThis.window ??= globalThis;
const dist = new URL("node_modules/hnswlib-wasm/dist/", import.meta.url);
const module = readdirSync(dist).find((name) => /^hnswlib-[0-9a-f]+\.js$/.test(name));
const { default: load } = await import(new URL(module, dist));
const lib = await load();

export const row = (values) => values;

export function open({ n, dimensions, metric, m, efConstruction }) {
  const index = new lib.HierarchicalNSW(metric === "dot" ? "ip" : metric, dimensions, "");
  index.initIndex(n, m, efConstruction, 100);
  let groups;
  let passes;
  return {
    memory: "wasm",
    add(rows, all) {
      groups = all;
      index.addPoints(rows, [...rows.keys()], false);
    },
    effort: (ef) => index.setEfSearch(ef),
    search: (query, k) => index.searchKnn(query, k, undefined),
    filter(group) {
      passes = (id) => groups[id] === group;
    },
    filtered: (query, k) => index.searchKnn(query, k, passes),
    // It counts even these as one more.
    update(ids, rows) {
      index.resizeIndex(n + 1);
      for (const [i, id] of ids.entries()) index.addPoint(rows[i], id, false);
    },
    ids: ({ neighbors }) => neighbors,
    bytes: () => lib.HEAPU8.length,
    close: () => index.delete(),
  };
}
