// usearch's index files, format 2, from index_dense.hpp and index.hpp (save).
import { Writer } from "./bytes.js";
import type { Graph } from "./graph.js";

const METRIC = { dot: "i", cosine: "c", l2: "e", hamming: "b", l1: "?" };

export interface UsearchForm {
  readonly scalar?: "f32" | "f16" | "i8" | "b1";
  /** Bytes of a slot: u32, or 40 bits. */
  readonly slotBytes?: 4 | 5;
  /** Sizes of the matrix in u64. */
  readonly wide?: boolean;
  readonly metric?: string;
}

/** 16-bit floats of values that have one: some integers and their halves. */
function half(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
}

export function writeUsearchFile(
  graph: Graph,
  { scalar = "f32", slotBytes = 4, wide = false, metric }: UsearchForm = {},
): Uint8Array {
  const { rows, m, levels, entry, links, labels, deleted } = graph;
  const d = rows[0].length;
  const [kind, rowBytes] = { f32: [11, 4 * d], f16: [12, 2 * d], i8: [23, d], b1: [1, Math.ceil(d / 8)] }[scalar];
  const w = new Writer();
  if (wide) w.u64(rows.length).u64(rowBytes);
  else w.u32(rows.length).u32(rowBytes);
  for (const row of rows) {
    if (scalar === "f32") w.floats(row);
    else if (scalar === "f16") for (const value of row) w.u16(half(value));
    else if (scalar === "i8") for (const value of row) w.u8(value & 255);
    else {
      for (let at = 0; at < d; at += 8) {
        let byte = 0;
        for (let i = 0; i < 8; i++) byte |= Number((row[at + i] ?? 0) > 0) << (7 - i);
        w.u8(byte);
      }
    }
  }
  w.text("usearch")
    .u16(2)
    .u16(12)
    .u16(0)
    .text(metric ?? METRIC[graph.metric]);
  w.u8(kind)
    .u8(14)
    .u8(slotBytes === 5 ? 2 : 15)
    .u64(rows.length - deleted.size)
    .u64(deleted.size)
    .u64(d)
    .u8(0)
    .zeros(64 - 42);
  w.u64(rows.length)
    .u64(m)
    .u64(2 * m)
    .u64(Math.max(...levels))
    .u64(entry);
  for (const level of levels) w.u16(level);
  const list = (to: readonly number[], room: number): void => {
    w.u32(to.length);
    for (let i = 0; i < room; i++) {
      w.u32(to[i] ?? 0);
      if (slotBytes === 5) w.u8(0);
    }
  };
  rows.forEach((_, i) => {
    w.u64(deleted.has(i) ? 2n ** 64n - 1n : labels[i]).u16(levels[i]);
    list(links[0][i], 2 * m);
    for (let layer = 1; layer <= levels[i]; layer++) list(links[layer][i], m);
  });
  return w.done();
}
