// One small file of each class that is read, over rows of whole numbers that 8 bits hold.
import { integers } from "../../support/data.js";
import * as make from "./faiss-file.js";

const D = 16;
const N = 150;
export const ROWS = integers(N, D, 7, -100, 100);
const POSITIVE = ROWS.map((row) => row.map((x) => x + 100));
/** Of 4-bit and 8-bit parts of four dimensions, and of parts of two. */
const parts =
  (m: number, bits: number) =>
  (rows: readonly make.Row[]): make.Coding =>
    make.productCoding(rows, m, bits);

/** Rotations of pairs of dimensions. */
export const TURN = Array.from({ length: D }, (_, i) => {
  const row = new Float32Array(D);
  const angle = 1 + (i >> 1);
  row[i & ~1] = i & 1 ? -Math.sin(angle) : Math.cos(angle);
  row[i | 1] = i & 1 ? Math.cos(angle) : Math.sin(angle);
  return row;
});
const turn = make.linearStep(TURN);
const turned = ROWS.map(turn.of);

interface Made extends make.Made {
  readonly kind: "flat" | "ivf" | "hnsw";
  readonly codec: string;
  readonly metric?: "l2" | "dot" | "l1";
}

const flat = (codec: string, made: make.Made): Made => ({ ...made, kind: "flat", codec });
const ivf = (codec: string, made: make.Made): Made => ({ ...made, kind: "ivf", codec });
const hnsw = (codec: string, made: make.Made): Made => ({ ...made, kind: "hnsw", codec });

/** By what they are; `rows` are what codes stand for, by id. */
export const MADE: Readonly<Record<string, Made>> = {
  Flat: flat("f32", make.flatFile(ROWS)),
  "Flat, inner product": { ...flat("f32", make.flatFile(ROWS, 0)), metric: "dot" },
  "Flat, l1": { ...flat("f32", make.flatFile(ROWS, 2)), metric: "l1" },
  SQ8: flat("f32", make.scalarFile(ROWS, "8bit")),
  SQ4: flat("f32", make.scalarFile(ROWS, "4bit")),
  SQ6: flat("f32", make.scalarFile(ROWS, "6bit")),
  "SQ8 uniform": flat("sq8", make.scalarFile(ROWS, "8bit_uniform")),
  "SQ4 uniform": flat("f32", make.scalarFile(ROWS, "4bit_uniform")),
  SQfp16: flat("f16", make.scalarFile(ROWS, "fp16")),
  SQbf16: flat("bf16", make.scalarFile(ROWS, "bf16")),
  "SQ8 direct": flat("sq8", make.scalarFile(POSITIVE, "8bit_direct")),
  "SQ8 direct signed, inner product": { ...flat("sq8", make.scalarFile(ROWS, "8bit_direct_signed", 0)), metric: "dot" },
  PQ4: flat("pq", make.productFile(ROWS, 4, 8)),
  PQ8x4: flat("pq", make.productFile(ROWS, 8, 4)),
  PQ4x6: flat("f32", make.productFile(ROWS, 4, 6)),
  "PQ4, inner product": { ...flat("pq", make.productFile(ROWS, 4, 8, 0)), metric: "dot" },
  PQ8x4fs: flat("pq", make.fastScanFile(ROWS, 8)),
  RaBitQ: flat("f32", make.bitsFile(ROWS)),
  "IVF8,Flat": ivf("f32", make.listsFile(ROWS, { letters: "IwFl", nlist: 8 })),
  "IVF8,Flat, inner product": { ...ivf("f32", make.listsFile(ROWS, { letters: "IwFl", nlist: 8, metric: 0 })), metric: "dot" },
  "IVF8,SQ8": ivf(
    "f32",
    make.listsFile(ROWS, { letters: "IwSq", nlist: 8, residual: true, coding: (rows) => make.scalarCoding(rows, "8bit") }),
  ),
  "IVF8,SQfp16": ivf(
    "f16",
    make.listsFile(ROWS, { letters: "IwSq", nlist: 8, coding: (rows) => make.scalarCoding(rows, "fp16") }),
  ),
  "IVF8,PQ4": ivf("pq", make.listsFile(ROWS, { letters: "IwPQ", nlist: 8, residual: true, coding: parts(4, 8) })),
  "IVF8,PQ4 of whole vectors": ivf("pq", make.listsFile(ROWS, { letters: "IwPQ", nlist: 8, coding: parts(4, 8) })),
  "IVF8,PQ4, inner product": {
    ...ivf("pq", make.listsFile(ROWS, { letters: "IwPQ", nlist: 8, residual: true, coding: parts(4, 8), metric: 0 })),
    metric: "dot",
  },
  "IVF8,PQ8x4fs": ivf("pq", make.listsFile(ROWS, { letters: "IwPf", nlist: 8, coding: parts(8, 4), m: 8 })),
  "IVF8,RaBitQ": ivf("f32", make.listsFile(ROWS, { letters: "Iwrq", nlist: 8, residual: true })),
  HNSW8: hnsw("f32", make.graphFile(make.flatFile(ROWS), { m: 8 })),
  "HNSW8, l1": { ...hnsw("f32", make.graphFile(make.flatFile(ROWS, 2), { m: 8 }, 2)), metric: "l1" },
  "HNSW8,SQ8": hnsw("f32", make.graphFile(make.scalarFile(ROWS, "8bit"), { m: 8, letters: "IHNs" })),
  "HNSW8,SQfp16": hnsw("f16", make.graphFile(make.scalarFile(ROWS, "fp16"), { m: 8, letters: "IHNs" })),
  "HNSW8,PQ4": hnsw("pq", make.graphFile(make.productFile(ROWS, 4, 8), { m: 8, letters: "IHNp" })),
  "HNSW8,PQ8x4": hnsw("pq", make.graphFile(make.productFile(ROWS, 8, 4), { m: 8, letters: "IHNp" })),
  CAGRA: hnsw("f32", make.graphFile(make.flatFile(ROWS), { m: 8, letters: "IHNc" })),
  "CAGRA of 2025": hnsw("f16", make.graphFile(make.scalarFile(ROWS, "fp16"), { m: 8, letters: "IHc2" })),
  "RR16,Flat": flat("f32", back(make.steppedFile(make.flatFile(turned), D, [turn]))),
  "OPQ4,PQ4": flat("pq", back(make.steppedFile(make.productFile(turned, 4, 8), D, [turn]))),
  "OPQ4,IVF8,PQ4": ivf(
    "pq",
    back(make.steppedFile(make.listsFile(turned, { letters: "IwPQ", nlist: 8, residual: true, coding: parts(4, 8) }), D, [turn])),
  ),
  "OPQ4,HNSW8,PQ4": hnsw(
    "pq",
    back(make.steppedFile(make.graphFile(make.productFile(turned, 4, 8), { m: 8, letters: "IHNp" }), D, [turn])),
  ),
  "OPQ4,HNSW8,SQ8": hnsw(
    "f32",
    back(make.steppedFile(make.graphFile(make.scalarFile(turned, "8bit"), { m: 8, letters: "IHNs" }), D, [turn])),
  ),
  "IDMap2,Flat": flat("f32", make.mappedFile(make.flatFile(ROWS), [...ROWS.keys()])),
};

/** Rows as they were before the rotation. */
function back({ bytes, rows }: make.Made): make.Made {
  return { bytes, rows: rows.map((row) => row.map((_, j) => TURN.reduce((sum, one, i) => sum + one[j] * row[i], 0))) };
}
