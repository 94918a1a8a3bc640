// Who might become a node's neighbour, nearest first: what the leaves that it is in have to offer. The list lies where the node's links
// or their codes will be (neighbours.ts), so that building takes no memory per node; where these are too short, in scratch.
//
//   [count u32][lock u32][count entries u32, ascending]   entry: [upper bits of the distance][slot, in slotBits]
//
// Behind as many entries as there may be follows, of layer 0 by dots with codes, a list like it of those that are nearest by distance: leads (selection.ts).
//
// Of a distance as many bits are kept as a slot leaves, 31 - slotBits: of a million slots 8 of the exponent and 4 of the fraction. They
// only decide who is dropped from a full list.
import { THREADS } from "../../../base/simd";
import { state } from "../../../memory/state";
import { codesOf, haveCodes, linksOf } from "../graph";
import { haveLeads } from "../selection";
import { bulk } from "./job";

/** Entries that are enough; of a list in scratch. */
const ENOUGH: u32 = 39;
/** And of leads, two of which become links. */
const LEADING: u32 = 4;
const HEAD: u32 = 8;
/** Links of layer 0 have room for nearly as many from M = 16 on. */
const IN_LINKS: u32 = 16;

/** Whether lists of a layer are in scratch. */
@inline export function needLists(layer: u32): bool { return !haveCodes() && (layer != 0 || state().m < IN_LINKS); }
/** Bytes of one there. */
@inline export function listBytes(): u32 { return HEAD + (max(ENOUGH, state().m << 1) << 2); }

/** Of a node, but for leads. With these they are not longer than its codes: those of M neighbours take 320 bytes or more, of every 32 that begin. */
export function mostCandidates(): u32 {
  const most = max(ENOUGH, state().m << 1);
  if (haveCodes()) return most;
  return needLists(bulk().layer) ? most : (state().m << 1) - (HEAD >> 2);
}

/** Where those of a slot of the layer at hand are. */
export function candidatesOf(slot: u32): usize {
  const b = bulk();
  if (haveCodes()) return codesOf(b.layer, slot);
  return needLists(b.layer) ? b.lists + <usize>placeOf(slot) * listBytes() : linksOf(0, slot);
}

/** Of a slot among those that are being linked. */
function placeOf(slot: u32): u32 {
  const b = bulk();
  let low: u32 = 0, high = b.n;
  while (low < high) {
    const middle = low + high >> 1;
    if (b.slotAt(middle) < slot) low = middle + 1;
    else high = middle;
  }
  return low;
}

@inline export function candidateCount(list: usize): u32 { return load<u32>(list); }
@inline export function candidateAt(list: usize, i: u32): u32 { return load<u32>(list + (<usize>i << 2), HEAD) & (1 << bulk().slotBits) - 1; }
export function clearCandidates(list: usize): void {
  store<u64>(list, 0);
  if (listsLeads()) store<u64>(leadsOf(list), 0);
}

/** Whether those of the layer at hand have leads, and where. */
export function listsLeads(): bool { return bulk().byDots != 0 && haveLeads(bulk().layer); }
export function leadsOf(list: usize): usize { return list + HEAD + (<usize>mostCandidates() << 2); }

/** An entry; `distance` is no less than 0. */
@inline function entryOf(distance: f32, slot: u32): u32 { return entryBy(reinterpret<u32>(distance) << 1, slot); }
/** By dots, where it is minus the dot, and all that are no dot above 0 are one. */
@inline function entryOfDot(distance: f32, slot: u32): u32 { return entryBy(distance < 0 ? ~(reinterpret<u32>(distance) << 1) : u32.MAX_VALUE, slot); }
function entryBy(key: u32, slot: u32): u32 { return key >> bulk().slotBits << bulk().slotBits | slot; }

/** Keeps the nearest; a slot that is there already keeps its least distance. So the order of offers makes no difference. */
export function offerCandidate(list: usize, distance: f32, slot: u32): void {
  offerEntry(list, mostCandidates(), bulk().byDots ? entryOfDot(distance, slot) : entryOf(distance, slot), slot);
}

/** The same of leads, by their distance. */
export function offerLead(list: usize, distance: f32, slot: u32): void { offerEntry(leadsOf(list), LEADING, entryOf(distance, slot), slot); }

function offerEntry(list: usize, most: u32, entry: u32, slot: u32): void {
  if (THREADS) while (atomic.cmpxchg<u32>(list + 4, 0, 1)) {}
  insertCandidate(list, most, entry, slot);
  if (THREADS) atomic.store<u32>(list + 4, 0);
}

@inline function insertCandidate(list: usize, most: u32, entry: u32, slot: u32): void {
  const entries = list + HEAD;
  const slots: u32 = (1 << bulk().slotBits) - 1;
  const count = load<u32>(list);
  let p = entries + (<usize>count << 2);
  const full = count == most;
  if (full && entry >= load<u32>(p - 4)) return;
  for (let other = entries; other < p; other += 4) {
    if ((load<u32>(other) & slots) != slot) continue;
    if (load<u32>(other) <= entry) return;
    insertEntry(entries, other, entry);
    return;
  }
  if (full) p -= 4;
  else store<u32>(list, count + 1);
  insertEntry(entries, p, entry);
}

/** Entries to before `p` are ascending; what is at `p` is lost. */
function insertEntry(entries: usize, p: usize, entry: u32): void {
  for (; p > entries && load<u32>(p - 4) > entry; p -= 4) store<u32>(p, load<u32>(p - 4));
  store<u32>(p, entry);
}
