// Whether a loaded graph may be walked.
import { GRAPH, NONE } from "../../base/codes";
import { FREEING, state } from "../../memory/state";
import { DOOMED, FREE, nodes, stageOf, upper } from "../../table/nodes";
import { checkTower, degreeLimit, linkedSlots, linksOf, topOf } from "./graph";
import { rootsAreValid } from "./roots";
import { sweepIsValid, sweptSlots } from "./sweep";
import { clearTwins, twinsAreValid } from "./twins";

/** Towers stand one after the other, links lead to slots in use that are on the layer, and the entry is of the highest. */
export function graphIsValid(): bool {
  const s = state();
  if (!s.twins) clearTwins();
  const n = nodes().count;
  let record: u32 = 0;
  if (s.pending > (GRAPH ? n : 0)) return false;
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
  if (!twinsAreValid() || !rootsAreValid()) return false;
  if (!sweepIsValid()) return false;
  if (s.entry == NONE) return noneIsLinked() && s.topLevel == 0;
  return s.entry < n - s.pending && !isGone(s.entry) && topOf(s.entry) == s.topLevel;
}

function noneIsLinked(): bool {
  for (let slot: u32 = 0, linked = linkedSlots(); slot < linked; slot++) if (stageOf(slot) != FREE) return false;
  return true;
}

/** Whether the entry would be taken away by a sweep that is past its links. */
function isGone(entry: u32): bool {
  const stage = stageOf(entry);
  return stage == FREE || (stage == DOOMED && state().sweepCursor >= FREEING);
}

/** Links of what is to be freed lead nowhere any more. */
function linksAreValid(layer: u32, slot: u32): bool {
  const s = state();
  const freeing = s.sweepCursor >= FREEING && stageOf(slot) == DOOMED;
  const n = nodes().count;
  const links = linksOf(layer, slot);
  const everyoneStays = s.live + s.dead == n; // none free, none doomed: nothing to look up on layer 0
  const swept = slot < sweptSlots() && stageOf(slot) != DOOMED;
  let ended = false;
  for (let p = links, end = links + (degreeLimit(layer) << 2); p < end; p += 4) {
    const other = load<u32>(p);
    if (other == NONE) {
      ended = true;
      continue;
    }
    if (ended || other >= n || other == slot) return false;
    if (layer && topOf(other) < layer) return false;
    if (everyoneStays || freeing) continue;
    const stage = stageOf(other);
    if (stage == FREE || (swept && stage == DOOMED)) return false;
  }
  return true;
}
