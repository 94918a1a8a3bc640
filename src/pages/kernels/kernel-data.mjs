// Rows and a query for one kernel, as wasm takes them and as plain JS has them: { query, rows, book } and { values, queryOf,
// rowsOf, aux }. All are integers from 0 to 255, which sq8, f16 and bf16 store exactly, so all answers must agree.
import { halfValues } from "./js-kernels.mjs";

let seed = 1;
const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 24;
const randomBytes = (length) => Uint8Array.from({ length }, random);
const floatBytes = (values) => new Uint8Array(Float32Array.from(values).buffer);
const sum = (n, term) => Array.from({ length: n }, (_, i) => term(i)).reduce((a, b) => a + b, 0);

export function dataFor({ codec, bits }, d, n) {
  if (codec === "pq") return partsOf(bits, d, n);
  if (codec === "rabitq") return signsOf(d, n);
  return plainRows(codec, d, n);
}

/** Rows of numbers, or of bits. */
function plainRows(codec, d, n) {
  const binary = codec === "binary";
  const width = binary ? d / 8 : d;
  const [query, rows] = [randomBytes(width), randomBytes(n * width)];
  /** In JS as in wasm: whole words. */
  const padded = Math.ceil(width / 16) * 16;
  const pad = (bytes) => {
    const out = new Uint8Array((bytes.length / width) * padded);
    for (let from = 0, to = 0; from < bytes.length; from += width, to += padded) out.set(bytes.subarray(from, from + width), to);
    return out;
  };
  const halves = codec === "f16" || codec === "bf16" ? halfValues(codec) : undefined;
  const codeOf = halves && Array.from({ length: 256 }, (_, x) => halves.indexOf(x));
  const as = (Type, bytes) => {
    if (binary) return new Type(pad(bytes).buffer);
    return Type.from(pad(bytes), Type === Uint16Array ? (x) => codeOf[x] : undefined);
  };
  return {
    query: binary ? query : floatBytes(query),
    rows: binary ? rows : floatBytes(rows),
    values: binary ? padded / 4 : padded,
    queryOf: (Type) => as(Type, query),
    rowsOf: (Type) => as(Type, rows),
    aux: halves,
  };
}

/** pq: parts of as many dimensions as bits; rows are made of centroids, so that no code is a matter of rounding. */
function partsOf(bits, d, n) {
  const centroids = 2 ** bits;
  const parts = d / bits;
  const [query, book] = [randomBytes(d), randomBytes(d * centroids)];
  const codes = randomBytes(n * parts).map((code) => code >> (8 - bits));
  const rows = Array.from({ length: n * d }, (_, i) => {
    const dimension = i % d;
    return book[dimension * centroids + codes[Math.floor(i / d) * parts + Math.floor(dimension / bits)]];
  });
  const table = Array.from({ length: parts * centroids }, (_, at) => {
    const first = Math.floor(at / centroids) * bits;
    return sum(bits, (i) => (query[first + i] - book[(first + i) * centroids + (at % centroids)]) ** 2);
  });
  const wasm = { query: floatBytes(query), rows: floatBytes(rows), book };
  if (bits === 8) return { ...wasm, ...lookups(parts, table, codes) };
  const pairs = Array.from({ length: parts * 128 }, (_, at) => {
    const part = 2 * (at >> 8);
    return table[part * 16 + (at & 15)] + table[part * 16 + 16 + ((at >> 4) & 15)];
  });
  const bytes = Uint8Array.from({ length: codes.length / 2 }, (_, i) => codes[2 * i] | (codes[2 * i + 1] << 4));
  return { ...wasm, ...lookups(parts / 2, pairs, bytes) };
}

/** rabitq, 1 bit: around 0 and random already, so that JS need not rotate; `aux` is [bias, shift, add ..., scale ...]. */
function signsOf(d, n) {
  const centred = (length) => Array.from({ length }, () => random() - 128);
  const [query, rows] = [centred(d), centred(n * d)];
  const codes = Uint8Array.from({ length: (n * d) / 8 }, (_, at) => sum(8, (i) => (rows[8 * at + i] >= 0 ? 1 << i : 0)));
  const table = Array.from({ length: d * 32 }, (_, at) => sum(8, (i) => ((at >> i) & 1 ? query[8 * (at >> 8) + i] : 0)));
  const squares = Array.from({ length: n }, (_, r) => sum(d, (i) => rows[r * d + i] ** 2));
  const scales = squares.map((square, r) => (-2 * square) / sum(d, (i) => Math.abs(rows[r * d + i]) / 2));
  const aux = Float32Array.of(
    sum(d, (i) => query[i] ** 2),
    sum(d, (i) => -query[i] / 2),
    ...squares,
    ...scales,
  );
  return { query: floatBytes(query), rows: floatBytes(rows), ...lookups(d / 8, table, codes), aux };
}

/** What JS adds up: one of 256 values per byte of a code. */
const lookups = (values, table, codes) => ({
  values,
  queryOf: (Type) => Type.from(table),
  rowsOf: (Type) => Type.from(codes),
});
