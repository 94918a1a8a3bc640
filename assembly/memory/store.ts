// A store is a growable table of slots with fixed-width columns. Slots live in blocks of 2^shift, found through a
// directory, so growth never moves a row; a block holds all columns of its slots, one after the other:
//
//   block:  [column 0: stride x 2^shift][column 1 ...] ...      each column 64-byte aligned
//
// Columns that are joined lie slot by slot instead, at the beginning of the block: what a walk reads of a node is in one page of memory then, or
// two, where a page that is not in the TLB takes longer to come by than the bytes. gutenberg-sif-160, 100,000 with codes of neighbours, fresh
// queries: 41.0 -> 35.0 us at ef 14, 147 -> 138 for a hundred neighbours; fashion-mnist-784 43.2 -> 41.3 and 181 -> 168.
//
//   [slot 0: joined columns][slot 1 ...] ... [column: stride x 2^shift] ...
//
// A file section is one column, copied block by block, or slot by slot.
//
// Codes that are scanned 32 at a time lie packed: what 32 consecutive slots have in a column is one group of 32 x stride
// bytes, and how a slot's share lies in it depends on the packing. A section then ends with its last group.
import { CHECKED, E_MEMORY, GRAPH, OK } from "../base/codes";
import { align } from "../base/sizes";
import { STORE_BYTES, keep } from "./arena";

const MAX_COLUMNS: u32 = 11;
/** At least 32 slots, so that every block's part of a column is a multiple of 32 bytes (checksum.ts). */
const MIN_SHIFT: u32 = 5;
const MAX_SHIFT: u32 = 12;

@unmanaged export class Column {
  offset: u32; // of the column in each block
  stride: u32; // bytes per slot
  tag: u32;    // four ASCII letters, the name of the file section
  packing: u32;
}

/** Slots whose codes lie together where they are packed. */
export const GROUP: u32 = 32;

/** A slot's bytes are consecutive. */
export const PLAIN: u32 = 0;
/** Nibble i of 32 slots in 16 bytes: slots 0..15 in the low halves, 16..31 in the high ones. */
export const NIBBLES: u32 = 1;
/** Float i of 32 slots in 128 bytes. */
export const FLOATS: u32 = 2;

@unmanaged export class Store {
  directory: u32;  // u32 address of each block
  capacity: u32;   // entries the directory has room for
  blocks: u32;
  shift: u32;
  mask: u32;
  blockBytes: u32;
  columns: u32;
  count: u32;      // slots in use, free ones included
  // Column x MAX_COLUMNS follow, then, for graph builds, their pitches

  @inline column(i: u32): Column {
    if (CHECKED) assert(i < this.columns || i == MAX_COLUMNS);
    return changetype<Column>(changetype<usize>(this) + offsetof<Store>() + i * offsetof<Column>());
  }

  /** Adds a column before the first block; returns its number. */
  addColumn(tag: u32, stride: u32, packing: u32 = PLAIN): u32 {
    const i = this.columns++;
    if (CHECKED) assert(i < MAX_COLUMNS);
    const c = this.column(i);
    c.tag = tag;
    c.stride = stride;
    if (GRAPH) store<u32>(this.pitchAt(i), stride);
    c.packing = packing;
    return i;
  }

  @inline private pitchAt(i: u32): usize { return changetype<usize>(this.column(MAX_COLUMNS)) + (i << 2); }
  /** Graph builds: bytes from a slot to the next; until seal() 0 where the column is joined. */
  @inline pitch(i: u32): u32 { return load<u32>(this.pitchAt(i)); }

  /**
   * Before seal(): the column is joined with others, whose bytes of a slot are `joined` so far; returns how many are then. Checksums take pieces of 32 bytes,
   * so some columns stay as they are.
   */
  join(i: u32, joined: u32): u32 {
    const c = this.column(i);
    if (c.stride & 31) return joined;
    c.offset = joined;
    store<u32>(this.pitchAt(i), 0);
    return joined + c.stride;
  }

  /** Slots of a column whose bytes are consecutive. */
  @inline run(i: u32): u32 { return GRAPH && this.pitch(i) > this.column(i).stride ? 1 : 1 << this.shift; }

