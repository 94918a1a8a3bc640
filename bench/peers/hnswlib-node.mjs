import hnswlib from "hnswlib-node";

export const row = (values) => Array.from(values); // it takes no typed arrays

export function open({ n, dimensions, metric, m, efConstruction }) {
  const index = new hnswlib.HierarchicalNSW(metric === "dot" ? "ip" : metric, dimensions);
  index.initIndex({ maxElements: n, m, efConstruction });
  let groups;
  let passes;
  return {
    memory: "RSS",
    add(rows, all) {
      groups = all;
      for (const [id, values] of rows.entries()) index.addPoint(values, id);
    },
    effort: (ef) => index.setEf(ef),
    search: (query, k) => index.searchKnn(query, k),
    filter(group) {
      passes = (id) => groups[id] === group;
    },
    filtered: (query, k) => index.searchKnn(query, k, passes),
    update(ids, rows) {
      for (const [i, id] of ids.entries()) index.addPoint(rows[i], id);
    },
    ids: ({ neighbors }) => neighbors,
    close() {},
  };
}
