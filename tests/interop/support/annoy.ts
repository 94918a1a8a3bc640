// Annoy's index files, from annoylib.h: items, then trees that split in the middle of the numbers, then a copy of the roots.
import type { Metric } from "../../../src/words/kinds.js";
import { Writer } from "./bytes.js";

/** Bytes of a node before its vector, and where its children are. */
const HEADS: Partial<Record<Metric, readonly [head: number, children: number]>> = {
  cosine: [12, 4],
  l2: [16, 8],
  l1: [16, 8],
  dot: [24, 4],
};

/** `rows` by their numbers; undefined where no such item was added. */
export function writeAnnoyFile(
  metric: Metric,
  rows: readonly (Float32Array | undefined)[],
  d: number,
  trees: number,
): Uint8Array {
  const [head, childrenAt] = HEADS[metric] as readonly [number, number];
  const w = new Writer();
  const node = (descendants: number, children: readonly number[], vector: ArrayLike<number> | undefined): void => {
    const bytes = new Uint8Array(head + 4 * d);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, descendants, true);
    children.forEach((child, i) => void view.setInt32(childrenAt + 4 * i, child, true));
    if (vector) bytes.set(new Uint8Array(Float32Array.from(vector).buffer), head);
    w.bytes(bytes);
  };
  for (const row of rows) node(Number(row !== undefined), [], row);
  const n = rows.length;
  const roots: number[][] = [];
  for (let tree = 0; tree < trees; tree++) {
    // Two leaves, whose items begin where children do, and a root.
    const leaf = Math.min(Math.floor((head - childrenAt) / 4) + d, 4);
    for (let side = 0; side < 2; side++)
      node(
        leaf,
        Array.from({ length: leaf }, (_, i) => (side * leaf + i) % n),
        undefined,
      );
    roots.push([n + 3 * tree, n + 3 * tree + 1]);
    node(
      n,
      roots[tree],
      rows.find((row) => row),
    );
  }
  for (const children of roots)
    node(
      n,
      children,
      rows.find((row) => row),
    );
  return w.done();
}
