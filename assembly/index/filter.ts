// Filters that last, and bitsets over ids.
import { bitsetBytes, hasBit } from "../base/bitset";
import { GRAPH, NONE } from "../base/codes";
import { align } from "../base/sizes";
import { keep, left, mark, release } from "../memory/arena";
import { state } from "../memory/state";
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
 * keeps them up with what passes; a part of them where they would take longer than so many 256ths of a microsecond. 0: all that is live does. Where memory cannot
 * grow there are none. Whether any were wanted.
 */
export function readyFilter(address: usize, time: u32): bool {
  const f = Filter.at(address);
  if (!state().fastScan || bulkNow()) return false;
  if (!address) return readyAll(time);
  if (!(f.wanted || f.coded)) return false;
  f.coded = 0;
  if (f.passing < LEAST_MEMBERS) return false;
  let m = changetype<Members>(f.members);
  if (m) dropGone(f, m);
  if (!m || f.listedRoom < f.room || f.passing + m.holes > m.room || m.holes == m.count) m = keepMembers(f, m);
  f.wanted = 0;
  if (!m) return false;
  f.members = <u32>changetype<usize>(m);
  f.coded = <u32>addNew(f, m, time);
  f.wanted = 1 - f.coded;
  return true;
}

/** The same for all that is live. */
function readyAll(time: u32): bool {
  const all = filters();
  if (!all.wanted) return false;
  all.wanted = 0;
  all.missed = 0;
  if (!keepSigns(true)) return false;
  all.wanted = <u32>!signAll(time);
  return true;
}

/** No members yet, with room for all that pass and some more: where they were, if it suffices. 0 where memory cannot grow. */
function keepMembers(f: Filter, before: Members): Members {
  if (!keepSigns(false)) return changetype<Members>(0);
  const start = mark();
  const listed: usize = f.listedRoom < f.room ? keep(bitsetBytes(f.room)) : f.listed;
  const m = before && before.room >= f.passing ? before : Members.keep(<u32>align(f.passing + (f.passing >> 2), 32));
  if (!listed || !m || !fits(0, 0)) {
    release(start);
    return changetype<Members>(0);
  }
  m.clear();
  memory.fill(listed, 0, bitsetBytes(f.room));
  f.listed = <u32>listed;
  f.listedRoom = f.room;
  return m;
}

/** Of the memory that is left nobody has asked for more than such a part to be taken for searches without a filter. */
const SPARE: u64 = 8;

/**
 * The mean of all for the first filter, unless room is wanted at once; room for codes of all slots and of half as many again for whoever comes then. False where memory
 * cannot grow: not even to the mean, or where room is wanted.
 */
function keepSigns(atOnce: bool): bool {
  const slots = slotsThere();
  if (signs() && filters().signedRoom >= slots) return true;
  const room = signs() || atOnce ? slots + (slots >> 1) : 0;
  const start = mark();
  if (atOnce && Signs.bytes(room) > left() / SPARE) return false;
  const s = Signs.keep(room);
  const there = s != changetype<Signs>(0) && fits(0, 0);
  if (there) useSigns(s, room);
  else release(start);
  return there || (!atOnce && signs() != changetype<Signs>(0));
}
