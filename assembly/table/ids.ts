// id -> slot. While every id is its own slot there is no table at all (state.identity); the first other id builds one:
// open addressing over slot + 1, linear probing, at most 3/4 full, deletion by shifting back, so nothing wears out.
import { E_MEMORY, NONE, OK } from "../base/codes";
import { ID_TABLE, ID_TABLE_BYTES, here, keep } from "../memory/arena";
import { state } from "../memory/state";
import { LIVE, idOf, nodes, stageOf } from "./nodes";

@unmanaged class IdTable {
  entries: u32;  // address; 0 while there is no table
  bits: u32;     // 2^bits entries
}
if (offsetof<IdTable>() > ID_TABLE_BYTES) ERROR("IdTable has outgrown ID_TABLE_BYTES of assembly/memory/arena.ts");

@inline function idTable(): IdTable { return changetype<IdTable>(ID_TABLE + here()); }
@inline function home(id: u32, bits: u32): u32 { return id * 0x9E3779B1 >> (32 - bits); }
@inline function entryAt(i: u32): usize { return idTable().entries + (i << 2); }

/** Where the id is, or would go. */
function probe(id: u32): usize {
  const bits = idTable().bits;
  const mask: u32 = (1 << bits) - 1;
  let i = home(id, bits);
  for (let found = load<u32>(entryAt(i)); found && idOf(found - 1) != id; found = load<u32>(entryAt(i))) i = i + 1 & mask;
  return entryAt(i);
}

/** The live slot of an id, or NONE. */
export function slotOfId(id: u32): u32 {
  if (state().identity) return id < nodes().count && stageOf(id) == LIVE ? id : NONE;
  return load<u32>(probe(id)) - 1; // 0 - 1 = NONE
}

@inline function tableBytes(bits: u32): usize { return <usize>4 << bits; }

/** Of the table that has room for so many ids. */
function bitsFor(ids: u32): u32 {
  let bits: u32 = 8;
  while (<u64>ids * 4 > <u64>3 << bits) bits++;
  return bits;
}

/** What the first table will take, if there is none so far, of an index of so many slots. */
export function roomForIds(slots: u32): usize { return state().identity && !idTable().entries ? tableBytes(bitsFor(slots)) : 0; }

/**
 * Room for `ids` live ids in all. Where there is no table in use yet, one is made ready, for all slots there are, so that it need not grow
 * before they do: useIds() puts it to use.
 */
export function reserveIds(ids: u32): i32 {
  const t = idTable();
  const bits = bitsFor(state().identity ? max(ids, nodes().count) : ids);
  if (bits > t.bits || !t.entries) {
    const entries = keep(tableBytes(bits));
    if (!entries) return E_MEMORY;
    t.entries = <u32>entries;
    t.bits = bits;
  } else if (!state().identity) return OK;
  fillIds();
  return OK;
}

/** From here on ids are other than slots: the table made ready answers. */
export function useIds(): void { state().identity = 0; }

/** The table's memory, where it has so many bytes, for what ends with fillIds(); else 0. */
export function lendIds(bytes: usize): usize { return idTable().entries && tableBytes(idTable().bits) >= bytes ? idTable().entries : 0; }

/** Enters every live slot into the table anew. */
export function fillIds(): void {
  const t = idTable();
  memory.fill(t.entries, 0, tableBytes(t.bits));
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) {
    if (stageOf(slot) == LIVE) store<u32>(probe(idOf(slot)), slot + 1);
  }
}

/** The slot's id column is set and the id is new. */
export function addId(slot: u32): void {
  if (!state().identity) store<u32>(probe(idOf(slot)), slot + 1);
}

export function removeId(id: u32): void {
  if (state().identity) return;
  const bits = idTable().bits;
  const mask: u32 = (1 << bits) - 1;
  let hole = <u32>(probe(id) - idTable().entries) >> 2;
  for (let i = hole + 1 & mask; ; i = i + 1 & mask) {
    const found = load<u32>(entryAt(i));
    if (!found) break;
    // Moves back where its home is not between the hole (excluded) and its place.
    if ((i - home(idOf(found - 1), bits) & mask) >= (i - hole & mask)) {
      store<u32>(entryAt(hole), found);
      hole = i;
    }
  }
  store<u32>(entryAt(hole), 0);
}
