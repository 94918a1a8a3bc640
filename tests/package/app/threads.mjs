// Threads that build, and an index that is never closed: the process has to end by itself.
import * as vicinal from "vicinal";

const rows = Float32Array.from({ length: 2000 * 16 }, (_, i) => (i * 7919) % 97);
const index = await vicinal.Hnsw.create({ dimensions: 16, metric: "l2", fastScan: true, threads: 2 });
index.add(rows);
const closed = await vicinal.Hnsw.create({ dimensions: 16, metric: "l2", fastScan: true, threads: 3 });
closed.close();
const [{ id }] = index.search(rows.subarray(48, 64), { k: 1 });
console.log(JSON.stringify([vicinal.variant, index.variant, index.stats().variant, id]));
