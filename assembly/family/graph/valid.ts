// Whether a loaded graph may be walked.
import { GRAPH, NONE } from "../../base/codes";
import { state } from "../../memory/state";
import { DOOMED, FREE, nodes, stageOf, upper } from "../../table/nodes";
import { checkTower, degreeLimit, linksOf, topOf } from "./graph";
import { rootsAreValid } from "./roots";
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
  if (s.entry == NONE) return (s.pending == n || s.live + s.dead + s.doomed == 0) && s.topLevel == 0;
  return s.entry < n - s.pending && stageOf(s.entry) != FREE && topOf(s.entry) == s.topLevel;
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