  /** Fixes the block layout, after the last column: blocks of about `bytes`, which is what the smallest index takes; of `joined`: join(). */
  seal(bytes: u32, joined: u32 = 0): void {
    let slotBytes: u32 = 0;
    for (let i: u32 = 0; i < this.columns; i++) slotBytes += this.column(i).stride;
    let shift = MIN_SHIFT;
    while (shift < MAX_SHIFT && slotBytes << (shift + 1) <= bytes) shift++;
    this.shift = shift;
    this.mask = (1 << shift) - 1;
    let offset: u32 = GRAPH ? joined << shift : 0;
    for (let i: u32 = 0; i < this.columns; i++) {
      const c = this.column(i);
      if (GRAPH && !this.pitch(i)) {
        store<u32>(this.pitchAt(i), joined);
        continue;
      }
      c.offset = offset;
      offset += <u32>align(c.stride << shift, 64);
    }
    this.blockBytes = offset;
  }

  /** Room for `slots` slots in all. E_MEMORY leaves the store as it was, or with spare blocks. */
  ensure(slots: u32): i32 {
    const wanted = <u32>((<u64>slots + this.mask) >> this.shift);
    if (wanted <= this.blocks) return OK;
    if (wanted > this.capacity) {
      let capacity = this.capacity ? this.capacity : 16;
      while (capacity < wanted) capacity <<= 1;
      const directory = keep(capacity << 2);
      if (!directory) return E_MEMORY;
      memory.copy(directory, this.directory, this.blocks << 2);
      this.directory = <u32>directory;
      this.capacity = capacity;
    }
    // Memory grows once for all blocks: 30,000 x 784 f32 load in 68 ms, with a growth per block in 201.
    const bytes: usize = this.blockBytes;
    const fresh = wanted - this.blocks;
    if (<u64>fresh * bytes > u32.MAX_VALUE) return E_MEMORY;
    let block = keep(<usize>fresh * bytes);
    if (!block) return E_MEMORY;
    for (; this.blocks < wanted; block += bytes) store<u32>(this.directory + (this.blocks++ << 2), <u32>block);
    return OK;
  }

  @inline at(column: u32, slot: u32): usize {
    if (CHECKED) assert(slot < this.blocks << this.shift);
    const c = this.column(column);
    return <usize>load<u32>(this.directory + (slot >> this.shift << 2)) + c.offset + (slot & this.mask) * (GRAPH ? this.pitch(column) : c.stride);
  }

  /** Where the slot's group begins, in a packed column. */
  @inline groupAt(column: u32, slot: u32): usize { return this.at(column, slot & ~31); }

  /** Clears what a slot has in a column. */
  clear(column: u32, slot: u32): void {
    const c = this.column(column);
    if (c.packing == PLAIN) memory.fill(this.at(column, slot), 0, c.stride);
    else if (c.packing == NIBBLES) for (let i: u32 = 0; i < c.stride << 1; i++) setNibble(this.groupAt(column, slot), slot, i, 0);
    else for (let i: u32 = 0; i < c.stride; i += 4) store<f32>(this.floatAt(column, slot, i >> 2), 0);
  }

  /** Copies what a slot has in a column to another slot. */
  move(column: u32, from: u32, to: u32): void {
    const c = this.column(column);
    const source = this.groupAt(column, from), target = this.groupAt(column, to);
    if (c.packing == PLAIN) memory.copy(this.at(column, to), this.at(column, from), c.stride);
    else if (c.packing == NIBBLES) {
      for (let i: u32 = 0; i < c.stride << 1; i++) setNibble(target, to, i, nibbleAt(source, from, i));
    } else for (let i: u32 = 0; i < c.stride >> 2; i++) store<f32>(this.floatAt(column, to, i), load<f32>(this.floatAt(column, from, i)));
  }

  /** Float i of a slot, in a column of plain or packed floats. */
  @inline floatAt(column: u32, slot: u32, i: u32): usize {
    if (this.column(column).packing == FLOATS) return this.groupAt(column, slot) + (i << 7) + ((slot & 31) << 2);
    return this.at(column, slot) + (i << 2);
  }
}

if (offsetof<Store>() + MAX_COLUMNS * (offsetof<Column>() + 4) > STORE_BYTES) ERROR("Store has outgrown STORE_BYTES of assembly/memory/arena.ts");

@inline export function nibbleAt(group: usize, slot: u32, i: u32): u32 {
  return <u32>load<u8>(group + (i << 4) + (slot & 15)) >> (slot >> 2 & 4) & 15;
}

@inline export function setNibble(group: usize, slot: u32, i: u32, value: u32): void {
  const p = group + (i << 4) + (slot & 15);
  const shift = slot >> 2 & 4;
  store<u8>(p, <u8>(<u32>load<u8>(p) & ~(15 << shift) | value << shift));
}
