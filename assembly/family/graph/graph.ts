// The graph as it lies in memory: who links to whom, and how high each slot's tower is.
//
//   layer 0:       links column of the node store, 2M x u32 per slot, ended by NONE where shorter
//   layers above:  one record of the upper store per slot and layer, M x u32, a slot's records consecutive
//
// A fresh slot's level depends on the seed and its number alone, so building in one call or many gives the same graph;
// the level stays with the slot when another vector takes it over.
import { CHECKED, E_MEMORY, GRAPH, NONE, OK } from "../../base/codes";
import { hasBit, setBit } from "../../base/bitset";
import { random64 } from "../../base/random";
import { alloc } from "../../memory/arena";
import { state } from "../../memory/state";
import { layout, nodes, upper } from "../../table/nodes";
import { clearNeighbours, copyCode, openNeighbours, packNeighbour } from "./neighbours";

const TAG_LINKS: u32 = 0x6b6e696c; // "link"
const TAG_TOWER: u32 = 0x72776f74; // "towr"
const TAG_UPPER: u32 = 0x72707075; // "uppr"
const MAX_LEVEL: u32 = 15;
/** In the tower column, behind the level: twins.ts. */
const TWIN: u32 = 16;
const LEVEL_BITS: u32 = 5;

/** Columns; false where memory cannot grow. */
export function openGraph(): bool {
  const s = state();
  const l = layout();
  l.links = nodes().addColumn(TAG_LINKS, s.m << 3);
  l.tower = nodes().addColumn(TAG_TOWER, 4);
  upper().addColumn(TAG_UPPER, max(s.m, 2) << 2);
  return !GRAPH || !s.fastScan || openNeighbours();
}

/** P(level >= l) = M^-l, as the paper's floor(-ln(U) / ln(M)), from a hash of seed and slot. */
function levelOf(slot: u32): u32 {
  const s = state();
  const u = random64(s.seed, slot);
  let level: u32 = 0;
  for (let bar = U64.MAX_VALUE / s.m; u < bar && level < MAX_LEVEL; bar /= s.m) level++;
  return level;
}

@inline function towerAt(slot: u32): usize { return nodes().at(layout().tower, slot); }
/** The highest layer the slot is on. */
export function topOf(slot: u32): u32 { return load<u32>(towerAt(slot)) & MAX_LEVEL; }

/** Slots before those that wait to be linked at once. */
@inline export function linkedSlots(): u32 { return GRAPH ? nodes().count - state().pending : nodes().count; }

/** Whether the slot is no node of its own: twins.ts. */
export function isTwin(slot: u32): bool { return (load<u32>(towerAt(slot)) & TWIN) != 0; }
@inline export function markTwin(slot: u32, twin: bool): void {
  const at = towerAt(slot);
  store<u32>(at, load<u32>(at) & ~TWIN | (twin ? TWIN : 0));
}

/** Bits of those that have twins, by the low bits of their slots: few rows are equal, and columns lie far apart in memory. */
const HOSTS: u32 = 2048;

/** False where memory cannot grow. */
export function openHosts(): bool {
  const at = alloc(HOSTS >> 3);
  if (at) memory.fill(at, 0, HOSTS >> 3);
  layout().hosts = <u32>at;
  return at != 0;
}

/** The node has twins; its bit is set for as long as slots keep their numbers. */
@inline export function noteHost(slot: u32): void { if (GRAPH) setBit(layout().hosts, slot & HOSTS - 1); }
/** False where the node has no twins. */
@inline export function mayHost(slot: u32): bool { return GRAPH ? hasBit(layout().hosts, slot & HOSTS - 1) : state().twins != 0; }

/** Room for `fresh` slots beyond the present ones, in both stores. */
export function reserveGraph(fresh: u32): bool {
  const n = nodes().count;
  let records = upper().count;
  for (let slot = n; slot < n + fresh; slot++) records += levelOf(slot);
  return nodes().ensure(n + fresh) == OK && upper().ensure(records) == OK;
}

/** A fresh slot's tower is built once; a reused one stands already. */
export function raiseTower(slot: u32): void {
  const level = levelOf(slot);
  store<u32>(towerAt(slot), upper().count << LEVEL_BITS | level);
  upper().count += level;
}

/** For a loaded file: towers stand one after the other. */
export function checkTower(slot: u32, firstRecord: u32): bool {
  return load<u32>(towerAt(slot)) >> LEVEL_BITS == firstRecord;
}

