// Codes of all that a filter lets pass that lasts, seen from the mean of them or of all there is, for scans (coded.ts).
import { bitsetBytes, hasBit, setBit } from "../../base/bitset";
import { NONE } from "../../base/codes";
import { align } from "../../base/sizes";
import { keep } from "../../memory/arena";
import { GROUP } from "../../memory/store";
import { Filter } from "../../table/filters";
import { codeBytes } from "../../kernel/rotation";
import { Coded, squareBetween } from "./coded";
import { copyingCost, makingCost } from "./costs";
import { groupBytes } from "./neighbours";
import { codeSlot, meanOf, signs } from "./signs";

@unmanaged export class Members extends Coded {
  holes: u32; // places whose slot passes no more
  room: u32;  // places, a multiple of GROUP
  own: u32;   // codeBytes(), for the mean, which the centre is, or else that of all (signs.ts)

  /** In permanent memory; 0 where it cannot grow. */
  static keep(room: u32): Members {
    const head = <usize>align(offsetof<Members>(), 64), slots = <usize>room << 2;
    const at = keep(head + slots + codeBytes() + 64 + <usize>(room / GROUP) * groupBytes());
    const m = changetype<Members>(at);
    if (!at) return m;
    m.room = room;
    m.slots = <u32>(at + head);
    m.own = <u32>align(m.slots + slots, 64);
    m.codes = <u32>align(m.own + codeBytes(), 64);
    m.clear();
    return m;
  }

  clear(): void {
    this.count = 0;
    this.holes = 0;
    memory.fill(this.slots, 0xff, <usize>this.room << 2);
  }

  /** Whether its code had to be made. */
  add(slot: u32): bool {
    store<u32>(this.slots + (<usize>this.count << 2), slot);
    return codeSlot(slot, this.centre, this.codes, this.count++);
  }
}

/** Makes a hole of whatever has gone, or is another vector now. */
export function dropGone(f: Filter, m: Members): void {
  if (!f.gone) return;
  f.gone = 0;
  for (let i: u32 = 0; i < m.count; i++) {
    const slot = m.slotAt(i);
    if (slot == NONE || (slot < f.listedRoom && hasBit(f.listed, slot))) continue;
    store<u32>(m.slots + (<usize>i << 2), NONE);
    m.holes++;
  }
}

/** Adds what passes and is not listed, for so many microseconds; whether that is all. */
export function addNew(f: Filter, m: Members, microseconds: f32): bool {
  if (!m.count) findCentre(f, m);
  let left = microseconds;
  for (let at: u32 = 0, end = <u32>bitsetBytes(f.room); at < end; at += 8) {
    for (let fresh = load<u64>(f.bits + at) & ~load<u64>(f.listed + at); fresh; fresh &= fresh - 1) {
      if (left <= 0) return false;
      const slot = (at << 3) + <u32>ctz(fresh);
      setBit(f.listed, slot);
      left -= m.add(slot) ? makingCost() : copyingCost();
    }
  }
  return true;
}

/** Codes are seen from the mean of all where that is off by so small a part of the mean square of how far members are from theirs. */
const OFF: f64 = 0.125;

function findCentre(f: Filter, m: Members): void {
  const square = meanOf(f.bits, f.passing, m.own);
  m.centre = squareBetween(m.own, signs().centre) <= OFF * square ? signs().centre : m.own;
}
