// vectra: JSON in a folder, scanned.
import { LocalIndex } from "vectra";

export const row = (values) => Array.from(values);

export async function build(dir, documents) {
  const index = new LocalIndex(dir);
  await index.createIndex({ version: 1, deleteIfExists: true, metadata_config: { indexed: ["part"] } });
  await index.batchInsertItems(documents.map(({ id, vector, part }) => ({ id, vector, metadata: { part } })));
}

export function open(dir) {
  const index = new LocalIndex(dir);
  return {
    search: (query, k, share) => index.queryItems(query, "", k, { part: { $lt: share } }),
    ids: (hits) => hits.map(({ item }) => item.id),
  };
}
