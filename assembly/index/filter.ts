// Filters that last, and bitsets over ids.
import { bitsetBytes, hasBit } from "../base/bitset";
import { GRAPH, NONE } from "../base/codes";
import { align } from "../base/sizes";
import { isCapped, keep, left, mark, release } from "../memory/arena";
import { state } from "../memory/state";
import { GROUP } from "../memory/store";
import { Filter, emptyFilter, filterAt, filterBytes, filters, slotsThere } from "../table/filters";
import { slotOfId } from "../table/ids";
import { LIVE, idOf, nodes, stageOf } from "../table/nodes";
import { passing } from "../search/packed-scan";
import { bulkNow } from "../family/graph/bulk/job";
import { stopLinking } from "../family/graph/bulk/steps";
import { Members, addNew, dropGone } from "../family/graph/members";
import { Signs, signAll, signs, useSigns } from "../family/graph/signs";
import { fits } from "./room";

/** A filter that lasts, which nothing passes yet; 0 where memory cannot grow and leave room to search. */
export function keepFilter(): usize {
  if (GRAPH) stopLinking();
  const slots = slotsThere();
  let at: usize = filters().first;
  while (at && (Filter.at(at).open || Filter.at(at).room < slots)) at = Filter.at(at).next;
  if (at) emptyFilter(Filter.at(at));
  else {
    const start = mark();
    at = keep(filterBytes(slots));
    if (!at || !fits(0, 0)) {
      release(start);
      return 0;
    }
    filterAt(at, slots).next = filters().first;
    filters().first = <u32>at;
  }
  Filter.at(at).open = 1;
  return at;
}

/**
 * Lets the ids pass whose bit is set in `bytes` bytes at `bits`, which are in scratch of their own, of a filter that nothing passes;
 * returns how many live slots do.
 */
export function passBits(address: usize, bits: usize, bytes: u32): u32 {
  const f = Filter.at(address);
  if (state().identity) takeBits(f, bits, bytes);
  else if (bitsSet(bits, bytes) < nodes().count >> 2) passEach(f, bits, bytes);
  else {
    for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) {
      if (stageOf(slot) != LIVE) continue;
      const id = idOf(slot);
      if (id >> 3 < bytes && hasBit(bits, id)) f.pass(slot);
    }
  }
  return f.passing;
}

/** Ids are slots: their bits are the filter's, as far as they are live. */
function takeBits(f: Filter, bits: usize, bytes: u32): void {
  const n = nodes().count;
  const own: usize = f.bits;
  memory.copy(own, bits, min(bytes, bitsetBytes(n)));
  for (let first: u32 = 0; first < n; first += 32) {
    const there = passing(first, own);
    store<u32>(own + (first >> 3), there);
    f.passing += popcnt(there);
  }
}

/** What lies behind the bytes, up to a multiple of 8, is cleared. */
function bitsSet(bits: usize, bytes: u32): u32 {
  const end = bits + bytes, whole = bits + align(bytes, 8);
  memory.fill(end, 0, whole - end);
  let n: u32 = 0;
  for (; bits < whole; bits += 8) n += <u32>popcnt(load<u64>(bits));
  return n;
}

function passEach(f: Filter, bits: usize, bytes: u32): void {
  for (let at: u32 = 0; at < bytes; at += 8) {
    for (let word = load<u64>(bits + at); word; word &= word - 1) {
      const slot = slotOfId((at << 3) + <u32>ctz(word));
      if (slot != NONE) f.pass(slot);
    }
  }
}

/** Fewer rows are as soon scored themselves. */
const LEAST_MEMBERS: u32 = 64;

/**
 * Before a search, no scratch being in use but where slots are linked at once: a filter that lasts, whose codes a search would have scanned, gets them for the next, and
 * keeps them up with what passes; a part of them where they would take longer than so many microseconds. 0: all that is live does. Where memory cannot
 * grow there are none. Whether they were wanted, or there, and memory sufficed.
 */
export function readyFilter(address: usize, microseconds: f32): bool {
  const f = Filter.at(address);
  if (!state().fastScan || bulkNow()) return false;
  if (!address) return readyAll(microseconds);
  if (!(f.wanted || f.coded)) return false;
  f.coded = 0;
  if (f.passing < LEAST_MEMBERS) return false;
  let m = changetype<Members>(f.members);
  if (m) dropGone(f, m);
  if (!m || f.listedRoom < f.room || f.passing + m.holes > m.room || m.holes == m.count) m = keepMembers(f, m);
  f.wanted = 0;
  if (!m) return false;
  f.members = <u32>changetype<usize>(m);
  f.coded = <u32>addNew(f, m, microseconds);
  f.wanted = 1 - f.coded;
  return true;
}

/** No members yet, with room for all that pass and some more: where they were, if it suffices. 0 where memory cannot grow. */
function keepMembers(f: Filter, before: Members): Members {
  const none = changetype<Members>(0);
  const start = mark();
  const listed: usize = f.listedRoom < f.room ? keep(bitsetBytes(f.room)) : f.listed;
  const m = before && before.room >= f.passing ? before : Members.keep(<u32>align(f.passing + (f.passing >> 2), GROUP));
  if (!listed || !m || !fits(0, 0)) {
    release(start);
    return none;
  }
  // The mean of all for the first, room for everybody's codes for whoever comes then; where there is no memory for these members do without.
  keepSigns(signs() ? roomOfAll() : 0);
  if (!signs()) {
    release(start);
    return none;
  }
  m.clear();
  memory.fill(listed, 0, bitsetBytes(f.room));
  f.listed = <u32>listed;
  f.listedRoom = f.room;
  return m;
}

/** Of the memory that is left such a part at most is taken for searches that have no filter, and nothing where the caller has said how much there may be. */
const SPARE: u64 = 8;

/** readyFilter() for all that is live. */
function readyAll(microseconds: f32): bool {
  const all = filters();
  if (!all.wanted) return false;
  all.wanted = 0;
  all.missed = 0;
  const room = roomOfAll();
  if (isCapped() || Signs.bytes(room) > left() / SPARE || !keepSigns(room)) return false;
  all.wanted = <u32>!signAll(microseconds);
  return true;
}

/** Slots there are, and half as many again. */
function roomOfAll(): u32 { return <u32>align(slotsThere() + (slotsThere() >> 1), GROUP); }

/** Signs in use have room for all slots, or are made anew for `room`; false where memory cannot grow to that, and they are as they were. */
function keepSigns(room: u32): bool {
  if (signs() && filters().signedRoom >= slotsThere()) return true;
  const start = mark();
  const s = Signs.keep(room);
  const there = s != changetype<Signs>(0) && fits(0, 0);
  if (there) useSigns(s, room);
  else release(start);
  return there;
}
