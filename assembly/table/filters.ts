// Which slots a search may answer: a bit is set for live slots that pass, and for no other slot. The filter of one search is a record
// in scratch. Those that last are records in permanent memory, in a chain: whatever takes a slot from its vector takes its bits.
import { bitsetBytes, clearBit, hasBit, setBit } from "../base/bitset";
import { CHECKED, GRAPH, NONE } from "../base/codes";
import { FILTERS, FILTERS_BYTES, alloc, keep } from "../memory/arena";
import { state } from "../memory/state";
import { slotOfId } from "./ids";
import { nodes } from "./nodes";

@unmanaged export class Filter {
  bits: u32;    // bitset of slots, and 8 bytes
  room: u32;    // slots that have a bit
  passing: u32; // bits that are set
  open: u32;    // 1: it lasts; 0: in scratch, or closed: in the chain until it lasts again
  next: u32;    // of those in the chain; the last has 0
  narrow: u32;  // bits and room as they were before it was widened
  narrowRoom: u32;
  members: u32; // graph: codes of what passes (family/graph/members.ts), or 0
  listed: u32;  // bitset of the slots that have a code, as long as they pass
  listedRoom: u32;
  gone: u32;    // 1: some that had a code pass no more
  coded: u32;   // 1: all that passes has a code
  wanted: u32;  // 1: what passes is to get codes
  factor: f32;  // graph: what walks cost, over what they were thought to (family/graph/costs.ts); 0 before the first
  scans: u32;   // searches that had better scan
  missed: f32;  // graph: microseconds that searches would have saved by codes

  @inline static at(address: usize): Filter { return changetype<Filter>(address); }

  pass(slot: u32): void {
    if (CHECKED) assert(slot < this.room);
    if (hasBit(this.bits, slot)) return;
    setBit(this.bits, slot);
    this.passing++;
    // Of those that pass one has no code now: whoever scans codes gets it first, or scans rows.
    if (GRAPH && this.coded) {
      this.coded = 0;
      this.wanted = 1;
    }
  }

  /** False where the bit was not set, or there is none. */
  drop(slot: u32): bool {
    if (slot >= this.room || !hasBit(this.bits, slot)) return false;
    clearBit(this.bits, slot);
    this.passing--;
    if (GRAPH && slot < this.listedRoom && hasBit(this.listed, slot)) {
      clearBit(this.listed, slot);
      this.gone = 1;
    }
    return true;
  }
}

@unmanaged class Filters {
  first: u32;
  signs: u32;       // graph: codes of slots, whatever they pass (family/graph/signs.ts), or 0
  signed: u32;      // bitset of the slots that have such a code, all of them live
  signedRoom: u32;
  signedCount: u32; // bits that are set
  wanted: u32;      // 1: whatever is live is to have one
  missed: f32;      // microseconds that searches without a filter would have saved by them
  hopsPerEf: f32;   // of walks without a filter, as they went

  forget(slot: u32): void {
    if (slot >= this.signedRoom || !hasBit(this.signed, slot)) return;
    clearBit(this.signed, slot);
    this.signedCount--;
  }
}
if (offsetof<Filters>() > FILTERS_BYTES) ERROR("Filters has outgrown FILTERS_BYTES of assembly/memory/arena.ts");

/** Where the chain of filters that last begins. */
@inline export function filters(): Filters { return changetype<Filters>(FILTERS); }

/** Graph: whether all that is live has a code, whatever it passes. */
export function allSigned(): bool { return filters().signs != 0 && filters().signedCount == state().live; }

/** Slots that the blocks there are have room for. */
@inline export function slotsThere(): u32 { return nodes().blocks << nodes().shift; }

/** Of a record before its bits. */
const HEAD_BYTES: usize = 64;
@inline function bitsBytes(slots: u32): usize { return bitsetBytes(slots) + 8; }
@inline export function filterBytes(slots: u32): usize { return HEAD_BYTES + bitsBytes(slots); }

/** Nothing passes any more. */
export function emptyFilter(f: Filter): void {
  f.passing = 0;
  f.wanted = 0;
  f.factor = 0;
  f.scans = 0;
  f.coded = 0;
  f.gone = 1;
  memory.fill(f.listed, 0, bitsetBytes(f.listedRoom));
  memory.fill(f.bits, 0, bitsBytes(f.room));
}

/** A filter of so many slots that nothing passes, where there is room for filterBytes(). */
export function filterAt(address: usize, slots: u32): Filter {
  const f = Filter.at(address);
  f.bits = <u32>(address + HEAD_BYTES);
  f.room = slots;
  f.open = 0;
  f.members = 0;
  f.listed = 0;
  f.listedRoom = 0;
  emptyFilter(f);
  return f;
}

/** A filter that nothing passes, in scratch; 0 where that cannot grow. */
export function openFilter(): usize {
  const slots = nodes().count;
  const address = alloc(filterBytes(slots));
  if (address) filterAt(address, slots);
  return address;
}

/** Its memory is for the next that lasts. */
export function closeFilter(address: usize): void { Filter.at(address).open = 0; }

/** Lets n ids pass; returns how many live slots do now. */
export function passIds(address: usize, ids: usize, n: u32): u32 {
  const f = Filter.at(address);
  for (const end = ids + (<usize>n << 2); ids < end; ids += 4) {
    const slot = slotOfId(load<u32>(ids));
    if (slot != NONE) f.pass(slot);
  }
  return f.passing;
}

/**
 * The stores have grown: a bit for every slot in all that last, and for half as many again, so that what is left behind is less than
 * twice what they have. False where memory cannot grow: narrowFilters() takes back what was done.
 */
export function widenFilters(): bool {
  const slots = slotsThere();
  const room = slots + (slots >> 1);
  for (let at: usize = filters().first; at; at = Filter.at(at).next) {
    const f = Filter.at(at);
    if (!f.open || f.room >= slots) continue;
    const bits = keep(bitsBytes(room));
    if (!bits) return false;
    f.narrow = f.bits;
    f.narrowRoom = f.room;
    f.bits = <u32>bits;
    f.room = room;
    memory.fill(bits, 0, bitsBytes(room));
    memory.copy(bits, f.narrow, bitsetBytes(f.narrowRoom));
  }
  return true;
}

/** Where memory ended at `end` before they were widened. */
export function narrowFilters(end: usize): void {
  for (let at: usize = filters().first; at; at = Filter.at(at).next) {
    const f = Filter.at(at);
    if (f.bits < end) continue;
    f.bits = f.narrow;
    f.room = f.narrowRoom;
  }
}

/** A slot is live no more. */
export function dropFromFilters(slot: u32): void {
  if (GRAPH) filters().forget(slot);
  for (let at: usize = filters().first; at; at = Filter.at(at).next) Filter.at(at).drop(slot);
}

/** What is live in one slot is so in another, which was free, from now on. */
export function moveInFilters(from: u32, to: u32): void {
  if (GRAPH) filters().forget(from);
  for (let at: usize = filters().first; at; at = Filter.at(at).next) if (Filter.at(at).drop(from)) Filter.at(at).pass(to);
}
