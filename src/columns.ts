// An index as columns: the one way its content leaves or enters a memory, for files and for compact().
import { VicinalError } from "./errors.js";
import type { Engine } from "./memory.js";

/** One column of one store: 0 nodes, 1 upper layers. */
export interface Column {
  readonly tag: string;
  readonly stride: number;
  readonly store: 0 | 1;
  readonly index: number;
}

export function columnsOf(engine: Engine): Column[] {
  const { exports } = engine;
  return ([0, 1] as const).flatMap((store) =>
    Array.from({ length: exports.storeColumns(store) }, (_, index) => ({
      tag: String.fromCharCode(...[0, 8, 16, 24].map((shift) => (exports.columnTag(store, index) >>> shift) & 255)),
      stride: exports.columnStride(store, index),
      store,
      index,
    })),
  );
}

/** Each block's part of a column: where it lies in memory and in the column, in bytes. */
export function* pieces(engine: Engine, column: Column): Generator<{ address: number; from: number; bytes: number }> {
  const slots = engine.exports.storeCount(column.store);
  const perBlock = engine.exports.storeBlockSlots(column.store);
  for (let slot = 0; slot < slots; slot += perBlock) {
    const address = engine.exports.columnAt(column.store, column.index, slot) >>> 0;
    yield { address, from: slot * column.stride, bytes: Math.min(perBlock, slots - slot) * column.stride };
  }
}

/** Copies a whole index into an empty engine of the same layout. */
export function copyColumns(from: Engine, to: Engine): void {
  to.writeState(from.copyState());
  to.done(to.exports.restore(from.exports.storeCount(0), from.exports.storeCount(1)));
  for (const column of columnsOf(from)) {
    const targets = pieces(to, column);
    for (const { address, bytes } of pieces(from, column)) {
      const target = targets.next().value as { address: number };
      to.u8().set(from.u8().subarray(address, address + bytes), target.address);
    }
  }
  if (!to.exports.isValid()) throw new VicinalError("OUT_OF_MEMORY", "the copy could not be completed");
}
