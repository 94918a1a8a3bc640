// Columns and tables of an engine whose room is made (restore), filled in place.
import type { Engine, Part } from "../border/engine.js";

/** Writes what slots from `first` on have in a column: as many as fill `out`, which is clear. */
export type Fill = (first: number, out: Uint8Array) => void;

function partOf(engine: Engine, tag: string): Part {
  return engine.parts().find((part) => part.tag === tag) as Part;
}

export function fillColumn(engine: Engine, tag: string, fill: Fill): void {
  const part = partOf(engine, tag);
  for (const { address, from, bytes } of engine.pieces(part)) {
    const out = engine.u8().subarray(address, address + bytes);
    out.fill(0);
    fill(from / part.stride, out);
  }
}

/** Words, one per slot or record. */
export function fillWords(engine: Engine, tag: string, word: (slot: number) => number): void {
  fillColumn(engine, tag, (first, out) => {
    const words = new Uint32Array(out.buffer, out.byteOffset, out.length / 4);
    for (let i = 0; i < words.length; i++) words[i] = word(first + i);
  });
}

/** Rows of f32, the rest of each row's 16 bytes zero. */
export function fillTable(engine: Engine, tag: string, rows: Float32Array, d: number): void {
  const part = partOf(engine, tag);
  const padded = Math.ceil(d / 4) * 4;
  for (const { address } of engine.pieces(part)) {
    const out = engine.f32().subarray(address >>> 2, (address + part.stride) >>> 2);
    out.fill(0);
    for (let i = 0; i * d < rows.length; i++) out.set(rows.subarray(i * d, (i + 1) * d), i * padded);
  }
}
