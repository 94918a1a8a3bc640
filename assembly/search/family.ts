// The contract between an index and its family: methods of a class without fields, called once per operation. Which class
// an index has is written down once, where a managed object would have its class id. A call compares that with the ids of
// the classes in this build and goes on directly, so that what has one caller is still inlined; indices in the function
// table would be 2 KB more. A family says only what it does otherwise than the class it extends.
import { OK } from "../base/codes";
import { FAMILY, mark, reset } from "../memory/arena";
import { moveSlots, newNumbers } from "../table/compaction";
import { nodes } from "../table/nodes";
import { clearSlots, freeSlot } from "../table/slots";
import { Ask } from "./ask";

export abstract class Family {
  /** Columns beside the rows, and tables; false where memory cannot grow. */
  open(): bool { return true; }

  /** f32 rows are cut in halves, which walks want (codec/split.ts). */
  halves(): bool { return false; }
  /** Slots are scanned in their order, so that codes which can lie packed. */
  packs(): bool { return false; }
  /** The family chooses the slots of its vectors and keeps the free ones; ids are never slots. */
  places(): bool { return false; }
  /** Removed vectors keep their slots until later. */
  buries(): bool { return false; }

  /** Room in the stores for n more vectors, `fresh` of them in slots that are not there yet, once `gone` have been removed. */
  reserve(n: u32, fresh: u32, gone: u32): bool { return nodes().ensure(nodes().count + fresh) == OK; }
  /** Where memory cannot grow: whether places of removed vectors were waiting, and are free now. */
  reclaim(): bool { return false; }
  /** Room for what follows from a file of so many slots and is not in it. */
  restore(slots: u32): bool { return true; }
  /** Scratch of a search by the index's own effort, with a filter. */
  room(slots: u32): usize { return 0; }
  /** What adding n vectors takes, `chunk` at a time, beside vectors, ids and slots. */
  roomToAdd(n: u32, chunk: u32): usize { return 0; }
  /** What giving places of removed vectors back takes, of so many slots. */
  roomToChange(slots: u32): usize { return 0; }
  /** Takes the scratch that every change takes; false where it cannot grow. */
  openBuilder(): bool { return true; }

  /** As index/change.ts says; scratch is given back there. */
  abstract add(vectors: usize, ids: usize, lists: usize, n: u32): i32;
  /** The slot, whose id is gone, is not found any more. */
  remove(slot: u32): void { freeSlot(slot); }
  /** After n removals. */
  settle(n: u32): void {}
  /** Nothing is live any more. */
  clear(): void { clearSlots(); }
  /** Live slots move together; false, and nothing has changed, where scratch cannot grow. */
  compact(): bool {
    const start = mark();
    const map = newNumbers();
    if (map) {
      this.renumber(map);
      moveSlots(map);
    }
    reset(start);
    return map != 0;
  }
  /** Compacting, where no slot moves. */
  renew(): void {}
  /** Before slots move: what leads to one leads to where the map sends it. */
  renumber(map: usize): void {}

  /** As index/find.ts says. */
  abstract search(ask: Ask): i32;
  abstract exact(ask: Ask): i32;

  /** Whether what leads to slots in a loaded file may be followed: before rows are read. */
  valid(): bool { return true; }
  /** Builds what is not in a file from what is, or checks it by the rows; false where the two do not agree. */
  link(): bool { return true; }
}

/** Where an object's class id lies, seen from it. */
const CLASS_ID: usize = 8;

@inline export function family(): Family { return changetype<Family>(FAMILY); }

@inline export function setFamily(classId: u32): void { store<u32>(FAMILY - CLASS_ID, classId); }
