// Codes of slots, whatever filter they pass, 32 by 32 in the order of slots and seen from the mean of all. To rotate a row and code it takes some
// (d + 40) / 256 us, to copy its code a fifth of that and less: once a second filter scans codes, those that are like the whole copy theirs from here.
// And where searches are so wide that a scan of all codes is cheaper, these are scanned: the ten nearest of minilm-mix-384, 11,389, at ef 512 in
// 57 us in place of 340.
import { bitsetBytes, hasBit, setBit } from "../../base/bitset";
import { CHECKED } from "../../base/codes";
import { align, rowBytes } from "../../base/sizes";
import { keep } from "../../memory/arena";
import { state } from "../../memory/state";
import { GROUP } from "../../memory/store";
import { filters } from "../../table/filters";
import { nodes } from "../../table/nodes";
import { addRow, squaredNorm } from "../../kernel/metric";
import { codeBytes, rotate } from "../../kernel/rotation";
import { decode, exactCodec } from "../../codec/scorer";
import { passing } from "../../search/packed-scan";
import { Coded } from "./coded";
import { makingCost } from "./costs";
import { copyCode, groupBytes, packRow } from "./neighbours";

@unmanaged export class Signs extends Coded {
  row: u32;    // codeBytes() to work with
  listed: u32; // bitset: filters().signed

  /** Of room for so many slots, a multiple of GROUP. */
  static bytes(room: u32): usize {
    return 64 + 2 * <usize>align(codeBytes(), 64) + <usize>align(bitsetBytes(room), 64) + <usize>(room / GROUP) * groupBytes();
  }

  /** In permanent memory; 0 where it cannot grow. */
  static keep(room: u32): Signs {
    const row = <usize>align(codeBytes(), 64), listed = <usize>align(bitsetBytes(room), 64);
    const at = keep(Signs.bytes(room));
    const s = changetype<Signs>(at);
    if (!at) return s;
    s.centre = <u32>(at + 64);
    s.row = <u32>(s.centre + row);
    s.listed = <u32>(s.row + row);
    s.codes = <u32>(s.listed + listed);
    s.slots = 0;
    memory.fill(s.listed, 0, listed);
    return s;
  }
}

/** Those that filters copy from, or 0. */
@inline export function signs(): Signs { return changetype<Signs>(filters().signs); }

/** What follows goes by these, of so many slots, none of which has a code yet. */
export function useSigns(s: Signs, room: u32): void {
  const all = filters();
  all.signs = <u32>changetype<usize>(s);
  all.signed = s.listed;
  all.signedRoom = room;
  all.signedCount = 0;
  meanOf(0, state().live, s.centre);
}

/** Rows that a mean is taken of at most. */
const SAMPLE: u32 = 256;

/**
 * The mean of `n` rows that pass (filter: bitset of slots; 0: all that are live), rotated, to `to`; returns the mean square of how far they
 * are from it.
 */
export function meanOf(filter: usize, n: u32, to: usize): f64 {
  const row = signs().row;
  const d = state().dimensions, bytes = rowBytes(d);
  const every = max(n / SAMPLE, 1);
  let met: u32 = 0, taken: u32 = 0;
  let squares: f64 = 0;
  memory.fill(to, 0, codeBytes());
  for (let first: u32 = 0; first < nodes().count; first += GROUP) {
    for (let bits = passing(first, filter); bits; bits &= bits - 1) {
      if (met++ % every) continue;
      decode(exactCodec(), first + ctz(bits), row);
      squares += squaredNorm(row, d);
      addRow(to, row, bytes);
      taken++;
    }
  }
  for (let p: usize = to; p < to + bytes; p += 4) store<f32>(p, load<f32>(p) / <f32>max(taken, 1));
  rotate(to, to);
  return max(squares / <f64>max(taken, 1) - squaredNorm(to, codeBytes() >> 2), 0);
}

/** A live slot that has room for a code has one; whether it had to be made. */
function sign(slot: u32): bool {
  const all = filters(), s = signs();
  if (CHECKED) assert(slot < all.signedRoom && all.signedRoom % GROUP == 0);
  if (hasBit(all.signed, slot)) return false;
  pack(slot, s.centre, s.codes, slot);
  setBit(all.signed, slot);
  all.signedCount++;
  return true;
}

/** The code of a slot from its row. */
function pack(slot: u32, centre: usize, codes: usize, i: u32): void {
  const row = signs().row;
  decode(exactCodec(), slot, row);
  rotate(row, row);
  packRow(codes, i, centre, row);
}

/**
 * The code of a live slot, seen from `centre`, becomes that at place i of a list: copied where it is seen from the mean of all, else from its row. Whether it
 * was made.
 */
export function codeSlot(slot: u32, centre: usize, codes: usize, i: u32): bool {
  const s = signs();
  if (centre != s.centre || slot >= filters().signedRoom) {
    pack(slot, centre, codes, i);
    return true;
  }
  const made = sign(slot);
  copyCode(s.codes, slot, codes, i);
  return made;
}

/** What is live gets its code, for so many microseconds; whether that is all. Its place is there. */
export function signAll(microseconds: f32): bool {
  const each = makingCost();
  let left = microseconds;
  for (let first: u32 = 0; first < nodes().count; first += GROUP) {
    for (let fresh = passing(first, 0) & ~load<u32>(filters().signed + (first >> 3)); fresh; fresh &= fresh - 1) {
      if (left <= 0) return false;
      sign(first + ctz(fresh));
      left -= each;
    }
  }
  return true;
}
