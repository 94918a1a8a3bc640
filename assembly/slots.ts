// The life of a slot. LIVE answers searches. A removed graph node cannot simply vanish, because others link to it: it
// is DEAD (walked through, never returned), then DOOMED while a sweep cuts every link to it, then FREE for a later add.
// Families without links go from LIVE to FREE at once.
import { ALL, KIND_IVF, NONE } from "./codes";
import { addId } from "./ids";
import { giveSlotBack, takeSlotOf } from "./lists";
import { COLUMN_CODE, COLUMN_ID, layout, nodes, setStage, stageOf, upper } from "./nodes";
import { kindNow, state } from "./state";

export const FREE: u32 = 0;
export const LIVE: u32 = 1;
export const DEAD: u32 = 2;
export const DOOMED: u32 = 3;

@inline export function freeSlots(): u32 {
  const s = state();
  return nodes().count - s.live - s.dead - s.doomed;
}

/** A slot for `id`, free or fresh, under ivf one of `list`; room was reserved. */
export function takeSlot(id: u32, list: u32): u32 {
  const s = state();
  const table = nodes();
  let slot = s.freeHead;
  if (ALL && list != NONE) slot = takeSlotOf(list);
  else if (slot != NONE) s.freeHead = load<u32>(table.at(COLUMN_ID, slot));
  else {
    slot = table.count++;
    if (ALL && !(slot & 31)) clearGroup(slot);
  }
  store<u32>(table.at(COLUMN_ID, slot), id);
  setStage(slot, LIVE);
  s.live++;
  addId(slot);
  if (<u64>id >= s.nextId) s.nextId = <u64>id + 1;
  return slot;
}

/** Clears the rows of 32 slots: a packed section ends with a whole group, and nothing that lay there before is saved. */
export function clearGroup(first: u32): void {
  const table = nodes();
  for (let i = COLUMN_CODE; i < layout().rowColumns; i++) memory.fill(table.at(i, first), 0, table.column(i).stride << 5);
}

/** Gives a slot back. The row is cleared: a removed vector does not linger in a saved file. */
export function freeSlot(slot: u32): void {
  const s = state();
  const table = nodes();
  for (let i = COLUMN_CODE; i < layout().rowColumns; i++) table.clear(i, slot);
  setStage(slot, FREE);
  if (ALL && kindNow() == KIND_IVF) {
    giveSlotBack(slot);
    return;
  }
  store<u32>(table.at(COLUMN_ID, slot), s.freeHead);
  s.freeHead = slot;
}

/** Nothing is live: the table starts again from slot 0. */
export function clearSlots(): void {
  const s = state();
  for (let slot: u32 = 0; slot < nodes().count; slot++) if (stageOf(slot) != FREE) freeSlot(slot);
  nodes().count = 0;
  upper().count = 0;
  s.dead = 0;
  s.doomed = 0;
  s.freeHead = NONE;
  s.sweepCursor = 0;
  s.maxSquaredNorm = 0;
  s.coarse = 1;
  s.watched = 0;
  s.blurred = 0;
}
