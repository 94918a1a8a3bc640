// From one index's memory to another's of the same layout.

import { VicinalError } from "../words/errors.js";
import type { Engine } from "./engine.js";

/** `target`, which is empty, takes over the whole of `source`. */
export function copyAll(target: Engine, source: Engine): void {
  const parts = source.parts();
  target.writeState(source.copyState());
  target.done(target.exports.restore(source.exports.storeCount(0), source.exports.storeCount(1)));
  for (const part of parts) {
    const to = target.pieces(part);
    for (const { address, bytes } of source.pieces(part)) {
      const piece = to.next().value as { address: number };
      target.u8().set(source.u8().subarray(address, address + bytes), piece.address);
    }
  }
  if (!target.exports.isValid()) throw new VicinalError("OUT_OF_MEMORY", "the copy could not be completed");
}

/** The column that rows end before; it may have no name. */
const TWINS = 0x6e697774; // "twin"
/** Columns of ids and of life stages come before them. */
const FIRST_ROW_COLUMN = 2;

/** The rows that have these ids in `source` go to slots `first` and up of `target`, a graph of the same layout. */
export function copyRows(target: Engine, first: number, source: Engine, ids: Uint32Array): void {
  const { exports } = source;
  const slots = ids.map((id) => exports.slotOfId(id));
  const isOfRow = (column: number): boolean => ![0, TWINS].includes(exports.columnTag(0, column));
  for (let column = FIRST_ROW_COLUMN; isOfRow(column); column++) {
    const bytes = exports.columnStride(0, column);
    const from = Uint32Array.from(slots, (slot) => source.exports.columnAt(0, column, slot));
    const to = Uint32Array.from(slots, (_, i) => target.exports.columnAt(0, column, first + i));
    const [there, here] = [source.u8(), target.u8()];
    for (const [i, at] of from.entries()) here.set(there.subarray(at, at + bytes), to[i]);
  }
}

/** `target` takes over what `source` has learned. */
export function copyTables(target: Engine, source: Engine): void {
  const to = target.tables();
  source.tables().forEach(({ tag, address, bytes }, i) => {
    if (tag === "") return; // follows from the others, or from the state
    target.u8().set(source.u8().subarray(address, address + bytes), to[i].address);
  });
}

/** The table of that name, row by row: `bytes` each, of which the first `dimensions` floats count. */
export function tableRows(engine: Engine, tag: string, n: number): Float32Array {
  const table = engine.tables().find((one) => one.tag === tag);
  if (!table) return new Float32Array(0);
  const dimensions = engine.state("dimensions");
  const stride = table.bytes / n;
  const rows = new Float32Array(n * dimensions);
  for (let i = 0; i < n; i++) rows.set(engine.copyF32(table.address + i * stride, dimensions), i * dimensions);
  return rows;
}
