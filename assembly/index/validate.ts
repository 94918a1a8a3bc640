// A loaded file is believed only after this: whatever its bytes say, no search reads outside the index or answers with
// what was never stored. Checksums guard against accident; this guards against a file that was made wrong.
import { ALL, GRAPH, KIND_FOREST, KIND_HNSW, KIND_IVF, KIND_KDTREE, KIND_LSH, NONE } from "../base/codes";
import { blob, blobCount } from "../memory/blobs";
import { isOfUnits } from "../memory/metrics";
import { isAugmented, kindNow, state } from "../memory/state";
import { fillIds, slotOfId } from "../table/ids";
import { linkLists } from "../table/lists";
import { COLUMN_ID, DOOMED, FREE, LIVE, idOf, layout, nodes, stageOf, upper } from "../table/nodes";
import { coarseCodec, exactCodec, isSound, scanNominates } from "../codec/scorer";
import { finishTables } from "../learn/training";
import { filterRows } from "../family/flat/bounds";
import { checkTower, degreeLimit, linksOf, topOf } from "../family/graph/graph";
import { linkLsh } from "../family/lsh/lsh";
import { treesAreValid } from "../family/tree/tree";

/** True if the copied columns are an index that could have been built. Fills the id table; restore() made the room. */
export function isValid(): bool {
  if (!tablesAreValid()) return false;
  const kind = kindNow();
  if (ALL && kind == KIND_IVF && !(stagesAreValid() && linkLists())) return false;
  if (!stagesAreValid() || !idsAreValid() || !rowsAreValid()) return false;
  if (kind == KIND_HNSW) return graphIsValid();
  if (ALL && (kind == KIND_KDTREE || kind == KIND_FOREST)) return treesAreValid();
  if (ALL && kind == KIND_LSH) linkLsh();
  if (GRAPH && state().prefilter) filterRows();
  return true;
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
  if (live != s.live || dead != s.dead || doomed != s.doomed || s.sweepCursor > n) return false;
  if (kindNow() != KIND_HNSW && dead + doomed) return false;
  if (kindNow() == KIND_IVF) return s.freeHead == NONE; // lists have their own
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
    if (!isSound(exactCodec(), slot) || (scanNominates() && !isSound(coarseCodec(), slot))) return false;
    if (isOfUnits() && !isLength(load<f32>(table.at(layout().norm, slot)))) return false;
    if (augmented && !isLength(load<f32>(table.at(layout().extra, slot)))) return false;
  }
  return true;
}

function graphIsValid(): bool {
  const s = state();
  const n = nodes().count;
  let record: u32 = 0;
  for (let slot: u32 = 0; slot < n; slot++) {
    if (!checkTower(slot, record)) return false;
    record += topOf(slot);
    if (record > upper().count) return false;
  }
  if (record != upper().count) return false;
  for (let slot: u32 = 0; slot < n; slot++) {
    if (stageOf(slot) == FREE) continue;
    for (let layer: u32 = 0; layer <= topOf(slot); layer++) if (!linksAreValid(layer, slot)) return false;
  }
  if (s.entry == NONE) return s.live + s.dead + s.doomed == 0 && s.topLevel == 0;
  return s.entry < n && stageOf(s.entry) != FREE && topOf(s.entry) == s.topLevel;
}

function linksAreValid(layer: u32, slot: u32): bool {
  const s = state();
  const n = nodes().count;
  const links = linksOf(layer, slot);
  const everyoneStays = s.live + s.dead == n; // none free, none doomed: nothing to look up on layer 0
  const swept = slot < s.sweepCursor && stageOf(slot) != DOOMED;
  let ended = false;
  for (let p = links, end = links + (degreeLimit(layer) << 2); p < end; p += 4) {
    const other = load<u32>(p);
    if (other == NONE) {
      ended = true;
      continue;
    }
    if (ended || other >= n || other == slot) return false;
    if (layer && topOf(other) < layer) return false;
    if (everyoneStays) continue;
    const stage = stageOf(other);
    if (stage == FREE || (swept && stage == DOOMED)) return false;
  }
  return true;
}
