// Equal rows are one node with many ids. The first of them is in the graph; the others, its twins, are a list that hangs on it:
// nobody links to them, and all they link to is the node. So a crowd of copies takes one place in a beam and one of a neighbour's
// links, where as nodes of their own copies link to nothing but each other (33 of them at M = 16) and hide what is behind.
//
// Rows that a walk cannot tell from a node, since they are as near to it as it is to itself but for rounding, hang on it as well, some
// of them: they come before its equals, and a search scores each of them.
//
//   twin column, u32 per slot: of a node its first twin, of a twin the next; NONE where there is none
//                              of a doomed node: the twin that has taken its place (heir)
import { ALL, CODEC_PQ, CODEC_RABITQ, GRAPH, NONE } from "../../base/codes";
import { byKernel, isOfUnits, isSigned } from "../../memory/metrics";
import { isAugmented, state } from "../../memory/state";
import { COLUMN_CODE, DOOMED, FREE, LIVE, layout, nodes, stageOf } from "../../table/nodes";
import { alloc } from "../../memory/arena";
import { hasBit } from "../../base/bitset";
import { Codec, Scorer, nominates, scanNominates, scoreMany } from "../../codec/scorer";
import { Pool } from "../../search/pool";
import { TopK } from "../../search/topk";
import { adopt, parentOf, setParent } from "./roots";
import { codesOf, degree, haveCodes, isTwin, linksOf, markTwin, mayHost, noteHost, openHosts, setLinks, topOf, writeLinks } from "./graph";

const TAG_TWIN: u32 = 0x6e697774; // "twin"

/** Room to score a slot by itself; false where memory cannot grow. */
export function openOne(): bool {
  layout().one = <u32>alloc(32);
  return layout().one != 0;
}

/** The same, and the column. */
export function openTwins(): bool {
  layout().twin = nodes().addColumn(TAG_TWIN, 4);
  return openOne() && (!GRAPH || openHosts());
}

// Not inlined, all of them: what reads a column is long, and crowds are rare.
function twinOf(slot: u32): u32 { return load<u32>(nodes().at(layout().twin, slot)); }
function setTwin(slot: u32, to: u32): void { store<u32>(nodes().at(layout().twin, slot), to); }

/** The one link of a twin. */
function hostOf(twin: u32): u32 { return load<u32>(linksOf(0, twin)); }
function setHost(twin: u32, node: u32): void { store<u32>(linksOf(0, twin), node); }

/** A slot that is to be linked, whatever it was before. */
export function standAlone(slot: u32): void {
  setTwin(slot, NONE);
  markTwin(slot, false);
  setParent(slot, NONE);
}

/** The column is in a file where it says anything: state().twins. */
export function clearTwins(): void {
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) setTwin(slot, NONE);
}

/** Whether no search can tell two slots apart. */
function areEqual(a: u32, b: u32): bool {
  const table = nodes();
  const l = layout();
  for (let c = COLUMN_CODE; c < l.rowColumns; c++) {
    if ((isOfUnits() && c == l.norm) || (isAugmented() && c == l.extra)) continue;
    if (memory.compare(table.at(c, a), table.at(c, b), table.column(c).stride)) return false;
  }
  return true;
}

/** Twins of a node that are not equal to it at most. */
const MOST_NEAR: u32 = 64;

/** Sums of products of unit rows are off by some units in the last place. */
const ROUNDING: f32 = 2.384185791015625e-7; // 2^-22

/**
 * How much farther than a row is from itself another may be for a walk to take them for equal: below 0, not at all. Differences are
 * exact; of a row that was rounded before (sq8), who is nearer than itself looks equal. Dots are off by their own size; under `dot`, augmented or not, they
 * say nothing of who is near. Where exact rows are at hand these tell (blur.ts), and codes that are learned would take too many for equal.
 */
function noiseOf(by: Codec, itself: f32): f32 {
  if (nominates(by) || isSigned()) return -1;
  if (ALL && !scanNominates() && (state().codec == CODEC_PQ || state().codec == CODEC_RABITQ)) return -1;
  return byKernel<f32>(0, 0, ROUNDING * (isOfUnits() ? 1 : abs(itself)));
}

/**
 * Whether `slot`, which is linked nowhere, has become a twin of somebody in the beam around it, of an equal row if there is one; `itself`: its
 * distance from itself.
 */
export function joinNearest(pool: Pool, by: Codec, slot: u32, itself: f32): bool {
  if (twinOf(slot) != NONE) return false; // built at once: it has twins itself, and no equal is elsewhere
  const noise = noiseOf(by, itself);
  const bound = itself + max(noise, 0);
  let near = NONE;
  for (let i: u32 = 0; i < pool.size && pool.distanceAt(i) <= bound; i++) {
    const other = pool.slotAt(i);
    if (stageOf(other) == DOOMED || isTwin(other)) continue;
    if (pool.distanceAt(i) == itself && areEqual(other, slot)) {
      joinTwins(other, slot);
      return true;
    }
    if (near == NONE && noise >= 0 && hasRoomForNear(other)) near = other;
  }
  if (near == NONE) return false;
  hang(near, slot, near);
  return true;
}

