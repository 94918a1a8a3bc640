// PGlite with pgvector, on files.
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";

const BATCH = 500;

export const row = (values) => `[${values.join()}]`;

export async function build(dir, documents, { dimensions }) {
  const pg = await PGlite.create({ dataDir: dir, extensions: { vector } });
  await pg.exec(`create extension vector; set maintenance_work_mem = '512MB';
    create table documents (id text primary key, part int, embedding vector(${dimensions}))`);
  for (let i = 0; i < documents.length; i += BATCH) {
    const some = documents.slice(i, i + BATCH);
    await pg.query(
      "insert into documents select id, part, v::vector from unnest($1::text[], $2::int[], $3::text[]) as row(id, part, v)",
      [some.map(({ id }) => id), some.map(({ part }) => part), some.map(({ vector }) => vector)],
    );
  }
  await pg.exec(`create index on documents using hnsw (embedding vector_cosine_ops) with (m = 16, ef_construction = 200);
    create index on documents (part); analyze documents`);
  await pg.close();
}

export async function open(dir) {
  const pg = await PGlite.create({ dataDir: dir, extensions: { vector } });
  await pg.exec("set hnsw.iterative_scan = strict_order");
  return {
    effort: (ef) => pg.exec(`set hnsw.ef_search = ${ef}`),
    search: (query, k, share) =>
      pg.query(`select id from documents where part < ${share} order by embedding <=> $1 limit ${k}`, [query]),
    ids: ({ rows }) => rows.map(({ id }) => id),
  };
}
