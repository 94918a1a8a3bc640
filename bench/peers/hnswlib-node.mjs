import hnswlib from "hnswlib-node";

export const row = (values) => Array.from(values); // it takes no typed arrays

export function open({ n, dimensions, metric, m, efConstruction }) {
  const index = new hnswlib.HierarchicalNSW(metric === "dot" ? "ip" : metric, dimensions);
  index.initIndex({ maxElements: n, m, efConstruction });
  return {
    memory: "RSS",
    add(rows) {
      for (const [id, values] of rows.entries()) index.addPoint(values, id);
    },
    effort: (ef) => index.setEf(ef),
    search: (query, k) => index.searchKnn(query, k),
    ids: ({ neighbors }) => neighbors,
    close() {},
  };
}