/** `slot`, which stands alone, becomes a twin of `node`, which is no twin and equal to it. */
function joinTwins(node: u32, slot: u32): void { hang(node, slot, lastNear(node)); }

/** The last twin of a node that is not equal to it, or the node. */
function lastNear(node: u32): u32 {
  let last = node;
  for (let slot = twinOf(node); slot != NONE && !areEqual(node, slot); slot = twinOf(slot)) last = slot;
  return last;
}

function hasRoomForNear(node: u32): bool {
  let n: u32 = 0;
  for (let slot = twinOf(node); slot != NONE && n < MOST_NEAR && !areEqual(node, slot); slot = twinOf(slot)) n++;
  return n < MOST_NEAR;
}

@inline function putBehind(before: u32, slot: u32): void {
  setTwin(slot, twinOf(before));
  setTwin(before, slot);
}

/** Into the list of `node`, behind `before`, which may be the node. */
function hang(node: u32, slot: u32, before: u32): void {
  putBehind(before, slot);
  noteHost(node);
  markTwin(slot, true);
  for (let layer = topOf(slot); layer > 0; layer--) setLinks(layer, slot, 0, 0);
  leadTo(slot, node);
  state().twins++;
}

/** The one link of a twin. Codes of zeros are those of a neighbour at no distance. */
function leadTo(slot: u32, node: u32): void {
  setLinks(0, slot, 0, 0);
  setHost(slot, node);
}

/** The node that a slot is a twin of, or itself. */
@inline export function nodeOf(slot: u32): u32 { return isTwin(slot) ? hostOf(slot) : slot; }

/** In place of a filter: all slots are live and pass. */
export const EVERY: usize = u32.MAX_VALUE;

/**
 * Whether the node or a twin of it is live and passes (filter: bitset of live slots, 0 = all that are live, or EVERY). Stages and twins are in columns
 * far apart: where both were looked at for each node, a search for a hundred neighbours took a fifth longer.
 */
export function anyPasses(node: u32, filter: usize): bool { return passes(node, filter) || anyTwinPasses(node, filter); }

function anyTwinPasses(node: u32, filter: usize): bool {
  if (!mayHost(node) || stageOf(node) == DOOMED) return false;
  for (let slot = twinOf(node); slot != NONE; slot = twinOf(slot)) if (passes(slot, filter)) return true;
  return false;
}

/**
 * Offers a node and its twins, those that are live and pass: equals at one distance, all of them, since the lowest ids come first; others
 * by the scorer that the node's distance is from.
 */
export function offerTwins(distance: f32, node: u32, filter: usize, top: TopK, scorer: Scorer): void {
  if (passes(node, filter)) top.offer(distance, node);
  if (!mayHost(node) || stageOf(node) == DOOMED) return;
  let near = true;
  for (let slot = twinOf(node); slot != NONE; slot = twinOf(slot)) {
    near = near && !areEqual(node, slot);
    if (!near && distance > top.bound) return;
    if (!passes(slot, filter)) continue;
    if (near) offerScored(slot, top, scorer);
    else top.offer(distance, slot);
  }
}

function offerScored(slot: u32, top: TopK, scorer: Scorer): void {
  const at: usize = layout().one;
  store<u32>(at, slot);
  scoreMany(scorer, at, 1, at + 16);
  top.offer(load<f32>(at, 16), slot);
}

@inline function passes(slot: u32, filter: usize): bool {
  return filter == EVERY || (filter ? hasBit(filter, slot) : stageOf(slot) == LIVE);
}

/**
 * Before a sweep cuts what is doomed: doomed twins leave their lists, and where a node is doomed that has twins left, one of them, an equal
 * one if there is one, takes its place on layer 0.
 */
export function partTwins(): void {
  if (!state().twins) return;
  for (let node: u32 = 0, n = nodes().count; node < n; node++) {
    if (stageOf(node) == FREE || isTwin(node) || twinOf(node) == NONE) continue;
    let last = node;
    for (let slot = twinOf(node); slot != NONE; ) {
      const next = twinOf(slot);
      if (stageOf(slot) == DOOMED) {
        setTwin(last, next);
        standAlone(slot);
        setLinks(0, slot, 0, 0);
        state().twins--;
      } else last = slot;
      slot = next;
    }
    if (stageOf(node) == DOOMED && twinOf(node) != NONE) inherit(node);
  }
}

