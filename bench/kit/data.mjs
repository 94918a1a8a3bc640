// Data sets: folders of VICINAL_DATA with base.*, query.* (fvecs, bvecs or npy, perhaps .gz) and gt_<metric>.ivecs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const folder = process.env.VICINAL_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));
const METRICS = { l2: "l2", cosine: "cos", dot: "ip" };
const K = 10;

/**
 * { name, metric, n, d, base, nq, queries, truth }: rows as Float32Array, truth as nq x `neighbours` exact ones, not there
 * where none are asked for. With fewer base vectors than there are, truth is computed here. Undefined, and said so, where the set is missing.
 */
export function loadSet(name, { limit = Infinity, queries: mostQueries = Infinity, metric, neighbours = K } = {}) {
  const path = `${folder}/${name}`;
  if (!existsSync(path)) {
    console.log(`${name}: SKIPPED, there is no ${path}. VICINAL_DATA names the folder of the data sets.`);
    return undefined;
  }
  const files = readdirSync(path);
  const file = (stem) => `${path}/${files.find((f) => f.startsWith(`${stem}.`))}`;
  const own = metric ?? Object.keys(METRICS).find((m) => files.includes(`gt_${METRICS[m]}.ivecs`));
  const all = readRows(file("base"));
  const asked = readRows(file("query"));
  const d = all.d;
  const n = Math.min(limit, all.n);
  const nq = Math.min(mostQueries, asked.n);
  const base = all.values.subarray(0, n * d);
  const queries = asked.values.subarray(0, nq * d);
  const truth = () =>
    n < all.n
      ? scan(own, base, queries, d, neighbours)
      : firstColumns(readRows(`${path}/gt_${METRICS[own]}.ivecs`), nq, neighbours);
  return { name, metric: own, n, d, base, nq, queries, truth: neighbours ? truth() : undefined };
}

/** The lines of <name>.jsonl.gz, of a set that is there. */
export function loadTexts(set, name) {
  const lines = gunzipSync(readFileSync(`${folder}/${set}/${name}.jsonl.gz`))
    .toString("utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** The queries of a set, each in an array of its own. */
export function queriesOf({ nq, d, queries }) {
  return Array.from({ length: nq }, (_, i) => queries.slice(i * d, (i + 1) * d));
}

/** The rows of a file as { n, d, values }. */
function readRows(path) {
  const raw = readFileSync(path);
  const bytes = path.endsWith(".gz") ? gunzipSync(raw) : raw;
  const name = path.replace(/\.gz$/, "");
  return name.endsWith(".npy") ? readNpy(bytes) : readVecs(bytes, VECS[name.slice(-5)]);
}

const VECS = { fvecs: Float32Array, bvecs: Uint8Array, ivecs: Int32Array };

/** [d i32][values] per row. Ids below 2^24 are exact as floats. */
function readVecs(bytes, Type) {
  const d = bytes.readInt32LE(0);
  const rowBytes = 4 + d * Type.BYTES_PER_ELEMENT;
  const n = bytes.length / rowBytes;
  const values = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const start = bytes.byteOffset + i * rowBytes + 4;
    values.set(new Type(bytes.buffer.slice(start, start + d * Type.BYTES_PER_ELEMENT)), i * d);
  }
  return { n, d, values };
}

const NPY = {
  "<f4": [4, (view, at) => view.getFloat32(at, true)],
  "<f2": [2, (view, at) => half(view.getUint16(at, true))],
  "|i1": [1, (view, at) => view.getInt8(at)],
  "|u1": [1, (view, at) => view.getUint8(at)],
};

function readNpy(bytes) {
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString("latin1", 10, start);
  const [, type] = header.match(/'descr': '([^']+)'/);
  const [, n, d] = header.match(/'shape': \((\d+), (\d+)\)/).map(Number);
  const [size, read] = NPY[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  return { n, d, values: Float32Array.from({ length: n * d }, (_, i) => read(view, i * size)) };
}

/** IEEE 754 binary16. */
function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction;
  return bits & 0x8000 ? -size : size;
}

function firstColumns({ d, values }, rows, columns) {
  return Uint32Array.from({ length: rows * columns }, (_, i) => values[Math.floor(i / columns) * d + (i % columns)]);
}

/** The nearest by plain arithmetic. */
function scan(metric, base, queries, d, neighbours) {
  const rank = ranker(metric, base, d);
  return Uint32Array.from(
    Array.from({ length: queries.length / d }, (_, q) => {
      const far = rank(queries.subarray(q * d, (q + 1) * d));
      return [...far.keys()].sort((a, b) => far[a] - far[b]).slice(0, neighbours);
    }).flat(),
  );
}

/** By plain arithmetic: the function from a query to a number for each row, which grows with its distance. */
export function ranker(metric, base, d) {
  const dots = (a, from, row) => {
    let sum = 0;
    for (let x = 0; x < d; x++) sum += a[from + x] * base[row * d + x];
    return sum;
  };
  const n = base.length / d;
  const norms = Float64Array.from({ length: n }, (_, i) => dots(base, i * d, i));
  const rank = { l2: (dot, i) => norms[i] - 2 * dot, cosine: (dot, i) => -dot / Math.sqrt(norms[i]), dot: (dot) => -dot }[metric];
  return (query) => Float64Array.from({ length: n }, (_, i) => rank(dots(query, 0, i), i));
}

/**
 * Of the true k neighbours, the share that was found: `found[q]` are the ids answered to query q, `truth` has so many columns, the
 * nearest first.
 */
export function recall(found, truth, { k = K, columns = k } = {}) {
  let hits = 0;
  found.forEach((ids, q) => {
    const wanted = new Set(truth.subarray(q * columns, q * columns + k));
    for (const id of ids) if (wanted.has(id)) hits++;
  });
  return hits / (found.length * k);
}
