// What the README's snippets take for granted.
import { Hnsw } from "vicinal";

const random = (i) => (Math.imul(i + 1, 0x9e3779b1) >>> 0) / 2 ** 32 - 0.5;
const rows = (n, from) =>
  Array.from({ length: n }, (_, i) => Float32Array.from({ length: 384 }, (_, j) => random((from + i) * 384 + j)));

export const vectors = rows(300, 0);
export const [vector, query] = rows(2, 1000);
export const queries = rows(5, 2000);
export const index = await Hnsw.create({ dimensions: 384, metric: "cosine" });
index.add(vectors);

/** As a page has from an <input type="file">: [dimension i32][values] per row. */
const row = (vector) => [Int32Array.of(vector.length), vector];
export const file = new File(vectors.slice(0, 20).flatMap(row), "vectors.fvecs");
