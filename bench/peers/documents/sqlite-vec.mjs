// sqlite-vec in better-sqlite3: a scan, with the field as a metadata column of the same table.
import Database from "better-sqlite3";
import { load } from "sqlite-vec";

export const row = (values) => Buffer.from(values.buffer);

const file = (dir) => `${dir}/documents.db`;

function opened(dir) {
  const db = new Database(file(dir));
  load(db);
  return db;
}

export function build(dir, documents, { dimensions }) {
  const db = opened(dir);
  db.exec(
    `create virtual table documents using vec0(id text primary key, part integer, embedding float[${dimensions}] distance_metric=cosine)`,
  );
  const insert = db.prepare("insert into documents (id, part, embedding) values (?, ?, ?)");
  db.transaction(() => {
    for (const { id, part, vector } of documents) insert.run(id, BigInt(part), vector);
  })();
  db.close();
}

export function open(dir) {
  const nearest = opened(dir).prepare("select id from documents where embedding match ? and k = ? and part < ?");
  return {
    search: (query, k, share) => nearest.all(query, BigInt(k), BigInt(share)),
    ids: (rows) => rows.map(({ id }) => id),
  };
}
