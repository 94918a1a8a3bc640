// After a sweep, lost nodes are tied back: removing the nodes between two clusters can leave one of them without a link from the
// other, and local repair cannot see that. So whatever the entry cannot reach on a layer is tied to the nearest that it
// can. Costs one pass over the links of the layer. A tie into a full list takes the place of its last link, so that at
// M 2 to 4 another node may in turn be lost; at M 8 and more none was seen.
import { bitsetBytes, hasBit, testAndSet } from "../../base/bitset";
import { alloc, mark, reset } from "../../memory/arena";
import { state } from "../../memory/state";
import { FREE, nodes, stageOf } from "../../table/nodes";
import { bindSlot, walkScorer } from "../../codec/scorer";
import { Builder } from "./builder";
import { degree, degreeLimit, holds, linksOf, putLink, topOf } from "./graph";
import { Walk, beamSearch, begin, descend } from "./walk";

/** Where scratch cannot grow, the layer stays as it is. */
export function reconnect(b: Builder, layer: u32): void {
  const s = state();
  const n = nodes().count;
  const start = mark();
  const reached = alloc(bitsetBytes(n));
  const queue = alloc(<usize>n << 2);
  if (reached && queue) {
    memory.fill(reached, 0, bitsetBytes(n));
    flood(layer, s.entry, reached, queue);
    for (let slot: u32 = 0; slot < n; slot++) {
      if (stageOf(slot) == FREE || topOf(slot) < layer || hasBit(reached, slot)) continue;
      bridge(b, layer, slot, reached);
      flood(layer, slot, reached, queue);
    }
  }
  reset(start);
}

/** Marks all that can be reached from `from`. */
export function flood(layer: u32, from: u32, reached: usize, queue: usize): void {
  let tail: u32 = 0;
  testAndSet(reached, from);
  store<u32>(queue, from);
  for (let head: u32 = 0; head <= tail; head++) {
    const slot = load<u32>(queue + (head << 2));
    const links = linksOf(layer, slot);
    for (let p = links, end = links + (degree(layer, slot) << 2); p < end; p += 4) {
      const other = load<u32>(p);
      if (!testAndSet(reached, other)) store<u32>(queue + (++tail << 2), other);
    }
  }
}

/** Links the nearest reached nodes that a search meets, half of M at most, to `slot` and back; failing that the entry. */
function bridge(b: Builder, layer: u32, slot: u32, reached: usize): void {
  const s = state();
  const w = changetype<Walk>(b.walk);
  bindSlot(b.codec(), walkScorer(), slot);
  begin(w, walkScorer(), s.efConstruction, s.entry);
  for (let l = s.topLevel; l > layer; l--) descend(w, walkScorer(), l);
  beamSearch(w, walkScorer(), layer, u32.MAX_VALUE);
  const pool = w.beam();
  let ties: u32 = 0;
  for (let i: u32 = 0; i < pool.size && ties < max(s.m >> 1, 1); i++) {
    if (!hasBit(reached, pool.slotAt(i))) continue;
    tie(layer, pool.slotAt(i), slot);
    ties++;
  }
  if (!ties) tie(layer, s.entry, slot);
}

function tie(layer: u32, from: u32, to: u32): void {
  addLink(layer, from, to);
  if (degree(layer, to) < degreeLimit(layer)) addLink(layer, to, from);
}

/** Adds a link if it is not there, in place of the last of a full list. */
function addLink(layer: u32, from: u32, to: u32): void {
  const links = linksOf(layer, from);
  const n = degree(layer, from);
  if (holds(links, n, to)) return;
  putLink(layer, from, min(n, degreeLimit(layer) - 1), to);
}