/** A twin gets the links of a doomed node on layer 0, and the other twins. Links to the node become links to it: sweep.ts. */
function inherit(node: u32): void {
  const near = lastNear(node);
  let heir = twinOf(near);
  if (heir == NONE) {
    // Of those that were not equal to the node some may be equal to the heir.
    heir = twinOf(node);
    let slot = twinOf(heir);
    setTwin(heir, NONE);
    for (let next = NONE; slot != NONE; slot = next) {
      next = twinOf(slot);
      putBehind(areEqual(heir, slot) ? lastNear(heir) : heir, slot);
    }
  } else if (near != node) {
    setTwin(near, twinOf(heir));
    setTwin(heir, twinOf(node));
    setTwin(node, heir);
  }
  markTwin(heir, false);
  noteHost(heir);
  writeLinks(0, heir, linksOf(0, node), degree(0, node));
  if (haveCodes()) memory.copy(codesOf(0, heir), codesOf(0, node), nodes().column(layout().neighbours).stride);
  for (let p = linksOf(0, heir), end = p + (degree(0, heir) << 2); p < end; p += 4) {
    if (parentOf(load<u32>(p)) == node) setParent(load<u32>(p), heir);
  }
  adopt(node, heir);
  for (let slot = twinOf(heir); slot != NONE; slot = twinOf(slot)) setHost(slot, heir);
}

/** The twin that stands in for a doomed node, or NONE. */
export function heirOf(doomed: u32): u32 { return state().twins ? twinOf(doomed) : NONE; }

/** A doomed node is about to be free. */
export function forgetHeir(doomed: u32): void {
  if (twinOf(doomed) != NONE) state().twins--;
  setTwin(doomed, NONE);
}

// ---- many at once -------------------------------------------------------------------------------------------------

/** Room for joinSomeTwins() of n slots: slots by the hash of their rows, open addressing, NONE where empty. 0 where scratch cannot grow. */
export function openHashes(n: u32): usize {
  const bytes = <usize>4 << hashBits(n);
  const table = alloc(bytes);
  if (table) memory.fill(table, 0xff, bytes);
  return table;
}

@inline function hashBits(n: u32): u32 { return 33 - clz(n | 7); }

/**
 * Of slots from `first` on, which have no links, those that are equal to an earlier one, whichever, become its twins: looks at slots from..to of
 * n, once all before have been looked at.
 */
export function joinSomeTwins(table: usize, n: u32, first: u32, from: u32, to: u32): void {
  const mask: u32 = (1 << hashBits(n)) - 1;
  for (let slot = from; slot < to; slot++) {
    if (isTwin(slot) || (slot < first && stageOf(slot) != LIVE)) continue;
    for (let i = hashOf(slot) & mask; ; i = i + 1 & mask) {
      const place = table + (<usize>i << 2);
      const other = load<u32>(place);
      if (other == NONE) {
        store<u32>(place, slot);
        break;
      }
      if (!areEqual(other, slot)) continue;
      if (slot >= first && twinOf(slot) == NONE) joinTwins(other, slot);
      break;
    }
  }
}

/** Of the codes that a slot has: words mixed one after the other (the multiplier of splitmix64). */
function hashOf(slot: u32): u32 {
  const stride = nodes().column(COLUMN_CODE).stride;
  let p = nodes().at(COLUMN_CODE, slot);
  let hash: u64 = 0;
  for (const end = p + (stride & ~3); p < end; p += 4) hash = (hash ^ load<u32>(p)) * 0xbf58476d1ce4e5b9 ^ hash >> 29;
  for (const end = p + (stride & 3); p < end; p++) hash = (hash ^ load<u8>(p)) * 0xbf58476d1ce4e5b9;
  return <u32>(hash >> 32);
}

// ---- of a file ----------------------------------------------------------------------------------------------------

/** Lists hang on nodes, each twin on one and linked to nothing else, not many of them before its equals; and as many as the state says. */
export function twinsAreValid(): bool {
  const n = nodes().count;
  let marked: u32 = 0, listed: u32 = 0, heirs: u32 = 0;
  for (let slot: u32 = 0; slot < n; slot++) {
    if (stageOf(slot) == FREE) continue;
    if (isTwin(slot)) marked++;
    else if (stageOf(slot) == DOOMED) {
      const heir = twinOf(slot);
      if (heir == NONE) continue;
      heirs++;
      if (heir >= n || stageOf(heir) == FREE || isTwin(heir) || stageOf(heir) == DOOMED) return false;
    } else for (let twin = twinOf(slot), near: u32 = 0; twin != NONE; twin = twinOf(twin)) {
      noteHost(slot);
      if (++listed > n || twin >= n || !isTwin(twin) || stageOf(twin) == FREE || stageOf(twin) == DOOMED) return false;
      if (hostOf(twin) != slot || degree(0, twin) != 1) return false;
      if (areEqual(slot, twin)) near = MOST_NEAR;
      else if (++near > MOST_NEAR) return false;
    }
  }
  return marked == listed && listed + heirs == state().twins;
}
