// sqlite-vec in better-sqlite3, in memory: a scan, with the field as a metadata column of the same table.
import Database from "better-sqlite3";
import { load } from "sqlite-vec";

export const row = (values) => Buffer.from(values.buffer);

export function open({ dimensions, metric }) {
  const db = new Database(":memory:");
  load(db);
  db.exec(`create virtual table items using vec0(
    id integer primary key, part integer, embedding float[${dimensions}] distance_metric=${metric === "l2" ? "L2" : metric})`);
  const nearest = db.prepare("select id from items where embedding match ? and k = ?");
  const among = db.prepare("select id from items where embedding match ? and k = ? and part = ?");
  let wanted;
  return {
    memory: "RSS",
    add(rows, groups) {
      const insert = db.prepare("insert into items (id, part, embedding) values (?, ?, ?)");
      db.transaction(() => {
        for (const [id, values] of rows.entries()) insert.run(BigInt(id), BigInt(groups[id]), values);
      })();
    },
    search: (query, k) => nearest.all(query, BigInt(k)),
    filter(group) {
      wanted = BigInt(group);
    },
    filtered: (query, k) => among.all(query, BigInt(k), wanted),
    update(ids, rows) {
      const update = db.prepare("update items set embedding = ? where id = ?");
      db.transaction(() => {
        for (const [i, id] of ids.entries()) update.run(rows[i], BigInt(id));
      })();
    },
    ids: (rows) => rows.map(({ id }) => id),
    close: () => db.close(),
  };
}
