// Codes of slots, whatever filter they pass, 32 by 32 in the order of slots and seen from the mean of all. To rotate a row and code it takes some
// (d + 40) / 256 us, to copy its code an eighth of that: once a second filter scans codes, those that are like the whole copy theirs from here.
import { bitsetBytes, hasBit, setBit } from "../../base/bitset";
import { rowBytes } from "../../base/sizes";
import { keep } from "../../memory/arena";
import { state } from "../../memory/state";
import { GROUP } from "../../memory/store";
import { filters } from "../../table/filters";
import { nodes } from "../../table/nodes";
import { addRow, squaredNorm } from "../../kernel/metric";
import { codeBytes, rotate } from "../../kernel/rotation";
import { decode, exactCodec } from "../../codec/scorer";
import { passing } from "../../search/packed-scan";
import { copyCode, groupBytes, packRow } from "./neighbours";

@unmanaged export class Signs {
  centre: u32; // codeBytes(): the mean of all, rotated
  row: u32;    // codeBytes() to work with
  listed: u32; // bitset of the slots that have a code: filters().signed
  codes: u32;  // room / GROUP groups

  /** In permanent memory, for `room` slots, a multiple of GROUP; 0 where it cannot grow. */
  static keep(room: u32): Signs {
    const head: usize = 64, row: usize = codeBytes() + 63 & ~63;
    const listed = room ? bitsetBytes(room) + 63 & ~63 : 0;
    const at = keep(head + 2 * row + listed + <usize>(room / GROUP) * groupBytes());
    const s = changetype<Signs>(at);
    if (!at) return s;
    s.centre = <u32>(at + head);
    s.row = <u32>(s.centre + row);
    s.listed = <u32>(s.row + row);
    s.codes = <u32>(s.listed + listed);
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

/**
 * The code of a slot, seen from `centre`, becomes that at place i of a list: copied where it is known and seen from the mean of all, else from
 * its row. Whether it was made.
 */
export function codeSlot(slot: u32, centre: usize, codes: usize, i: u32): bool {
  const all = filters(), s = signs();
  const shared = centre == s.centre && slot < all.signedRoom;
  const known = shared && hasBit(all.signed, slot);
  if (!known) {
    const place = shared ? slot : i;
    decode(exactCodec(), slot, s.row);
    rotate(s.row, s.row);
    packRow((shared ? s.codes : codes) + <usize>(place / GROUP) * groupBytes(), place & GROUP - 1, centre, s.row);
  }
  if (shared) {
    setBit(all.signed, slot);
    copyCode(s.codes, slot, codes, i);
  }
  return !known;
}
