// Orama's vector search: a scan in plain JS.
import { create, insertMultiple, search } from "@orama/orama";

export const row = (values) => Array.from(values);

export function open({ n, dimensions }) {
  const db = create({ schema: { embedding: `vector[${dimensions}]` } });
  return {
    memory: "heap",
    add: (rows) =>
      insertMultiple(
        db,
        rows.map((embedding, id) => ({ id: String(id), embedding })),
        n,
      ),
    search: (value, limit) => search(db, { mode: "vector", vector: { value, property: "embedding" }, limit, similarity: -1 }),
    ids: ({ hits }) => hits.map(({ id }) => Number(id)),
    close() {},
  };
}
