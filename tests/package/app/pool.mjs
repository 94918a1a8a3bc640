// A pool that is never closed: the process has to end by itself.
import { Pool } from "vicinal/pool";

const rows = Float32Array.from({ length: 2000 * 16 }, (_, i) => (i * 7919) % 97);
const pool = await Pool.open({ factory: "HNSW16", dimensions: 16, metric: "l2", fastScan: true }, { threads: 2 });
await pool.addAll(rows);
const found = await Promise.all([3, 4, 5, 6].map((i) => pool.search(rows.subarray(16 * i, 16 * (i + 1)), { k: 1 })));
console.log(JSON.stringify([pool.layout, pool.size, ...found.map(([{ id }]) => id)]));
