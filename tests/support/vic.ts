// The .vic format once more, written from the comment in src/file/format.ts: a second opinion, and the means to make files with
// correct checksums and wrong content.

const MASK = 2n ** 64n - 1n;
const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
];
const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (64n - by))) & MASK;
const times = (x: bigint, y: bigint): bigint => (x * y) & MASK;
const round = (acc: bigint, lane: bigint): bigint => times(rotate((acc + lane * P2) & MASK, 31n), P1);

/** XXH64 with seed 0 (Collet, "XXH64 algorithm description"). */
export function xxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const total = bytes.length;
  let at = 0;
  let h = P5;
  if (total >= 32) {
    const lanes = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK];
    for (; at + 32 <= total; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i], view.getBigUint64(at + 8 * i, true));
    }
    h = [1n, 7n, 12n, 18n].reduce((sum, by, i) => (sum + rotate(lanes[i], by)) & MASK, 0n);
    for (const lane of lanes) h = (times(h ^ round(0n, lane), P1) + P4) & MASK;
  }
  h = (h + BigInt(total)) & MASK;
  for (; at + 8 <= total; at += 8) h = (times(rotate(h ^ round(0n, view.getBigUint64(at, true)), 27n), P1) + P4) & MASK;
  if (at + 4 <= total) {
    h = (times(rotate(h ^ times(BigInt(view.getUint32(at, true)), P1), 23n), P2) + P3) & MASK;
    at += 4;
  }
  for (; at < total; at++) h = times(rotate(h ^ times(BigInt(bytes[at]), P5), 11n), P1);
  h = times(h ^ (h >> 33n), P2);
  h = times(h ^ (h >> 29n), P3);
  return h ^ (h >> 32n);
}

/** Offsets in the header. */
export const HEADER = {
  version: 8,
  kind: 12,
  metric: 16,
  codec: 20,
  dimensions: 24,
  size: 28,
  slots: 32,
  records: 36,
  sections: 40,
};
/** Offsets in section "stat". */
export const STATE = {
  seed: 0,
  nextId: 8,
  kind: 16,
  metric: 20,
  codec: 24,
  dimensions: 28,
  rerank: 32,
  m: 36,
  efConstruction: 40,
  mips: 44,
  effort: 48,
  rerankFactor: 52,
  maxSquaredNorm: 56,
  live: 60,
  dead: 64,
  doomed: 68,
  freeHead: 72,
  identity: 76,
  entry: 80,
  topLevel: 84,
  sweepCursor: 88,
  trained: 112,
};
export const NONE = 0xffffffff;
export const [FREE, LIVE, DEAD, DOOMED] = [0, 1, 2, 3];

interface Section {
  readonly tag: string;
  /** Bytes per slot. */
  readonly stride: number;
  readonly offset: number;
  readonly bytes: number;
  readonly checksum: bigint;
  /** Where its entry in the table is. */
  readonly entry: number;
}

/** A file taken apart, to be changed and sealed again. */
export class VicFile {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly sections: readonly Section[];

  constructor(bytes: Uint8Array) {
    this.bytes = new Uint8Array(bytes);
    this.view = new DataView(this.bytes.buffer);
    this.sections = Array.from({ length: this.view.getUint32(HEADER.sections, true) }, (_, i) => {
      const entry = 64 + 32 * i;
      return {
        tag: String.fromCharCode(...this.bytes.subarray(entry, entry + 4)),
        stride: this.view.getUint32(entry + 4, true),
        offset: Number(this.view.getBigUint64(entry + 8, true)),
        bytes: Number(this.view.getBigUint64(entry + 16, true)),
        checksum: this.view.getBigUint64(entry + 24, true),
        entry,
      };
    });
  }

  get slots(): number {
    return this.view.getUint32(HEADER.slots, true);
  }

  has(tag: string): boolean {
    return this.sections.some((section) => section.tag === tag);
  }

  section(tag: string): Section {
    const section = this.sections.find((one) => one.tag === tag);
    if (!section) throw new Error(`no section ${tag}`);
    return section;
  }

  /** What a section holds of one slot. */
  slot(tag: string, slot: number): DataView {
    const { offset, stride } = this.section(tag);
    return new DataView(this.bytes.buffer, offset + slot * stride, stride);
  }

  get state(): DataView {
    return this.slot("stat", 0);
  }

  stage(slot: number): number {
    return this.slot("life", slot).getUint8(0);
  }
  id(slot: number): number {
    return this.slot("ids ", slot).getUint32(0, true);
  }
  /** The slots in a stage. */
  in(stage: number): number[] {
    return Array.from({ length: this.slots }, (_, slot) => slot).filter((slot) => this.stage(slot) === stage);
  }
  /** The highest layer of a slot of a graph. */
  level(slot: number): number {
    return this.slot("towr", slot).getUint32(0, true) & 15;
  }
  /** Whether it hangs on the node that it links to. */
  isTwin(slot: number): boolean {
    return (this.slot("towr", slot).getUint32(0, true) & 16) !== 0;
  }
  /** A slot's links on a layer, where they are in the file. */
  linksAt(layer: number, slot: number): DataView {
    return layer === 0
      ? this.slot("link", slot)
      : this.slot("uppr", (this.slot("towr", slot).getUint32(0, true) >>> 5) + layer - 1);
  }
  links(layer: number, slot: number): number[] {
    const view = this.linksAt(layer, slot);
    const all = Array.from({ length: view.byteLength / 4 }, (_, i) => view.getUint32(4 * i, true));
    return all.slice(0, all.includes(NONE) ? all.indexOf(NONE) : all.length);
  }

  /** Writes all checksums anew. */
  seal(): Uint8Array {
    for (const { offset, bytes, entry } of this.sections) {
      if (offset + bytes <= this.bytes.length) {
        this.view.setBigUint64(entry + 24, xxh64(this.bytes.subarray(offset, offset + bytes)), true);
      }
    }
    this.view.setBigUint64(56, 0n, true);
    this.view.setBigUint64(56, xxh64(this.bytes.subarray(0, 64 + 32 * this.sections.length)), true);
    return this.bytes;
  }
}
