// Inverted lists as chains of groups. A group is 32 consecutive slots that belong to one list, so that everything else
// about a slot (columns, ids, filters, files) is as in any other index, a list's rows lie together, and packed codes are
// scanned by the group. What the chains say follows from the groups' owners and the slots' stages: only owners are saved.
//
//   upper store, one record per group: [owner u32: list or NONE], not saved: [next u32: group or NONE]
//   list table, one List per list, and one of groups that belong to none, all their slots free; not saved
import { NONE, OK } from "../base/codes";
import { MAX_SLOTS } from "../base/key";
import { addBlob } from "../memory/blobs";
import { state } from "../memory/state";
import { GROUP } from "../memory/store";
import { moveInFilters } from "./filters";
import { addId, removeId } from "./ids";
import { COLUMN_CODE, COLUMN_ID, COLUMN_STAGE, FREE, LIVE, clearGroup, idOf, layout, nodes, setStage, stageOf, upper } from "./nodes";
import { eraseSlot } from "./slots";

const TAG_OWNER: u32 = 0x72656e77; // "wner"
const TRANSIENT: u32 = 0;

@unmanaged export class List {
  first: u32; // group, or NONE
  free: u32;  // free slots in its groups
  live: u32;
  pad: u32;
}

@inline export function listAt(list: u32): List { return changetype<List>(layout().lists + list * offsetof<List>()); }
@inline function ownerAt(group: u32): usize { return upper().at(0, group); }
@inline function nextAt(group: u32): usize { return upper().at(1, group); }
/** The list that a slot in use belongs to. */
@inline export function listOf(slot: u32): u32 { return load<u32>(ownerAt(slot >> 5)); }
@inline export function nextGroup(group: u32): u32 { return load<u32>(nextAt(group)); }

export function openLists(): bool {
  upper().addColumn(TAG_OWNER, 4);
  upper().addColumn(TRANSIENT, 4);
  layout().lists = <u32>addBlob(TRANSIENT, (state().nlist + 1) * offsetof<List>());
  if (!layout().lists) return false;
  clearLists();
  return true;
}

export function clearLists(): void {
  for (let i: u32 = 0; i <= state().nlist; i++) {
    const list = listAt(i);
    list.first = NONE;
    list.free = 0;
    list.live = 0;
  }
}

/** Groups that belong to no list. */
@inline function pool(): List { return listAt(state().nlist); }

/** Vectors that have room reserved and are still to come in this call. */
let coming: u32 = 0;
export function expect(n: u32): void { coming = n; }

/** Groups that n vectors may need: one more in each list than they fill. */
@inline function groupsFor(n: u32): u32 { return min(n, state().nlist) + (n >> 5) + 1; }

/** Whether a list can have one more vector beside those that are coming, in the room there is. */
export function hasPlace(list: u32): bool {
  if (listAt(list).free) return true;
  const most = min(upper().blocks << upper().shift, nodes().blocks << nodes().shift >> 5);
  return most - upper().count + (pool().free >> 5) > (coming ? groupsFor(coming) : 0);
}

/**
 * Room for n more vectors, wherever they belong: each list may need one more group than they fill. And for the second halves of lists that outgrow
 * the others (balance.ts), which have three times the mean then.
 */
export function reserveLists(n: u32): bool {
  if (!n) return true;
  const halves = (<u32>((<u64>state().live + n) / state().nlist) << 1 >> 5) + 2;
  const groups = <u64>upper().count + groupsFor(n) + halves - min(pool().free >> 5, halves);
  return groups <= MAX_SLOTS / GROUP && upper().ensure(<u32>groups) == OK && nodes().ensure(<u32>groups << 5) == OK;
}

/** The first free slot along the chain, newest group first; a new group where there is none. Room is reserved. */
export function takeSlotOf(listNumber: u32): u32 {
  const list = listAt(listNumber);
  if (!list.free) addGroup(listNumber);
  list.free--;
  list.live++;
  let group = list.first;
  let slot = freeIn(group);
  while (slot == NONE) {
    group = nextGroup(group);
    slot = freeIn(group);
  }
  return slot;
}

@inline function freeIn(group: u32): u32 {
  const stages = nodes().at(COLUMN_STAGE, group << 5);
  for (let i: u32 = 0; i < GROUP; i++) if (load<u8>(stages + i) == FREE) return (group << 5) + i;
  return NONE;
}

/** Gives a slot back to its list, and a group of which nothing is left to whoever needs one. */
export function giveSlotBack(slot: u32): void {
  const list = listAt(listOf(slot));
  eraseSlot(slot);
  store<u32>(nodes().at(COLUMN_ID, slot), NONE);
  list.free++;
  list.live--;
  if (isEmpty(slot >> 5)) giveGroupBack(slot >> 5);
}

