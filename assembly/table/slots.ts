// The life of a slot. LIVE answers searches. A removed graph node cannot simply vanish, because others link to it: it
// is DEAD (walked through, never returned), then DOOMED while a sweep cuts every link to it, then FREE for a later add.
// Families without links go from LIVE to FREE at once.
import { ALL, CODED, NONE } from "../base/codes";
import { state } from "../memory/state";
import { addId } from "./ids";
import { COLUMN_CODE, COLUMN_ID, FREE, LIVE, clearGroup, layout, nodes, setStage, stageOf, upper } from "./nodes";

@inline export function freeSlots(): u32 {
  const s = state();
  return nodes().count - s.live - s.dead - s.doomed;
}

/** A slot for `id`: `place` where somebody has chosen one, else (NONE) a free or a fresh one; room was reserved. */
export function takeSlot(id: u32, place: u32): u32 {
  const s = state();
  const table = nodes();
  let slot = s.freeHead;
  if (CODED && place != NONE) slot = place;
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

/** Clears a slot's row, that a removed vector does not linger in a saved file, and calls it free. */
export function eraseSlot(slot: u32): void {
  const table = nodes();
  for (let i = COLUMN_CODE; i < layout().rowColumns; i++) table.clear(i, slot);
  setStage(slot, FREE);
}

/** Gives a slot back, for takeSlot() to take. */
export function freeSlot(slot: u32): void {
  const s = state();
  eraseSlot(slot);
  store<u32>(nodes().at(COLUMN_ID, slot), s.freeHead);
  s.freeHead = slot;
}

/** Nothing is live: the table starts again from slot 0. */
export function clearSlots(): void {
  const s = state();
  for (let slot: u32 = 0; slot < nodes().count; slot++) if (stageOf(slot) != FREE) eraseSlot(slot);
  nodes().count = 0;
  upper().count = 0;
  s.dead = 0;
  s.doomed = 0;
  s.freeHead = NONE;
  s.entry = NONE;
  s.topLevel = 0;
  s.sweepCursor = 0;
  s.unsought = 0;
  s.maxSquaredNorm = 0;
  s.sharp = 1;
  s.watched = 0;
  s.blurred = 0;
  s.twins = 0;
  s.pending = 0;
}
