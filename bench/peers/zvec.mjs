// Zvec, a folder: rows in, then optimizeSync(), which makes the graph; also after an update.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import { ZVecCollectionSchema, ZVecCreateAndOpen, ZVecDataType, ZVecIndexType, ZVecInitialize, ZVecMetricType } from "@zvec/zvec";

const METRICS = { cosine: ZVecMetricType.COSINE, l2: ZVecMetricType.L2, dot: ZVecMetricType.IP };
const BATCH = 1000;

ZVecInitialize({ queryThreads: 1, optimizeThreads: 1 });
const dir = mkdtempSync(`${os.tmpdir()}/vicinal-zvec-`);
process.on("exit", () => rmSync(dir, { recursive: true }));
let made = 0;

export const row = (values) => values;

export function open({ dimensions, metric, m, efConstruction }) {
  const graph = { indexType: ZVecIndexType.HNSW, metricType: METRICS[metric], m, efConstruction };
  const schema = new ZVecCollectionSchema({
    name: "items",
    fields: [{ name: "part", dataType: ZVecDataType.INT32, indexParams: { indexType: ZVecIndexType.INVERT } }],
    vectors: { name: "embedding", dataType: ZVecDataType.VECTOR_FP32, dimension: dimensions, indexParams: graph },
  });
  const collection = ZVecCreateAndOpen(`${dir}/${made++}`, schema);
  const params = { indexType: ZVecIndexType.HNSW, ef: 64 };
  let groups;
  let filter;
  function write(ids, rows) {
    for (let i = 0; i < ids.length; i += BATCH) {
      const some = ids.slice(i, i + BATCH);
      const written = collection.upsertSync(
        some.map((id, j) => ({ id: String(id), vectors: { embedding: rows[i + j] }, fields: { part: groups[id] } })),
      );
      const bad = written.find(({ ok }) => !ok);
      if (bad) throw new Error(bad.message);
    }
    collection.optimizeSync({ concurrency: 1 });
  }
  const ask = (vector, topk) => ({ fieldName: "embedding", vector, topk, outputFields: [], params });
  return {
    memory: "RSS",
    add(rows, all) {
      groups = all;
      write([...rows.keys()], rows);
    },
    effort(ef) {
      params.ef = ef;
    },
    search: (query, k) => collection.querySync(ask(query, k)),
    filter(group) {
      filter = `part = ${group}`;
    },
    filtered: (query, k) => collection.querySync({ ...ask(query, k), filter }),
    update: write,
    ids: (hits) => hits.map(({ id }) => Number(id)),
    close: () => collection.closeSync(),
  };
}