/** For compaction, before slots move: links, twins and parents lead to the numbers that slots will have, and the live ones' towers close up. */
export function renumberGraph(map: usize): void {
  const s = state();
  let record: u32 = 0;
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) {
    if (load<u32>(map + (<usize>slot << 2)) == NONE) continue;
    const top = topOf(slot);
    const twin = nodes().at(layout().twin, slot);
    if (load<u32>(twin) != NONE) {
      store<u32>(twin, load<u32>(map + (<usize>load<u32>(twin) << 2)));
      noteHost(load<u32>(map + (<usize>slot << 2)));
    }
    const parent = nodes().at(layout().parent, slot);
    if (load<u32>(parent) != NONE) store<u32>(parent, load<u32>(map + (<usize>load<u32>(parent) << 2)));
    for (let layer: u32 = 0; layer <= top; layer++) {
      const links = linksOf(layer, slot);
      for (let p = links, end = links + (degree(layer, slot) << 2); p < end; p += 4) {
        store<u32>(p, load<u32>(map + (<usize>load<u32>(p) << 2)));
      }
      if (!layer) continue;
      memory.copy(upper().at(0, record + layer - 1), links, s.m << 2);
      if (GRAPH && s.fastScan) memory.copy(upper().at(1, record + layer - 1), codesOf(layer, slot), upper().column(1).stride);
    }
    store<u32>(towerAt(slot), record << LEVEL_BITS | load<u32>(towerAt(slot)) & (TWIN | MAX_LEVEL));
    record += top;
  }
  upper().count = record;
  if (s.entry != NONE) s.entry = load<u32>(map + (<usize>s.entry << 2));
  s.sweepCursor = 0;
  s.unsought = 0;
}

@inline export function degreeLimit(layer: u32): u32 { return layer ? state().m : state().m << 1; }

/** Of a node above layer 0. */
@inline function recordOf(layer: u32, slot: u32): u32 {
  if (CHECKED) assert(layer <= topOf(slot));
  return (load<u32>(towerAt(slot)) >> LEVEL_BITS) + layer - 1;
}

export function linksOf(layer: u32, slot: u32): usize {
  return layer ? upper().at(0, recordOf(layer, slot)) : nodes().at(layout().links, slot);
}

/** Whether links have codes. In files of before there are zeros on layer 1: neighbours that are as far as the node itself. */
@inline export function haveCodes(): bool { return GRAPH && state().fastScan != 0; }

/** fastScan: the codes of those linked to, place by place. */
@inline export function codesOf(layer: u32, slot: u32): usize {
  return layer ? upper().at(1, recordOf(layer, slot)) : nodes().at(layout().neighbours, slot);
}

export function degree(layer: u32, slot: u32): u32 {
  const links = linksOf(layer, slot);
  const limit = degreeLimit(layer);
  let n: u32 = 0;
  while (n < limit && load<u32>(links + (n << 2)) != NONE) n++;
  return n;
}

/** Writes n links (n <= degreeLimit), the rest NONE; where neighbours' codes are kept, those that stay keep their places. */
export function setLinks(layer: u32, slot: u32, from: usize, n: u32): void {
  if (haveCodes()) {
    if (n) {
      changeLinks(layer, slot, from, n);
      return;
    }
    clearNeighbours(codesOf(layer, slot), degreeLimit(layer)); // equal indices are equal byte for byte
  }
  writeLinks(layer, slot, from, n);
}

/** Writes n links, the rest NONE, and no codes. */
export function writeLinks(layer: u32, slot: u32, from: usize, n: u32): void {
  if (CHECKED) assert(n <= degreeLimit(layer));
  const links = linksOf(layer, slot);
  memory.copy(links, from, n << 2);
  memory.fill(links + (n << 2), 0xff, (degreeLimit(layer) - n) << 2);
}

/** Writes one link, at place i. */
export function putLink(layer: u32, slot: u32, i: u32, to: u32): void {
  if (CHECKED) assert(i < degreeLimit(layer) && to < nodes().count && to != slot);
  store<u32>(linksOf(layer, slot) + (i << 2), to);
  if (haveCodes()) packNeighbour(codesOf(layer, slot), i, slot, to);
}

function changeLinks(layer: u32, slot: u32, from: usize, n: u32): void {
  const links = linksOf(layer, slot);
  const codes = codesOf(layer, slot);
  let count = degree(layer, slot);
  for (let i: u32 = 0; i < count; ) {
    if (holds(from, n, load<u32>(links + (i << 2)))) {
      i++;
      continue;
    }
    count--;
    if (i < count) {
      store<u32>(links + (i << 2), load<u32>(links + (count << 2)));
      copyCode(codes, count, codes, i);
    }
    store<u32>(links + (count << 2), NONE);
  }
  for (let i: u32 = 0; i < n; i++) {
    const to = load<u32>(from + (i << 2));
    if (!holds(links, count, to)) putLink(layer, slot, count++, to);
  }
}

/** Whether a slot is one of n. */
export function holds(slots: usize, n: u32, slot: u32): bool {
  for (const end = slots + (n << 2); slots < end; slots += 4) if (load<u32>(slots) == slot) return true;
  return false;
}
