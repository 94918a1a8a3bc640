// Renumbers the live slots 0, 1, 2 ... in their order, in place, so that what follows is free. Before: no slot is dead
// or doomed. After: JS copies the columns into a smaller memory.
import { ALL, E_MEMORY, GRAPH, KIND_FOREST, KIND_HNSW, KIND_IVF, KIND_KDTREE, KIND_LSH, NONE, OK } from "../base/codes";
import { alloc, mark, reset } from "../memory/arena";
import { kindNow, state } from "../memory/state";
import { fillIds, reserveIds, useIds } from "../table/ids";
import { compactLists } from "../table/lists";
import { LIVE, nodes, stageOf, upper } from "../table/nodes";
import { filterRows } from "../family/flat/bounds";
import { codesOf, degreeLimit, linksOf, moveTower, topOf } from "../family/graph/graph";
import { linkLsh } from "../family/lsh/lsh";
import { buildTrees, reserveTrees } from "../family/tree/tree";
import { fits, remember, undo } from "./room";

export function compactSlots(): i32 {
  const s = state();
  const table = nodes();
  if (s.live == table.count) return OK;
  const kind = kindNow();
  const trees = ALL && (kind == KIND_KDTREE || kind == KIND_FOREST);
  const before = remember();
  const roomy = reserveIds(s.live) == OK && (!trees || reserveTrees(0)) && fits(0, 0);
  const start = mark();
  const map = roomy ? alloc(ALL && kind == KIND_IVF ? 0 : <usize>table.count << 2) : 0;
  if (!map) {
    undo(before);
    return E_MEMORY;
  }
  if (ALL && kind == KIND_IVF) {
    compactLists();
    fillIds();
    reset(start);
    return OK;
  }
  let to: u32 = 0;
  for (let slot: u32 = 0; slot < table.count; slot++) {
    store<u32>(map + (<usize>slot << 2), stageOf(slot) == LIVE ? to++ : NONE);
  }
  const graph = kind == KIND_HNSW;
  let record: u32 = 0;
  for (let slot: u32 = 0; slot < table.count; slot++) {
    const target = load<u32>(map + (<usize>slot << 2));
    if (target == NONE) continue;
    if (graph) {
      for (let layer: u32 = 0; layer <= topOf(slot); layer++) renumberLinks(layer, slot, map);
      for (let layer: u32 = 1; layer <= topOf(slot); layer++) {
        memory.copy(upper().at(0, record + layer - 1), linksOf(layer, slot), s.m << 2);
        if (GRAPH && s.fastScan) memory.copy(upper().at(1, record + layer - 1), codesOf(layer, slot), upper().column(1).stride);
      }
    }
    if (target != slot) {
      for (let c: u32 = 0; c < table.columns; c++) table.move(c, slot, target);
    }
    if (graph) {
      moveTower(target, record);
      record += topOf(target);
    }
  }
  if (s.entry != NONE) s.entry = load<u32>(map + (<usize>s.entry << 2));
  table.count = to;
  if (graph) upper().count = record;
  s.freeHead = NONE;
  s.sweepCursor = 0;
  useIds(); // a slot's number is no longer its id
  fillIds();
  reset(start);
  if (GRAPH && s.prefilter) filterRows();
  if (trees) buildTrees();
  if (ALL && kind == KIND_LSH) linkLsh();
  return OK;
}

function renumberLinks(layer: u32, slot: u32, map: usize): void {
  const links = linksOf(layer, slot);
  for (let p = links, end = links + (degreeLimit(layer) << 2); p < end; p += 4) {
    const other = load<u32>(p);
    if (other == NONE) break;
    store<u32>(p, load<u32>(map + (<usize>other << 2)));
  }
}
