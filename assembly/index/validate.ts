// A loaded file is believed only after this: whatever its bytes say, no search reads outside the index or answers with
// what was never stored. Checksums guard against accident; this guards against a file that was made wrong.
import { ALL, NONE } from "../base/codes";
import { blob, blobCount } from "../memory/blobs";
import { isOfUnits } from "../memory/metrics";
import { isAugmented, state } from "../memory/state";
import { fillIds, slotOfId } from "../table/ids";
import { COLUMN_ID, DOOMED, FREE, LIVE, idOf, layout, nodes, stageOf } from "../table/nodes";
import { exactCodec, isSound, ownCodec, scanNominates } from "../codec/scorer";
import { family } from "../search/family";
import { finishTables } from "../learn/training";

/** True if the copied columns are an index that could have been built. Fills the id table; restore() made the room. */
export function isValid(): bool {
  return tablesAreValid() && stagesAreValid() && family().valid() && idsAreValid() && rowsAreValid() && family().link();
}

/** Learned tables hold finite values of a size that vectors have; what follows from them is computed. */
function tablesAreValid(): bool {
  if (!ALL) return true;
  for (let i: u32 = 0; i < blobCount(); i++) {
    const b = blob(i);
    if (!b.tag) continue;
    for (let p: usize = b.address, end = p + b.bytes; p < end; p += 4) if (!(abs(load<f32>(p)) <= LONGEST)) return false;
  }
  if (state().trained) finishTables();
  return true;
}

function stagesAreValid(): bool {
  const s = state();
  const n = nodes().count;
  let live: u32 = 0, dead: u32 = 0, doomed: u32 = 0, free: u32 = 0;
  for (let slot: u32 = 0; slot < n; slot++) {
    const stage = stageOf(slot);
    if (stage > DOOMED) return false;
    if (stage == FREE) free++;
    else if (stage == LIVE) live++;
    else if (stage == DOOMED) doomed++;
    else dead++;
  }
  if (live != s.live || dead != s.dead || doomed != s.doomed || s.unsought > n) return false;
  if (!family().buries() && (dead + doomed || s.sweepCursor > n)) return false;
  if (family().places()) return s.freeHead == NONE;
  let slot = s.freeHead;
  for (; free && slot < n && stageOf(slot) == FREE; free--) slot = load<u32>(nodes().at(COLUMN_ID, slot));
  return !free && slot == NONE; // as many steps as free slots, then the end: no cycle
}

function idsAreValid(): bool {
  const s = state();
  const n = nodes().count;
  if (s.identity > 1 || s.nextId > 0xffffffff) return false;
  for (let slot: u32 = 0; slot < n; slot++) {
    if (stageOf(slot) != LIVE) continue;
    const id = idOf(slot);
    if (<u64>id >= s.nextId || (s.identity && id != slot)) return false;
  }
  if (s.identity) return true;
  fillIds();
  for (let slot: u32 = 0; slot < n; slot++) if (stageOf(slot) == LIVE && slotOfId(idOf(slot)) != slot) return false;
  return true;
}

const LONGEST: f32 = 9223372036854775808.0; // 2^63 > every norm let in
@inline function isLength(v: f32): bool { return v >= 0 && v <= LONGEST; }

function rowsAreValid(): bool {
  const s = state();
  const table = nodes();
  const augmented = isAugmented();
  if (augmented && !(s.maxSquaredNorm >= 0 && s.maxSquaredNorm < Infinity)) return false;
  for (let slot: u32 = 0; slot < table.count; slot++) {
    if (stageOf(slot) == FREE) continue;
    if (!isSound(exactCodec(), slot) || (scanNominates() && !isSound(ownCodec(), slot))) return false;
    if (isOfUnits() && !isLength(load<f32>(table.at(layout().norm, slot)))) return false;
    if (augmented && !isLength(load<f32>(table.at(layout().extra, slot)))) return false;
  }
  return true;
}
