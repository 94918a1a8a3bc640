// hnswlib's index files once more, from hnswalg.h (saveIndex, loadIndex): a writer, and a reader that believes nothing.
import { Writer } from "./bytes.js";
import type { Graph } from "./graph.js";

export function writeHnswlibFile({ rows, m, levels, entry, links, labels, deleted }: Graph, efConstruction = 150): Uint8Array {
  const d = rows[0].length;
  const data = 4 + 4 * 2 * m;
  const w = new Writer()
    .u64(0)
    .u64(rows.length)
    .u64(rows.length)
    .u64(data + 4 * d + 8)
    .u64(data + 4 * d)
    .u64(data);
  w.u32(Math.max(...levels))
    .u32(entry)
    .u64(m)
    .u64(2 * m)
    .u64(m)
    .f64(1 / Math.log(m))
    .u64(efConstruction);
  const list = (to: readonly number[], room: number, flag = 0): void => {
    w.u16(to.length).u8(flag).u8(0);
    for (let i = 0; i < room; i++) w.u32(to[i] ?? 0);
  };
  rows.forEach((row, i) => {
    list(links[0][i], 2 * m, Number(deleted.has(i)));
    w.floats(row).u64(labels[i]);
  });
  rows.forEach((_, i) => {
    w.u32(levels[i] * (4 + 4 * m));
    for (let layer = 1; layer <= levels[i]; layer++) list(links[layer][i], m);
  });
  return w.done();
}

export interface HnswlibFile {
  readonly m: number;
  readonly efConstruction: number;
  readonly entry: number;
  readonly top: number;
  readonly rows: Float32Array[];
  readonly labels: bigint[];
  readonly deleted: boolean[];
  /** By node and layer. */
  readonly links: number[][][];
}

/** Throws where anything is not as hnswlib's loadIndex and its own checkIntegrity want it. */
export function readHnswlibFile(bytes: Uint8Array): HnswlibFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  const check = (fits: boolean, what: string): void => {
    if (!fits) throw new Error(`not as hnswlib has it: ${what}`);
  };
  const [count, size, labelAt, dataAt] = [u64(16), u64(24), u64(32), u64(40)];
  const [top, entry, maxM, maxM0, m] = [view.getInt32(48, true), view.getInt32(52, true), u64(56), u64(64), u64(72)];
  check(u64(0) === 0 && u64(8) >= count, "offset or room");
  check(maxM === m && maxM0 === 2 * m && dataAt === 4 + 4 * maxM0 && size === labelAt + 8, "sizes");
  check(Math.abs(view.getFloat64(80, true) * Math.log(m) - 1) < 1e-12, "mult");
  const list = (at: number, room: number): number[] => {
    const length = view.getUint16(at, true);
    check(length <= room, "a list's length");
    return Array.from({ length }, (_, i) => view.getUint32(at + 4 + 4 * i, true));
  };
  const rows: Float32Array[] = [];
  const [labels, deleted, links]: [bigint[], boolean[], number[][][]] = [[], [], []];
  for (let i = 0; i < count; i++) {
    const at = 96 + i * size;
    rows.push(Float32Array.from({ length: (labelAt - dataAt) / 4 }, (_, j) => view.getFloat32(at + dataAt + 4 * j, true)));
    labels.push(view.getBigUint64(at + labelAt, true));
    deleted.push(view.getUint8(at + 2) === 1);
    links.push([list(at, maxM0)]);
  }
  let at = 96 + count * size;
  for (let i = 0; i < count; i++) {
    const bytes = view.getUint32(at, true);
    check(bytes % (4 + 4 * maxM) === 0, "a tower");
    for (let from = at + 4; from < at + 4 + bytes; from += 4 + 4 * maxM) links[i].push(list(from, maxM));
    at += 4 + bytes;
  }
  check(at === bytes.length, "the end");
  check(new Set(labels).size === count, "labels twice");
  check(count === 0 || links[entry].length === top + 1, "the entry's level");
  links.forEach((layers, i) => {
    layers.forEach((to, layer) => {
      check(new Set(to).size === to.length, "a link twice");
      for (const other of to) check(other < count && other !== i && links[other].length > layer, `a link of ${i} to ${other}`);
    });
  });
  return { m, efConstruction: u64(88), entry, top, rows, labels, deleted, links };
}

/** hnswlib's own search: down by single steps, then a beam of `ef`; labels of those not deleted, nearest first. */
export function walk(file: HnswlibFile, distance: (i: number) => number, ef: number, k: number): bigint[] {
  let [at, near] = [file.entry, distance(file.entry)];
  for (let layer = file.top; layer > 0; layer--) {
    for (let moved = true; moved; ) {
      moved = false;
      for (const other of file.links[at][layer]) {
        const d = distance(other);
        if (d < near) [at, near, moved] = [other, d, true];
      }
    }
  }
  const seen = new Set([at]);
  const open = [[near, at]];
  let found = [[near, at]];
  for (;;) {
    open.sort((a, b) => a[0] - b[0]);
    const next = open.shift();
    if (!next || (found.length >= ef && next[0] > found[found.length - 1][0])) break;
    for (const other of file.links[next[1]][0]) {
      if (seen.has(other)) continue;
      seen.add(other);
      const entry = [distance(other), other];
      open.push(entry);
      found.push(entry);
    }
    found = found.sort((a, b) => a[0] - b[0]).slice(0, ef);
  }
  return found
    .filter(([, i]) => !file.deleted[i])
    .slice(0, k)
    .map(([, i]) => file.labels[i]);
}
