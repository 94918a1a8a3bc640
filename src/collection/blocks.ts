// Bodies in order of where they lie, and what of them is read at once.
import type { Places, Spot } from "./places.js";

/** Of bodies, read and written at a time. */
export const BLOCK_BYTES = 1 << 20;

export interface Placed {
  readonly slot: number;
  readonly spot: Spot;
}

/** What has a place in one of those files. */
export function inOrder(places: Places, slots: number, wanted: (file: number) => boolean): Placed[] {
  const list: Placed[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const spot = places.at(slot);
    if (spot && wanted(spot.file)) list.push({ slot, spot });
  }
  return list.sort((a, b) => a.spot.file - b.spot.file || a.spot.offset - b.spot.offset);
}

export interface Block {
  readonly file: number;
  readonly from: number;
  to: number;
  readonly list: Placed[];
}

/** By what is read at once. */
export function* blocksOf(list: readonly Placed[]): Generator<Block, void, void> {
  let block: Block | undefined;
  for (const one of list) {
    const { file, offset, bytes } = one.spot;
    if (block && (block.file !== file || offset + bytes - block.from > BLOCK_BYTES)) {
      yield block;
      block = undefined;
    }
    block ??= { file, from: offset, to: 0, list: [] };
    block.list.push(one);
    block.to = offset + bytes;
  }
  if (block) yield block;
}
