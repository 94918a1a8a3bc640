// vicinal's Hnsw. By path: here "vicinal" would be looked for in this folder's node_modules.
import { Hnsw } from "../../dist/index.js";

export const row = (values) => values;

export async function open({ n: _n, ...options }) {
  const index = await Hnsw.create(options);
  const search = { k: 10, ef: 64 };
  const among = { ...search };
  let groups;
  return {
    memory: "wasm",
    add(rows, all) {
      groups = all;
      index.add(rows);
    },
    effort(ef) {
      search.ef = among.ef = ef;
    },
    search(query, k) {
      search.k = k;
      return index.search(query, search);
    },
    filter(group) {
      among.filter = index.prepareFilter((id) => groups[id] === group);
    },
    filtered(query, k) {
      among.k = k;
      return index.search(query, among);
    },
    update: (ids, rows) => index.upsert(rows, ids),
    ids: (hits) => hits.map(({ id }) => id),
    bytes: () => index.bytes,
    close: () => index.close(),
  };
}
