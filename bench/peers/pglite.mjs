// PGlite, Postgres in wasm, with pgvector: rows in, then `create index ... using hnsw`, which with enough maintenance_work_mem is
// made in memory.
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";

const OPERATORS = { cosine: ["<=>", "vector_cosine_ops"], l2: ["<->", "vector_l2_ops"], dot: ["<#>", "vector_ip_ops"] };
const BATCH = 500;

export const row = (values) => `[${values.join()}]`;

export async function open({ dimensions, metric, m, efConstruction }) {
  const pg = await PGlite.create({ extensions: { vector } });
  const [operator, operators] = OPERATORS[metric];
  await pg.exec(`create extension vector; set maintenance_work_mem = '512MB'; set enable_seqscan = off;
    create table items (id int primary key, part int, embedding vector(${dimensions}))`);
  let passes;
  return {
    memory: "RSS",
    async add(rows, groups) {
      for (let i = 0; i < rows.length; i += BATCH) {
        const batch = rows.slice(i, i + BATCH);
        const ids = batch.map((_, j) => i + j);
        await pg.query(
          "insert into items select id, part, v::vector from unnest($1::int[], $2::int[], $3::text[]) as row(id, part, v)",
          [ids, ids.map((id) => groups[id]), batch],
        );
      }
      await pg.exec(
        `create index on items using hnsw (embedding ${operators}) with (m = ${m}, ef_construction = ${efConstruction})`,
      );
    },
    effort: (ef) => pg.exec(`set hnsw.ef_search = ${ef}`),
    search: (query, k) => pg.query(`select id from items order by embedding ${operator} $1 limit ${k}`, [query]),
    async filter(group) {
      passes = `part = ${group}`;
      await pg.exec("set hnsw.iterative_scan = strict_order");
    },
    filtered: (query, k) =>
      pg.query(`select id from items where ${passes} order by embedding ${operator} $1 limit ${k}`, [query]),
    update: (ids, rows) =>
      pg.query(
        "update items set embedding = v::vector from unnest($1::int[], $2::text[]) as row(id, v) where items.id = row.id",
        [ids, rows],
      ),
    ids: ({ rows }) => rows.map(({ id }) => id),
    close: () => pg.close(),
  };
}
