// Orama's vector search: a scan in plain JS.
import { create, insertMultiple, search, updateMultiple } from "@orama/orama";

export const row = (values) => Array.from(values);

export function open({ n, dimensions }) {
  const db = create({ schema: { embedding: `vector[${dimensions}]`, group: "number" } });
  const ask = (value, limit) => ({ mode: "vector", vector: { value, property: "embedding" }, limit, similarity: -1 });
  let groups;
  let where;
  return {
    memory: "heap",
    add(rows, all) {
      groups = all;
      const documents = rows.map((embedding, id) => ({ id: String(id), embedding, group: groups[id] }));
      return insertMultiple(db, documents, n);
    },
    search: (value, limit) => search(db, ask(value, limit)),
    filter(group) {
      where = { group: { eq: group } };
    },
    filtered: (value, limit) => search(db, { ...ask(value, limit), where }),
    update: (ids, rows) =>
      updateMultiple(
        db,
        ids.map(String),
        ids.map((id, i) => ({ id: String(id), embedding: rows[i], group: groups[id] })),
        n,
      ),
    ids: ({ hits }) => hits.map(({ id }) => Number(id)),
    close() {},
  };
}
