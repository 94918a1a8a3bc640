// Orama: in memory, saved as JSON.
import { readFileSync, writeFileSync } from "node:fs";
import { create, insertMultiple, load, save, search } from "@orama/orama";

export const row = (values) => Array.from(values);

const file = (dir) => `${dir}/documents.json`;
const empty = (dimensions) => create({ schema: { embedding: `vector[${dimensions}]`, part: "number" } });

export async function build(dir, documents, { n, dimensions }) {
  const db = empty(dimensions);
  await insertMultiple(
    db,
    documents.map(({ id, vector, part }) => ({ id, embedding: vector, part })),
    n,
  );
  writeFileSync(file(dir), JSON.stringify(save(db)));
}

export function open(dir, { dimensions }) {
  const db = empty(dimensions);
  load(db, JSON.parse(readFileSync(file(dir), "utf8")));
  return {
    search: (value, limit, share) =>
      search(db, {
        mode: "vector",
        vector: { value, property: "embedding" },
        limit,
        similarity: -1,
        where: { part: { lt: share } },
      }),
    ids: ({ hits }) => hits.map(({ id }) => id),
  };
}