function giveGroupBack(group: u32): void {
  const list = listAt(load<u32>(ownerAt(group)));
  if (list.first == group) list.first = nextGroup(group);
  else {
    let before = list.first;
    while (nextGroup(before) != group) before = nextGroup(before);
    store<u32>(nextAt(before), nextGroup(group));
  }
  list.free -= GROUP;
  store<u32>(ownerAt(group), NONE);
  chainGroup(group);
}

function addGroup(listNumber: u32): void {
  const spare = pool().first;
  if (spare != NONE) {
    pool().first = nextGroup(spare);
    pool().free -= GROUP;
    store<u32>(ownerAt(spare), listNumber);
    chainGroup(spare);
    return;
  }
  const group = upper().count++;
  nodes().count = upper().count << 5;
  store<u32>(ownerAt(group), listNumber);
  clearGroup(group << 5);
  for (let slot = group << 5; slot < (group << 5) + GROUP; slot++) {
    setStage(slot, FREE);
    store<u32>(nodes().at(COLUMN_ID, slot), NONE);
  }
  chainGroup(group);
}

/** Puts a group before the others of its owner. */
function chainGroup(group: u32): void {
  const list = listAt(min(load<u32>(ownerAt(group)), state().nlist));
  store<u32>(nextAt(group), list.first);
  list.first = group;
  for (let slot = group << 5; slot < (group << 5) + GROUP; slot++) {
    if (stageOf(slot) == LIVE) list.live++;
    else list.free++;
  }
}

/** Chains what the owners and stages say; false if they cannot be. */
export function linkLists(): bool {
  clearLists();
  if (nodes().count != upper().count << 5) return false;
  for (let group: u32 = 0; group < upper().count; group++) {
    const owner = load<u32>(ownerAt(group));
    if (owner >= state().nlist && !(owner == NONE && isEmpty(group))) return false;
    chainGroup(group);
  }
  return true;
}

/**
 * Moves every list's live slots together at the front, list by list, in place: holes are filled from the list's own end,
 * empty groups with the last ones. Then JS copies the columns into a smaller memory.
 */
export function compactLists(): bool {
  const table = nodes();
  for (let i: u32 = 0; i < state().nlist; i++) closeHoles(i, false);
  let groups: u32 = 0;
  for (let group: u32 = 0; group < upper().count; group++) {
    if (isEmpty(group)) continue;
    if (group != groups) {
      store<u32>(ownerAt(groups), load<u32>(ownerAt(group)));
      for (let c: u32 = 0; c < table.columns; c++) {
        memory.copy(table.at(c, groups << 5), table.at(c, group << 5), table.column(c).stride << 5);
      }
      for (let i: u32 = 0; i < GROUP; i++) moveInFilters((group << 5) + i, (groups << 5) + i);
    }
    groups++;
  }
  upper().count = groups;
  table.count = groups << 5;
  return linkLists();
}

function isEmpty(group: u32): bool {
  for (let slot = group << 5; slot < (group << 5) + GROUP; slot++) if (stageOf(slot) == LIVE) return false;
  return true;
}

/** A list's vectors move together, and the groups that they leave are for others. */
export function closeUp(list: u32): void {
  closeHoles(list, true);
  for (let group = listAt(list).first, next: u32 = NONE; group != NONE; group = next) {
    next = nextGroup(group);
    if (isEmpty(group)) giveGroupBack(group);
  }
}

/** Live slots move to the front of their list's chain, in its order; `findable`: their ids lead to them at once. */
function closeHoles(i: u32, findable: bool): void {
  const table = nodes();
  let toGroup = listAt(i).first;
  let to = toGroup << 5;
  for (let group = toGroup; group != NONE; group = nextGroup(group)) {
    for (let slot = group << 5; slot < (group << 5) + GROUP; slot++) {
      if (stageOf(slot) != LIVE) continue;
      if (slot != to) {
        if (findable) removeId(idOf(slot));
        for (let c: u32 = 0; c < table.columns; c++) table.move(c, slot, to);
        moveInFilters(slot, to);
        if (findable) addId(to);
        setStage(slot, FREE);
        store<u32>(table.at(COLUMN_ID, slot), NONE);
        for (let c = COLUMN_CODE; c < layout().rowColumns; c++) table.clear(c, slot);
      }
      if (++to & (GROUP - 1)) continue;
      toGroup = nextGroup(toGroup);
      to = toGroup << 5;
    }
  }
}
