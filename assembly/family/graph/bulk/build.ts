// What steps.ts goes through: the members of a layer, candidates from leaves, links, and what is left to do when all are linked.
import { NONE } from "../../../base/codes";
import { countMember, placeMember } from "../../../base/counting";
import { random64 } from "../../../base/random";
import { alloc, mark, reset } from "../../../memory/arena";
import { isSigned } from "../../../memory/metrics";
import { state } from "../../../memory/state";
import { FREE, LIVE, layout, nodes, stageOf } from "../../../table/nodes";
import { squaredNorm } from "../../../kernel/metric";
import { decode, exactCodec } from "../../../codec/scorer";
import { countBlurred, isHopeless, mayBlur } from "../blur";
import { Builder, linkBack } from "../builder";
import { degree, holds, isTwin, linksOf, setLinks, topOf } from "../graph";
import { hnswInsert } from "../hnsw";
import { nodeOf } from "../twins";
import { candidateCount, candidatesOf, clearCandidates, listBytes, mostCandidates, needLists } from "./candidates";
import { Hubs } from "./hubs";
import { BLURRED, UNCLEAR, Bulk } from "./job";
import { CHOOSE, TIE, isBlurry, openDesk, ownLinks } from "./tasks";

/** Under dot, distances order slots alike while lengths differ no more than this. */
const LENGTH_RATIO: f64 = 1.1;
/** Sets of leaves are taken once for every so much of efConstruction. */
const BEAM_PER_ROUND: u32 = 200;
const MOST_ROUNDS: u32 = 8;
const SEED: u64 = 0x6361727665;

/** Notes how long the rows of slots from..to are, where that decides how leaves are made. */
export function noteLengths(b: Bulk, from: u32, to: u32): void {
  if (!isSigned()) return;
  for (let slot = from; slot < to; slot++) {
    if (stageOf(slot) == FREE) continue;
    decode(exactCodec(), slot, layout().prepared);
    const square = squaredNorm(layout().prepared, state().dimensions);
    b.least = min(b.least, square);
    b.most = max(b.most, square);
  }
}

/** Whether what is near by distance is not near by the metric. */
export function needDots(b: Bulk): bool { return isSigned() && b.most > b.least * LENGTH_RATIO * LENGTH_RATIO; }

@inline function isMember(slot: u32, layer: u32): bool { return topOf(slot) >= layer && !isTwin(slot); }

/** The highest layer that slots to be linked are on. */
export function highestLayer(b: Bulk): u32 {
  let top: u32 = 0;
  for (let slot = b.first; slot < b.count; slot++) if (!isTwin(slot) && stageOf(slot) != FREE) top = max(top, topOf(slot));
  return top;
}

/** Looks which of slots from..to are members of the layer, first those to be linked, and then those before them. */
export function gatherMembers(b: Bulk, from: u32, to: u32): void {
  const layer = b.layer;
  for (let slot = from; slot < to; slot++) {
    if (!isMember(slot, layer) || (b.isFresh(slot) ? stageOf(slot) == FREE : stageOf(slot) != LIVE)) continue;
    store<u32>(b.slots + (b.all++ << 2), slot);
    if (!b.isFresh(slot)) continue;
    b.n++;
    if (!needLists(layer)) clearCandidates(candidatesOf(slot));
  }
}

/** Once all have been looked at. False where scratch cannot grow. */
export function openLayer(b: Bulk): bool {
  const lists = needLists(b.layer);
  b.path = random64(state().seed ^ SEED + <u64>b.layer, b.first);
  b.round = 0;
  b.order = <u32>alloc(<usize>b.n << 2);
  b.lists = lists ? <u32>alloc(<usize>b.n * listBytes()) : 0;
  if (!b.order || (lists && !b.lists)) return false;
  if (lists) for (let i: u32 = 0; i < b.n; i++) clearCandidates(candidatesOf(b.slotAt(i)));
  if (b.byDots) b.hubs = <u32>changetype<usize>(Hubs.open(b));
  return !b.byDots || b.hubs != 0;
}

/**
 * Where leaves that overlap tell a slot of the same neighbours again and again, they have found them; where most of what they
 * tell is new, as in data of many independent dimensions, more leaves are wanted. Gaussians, 40,000 x 128, recall@10 at ef 80
 * (inserted one by one: .939): with one round .928, two .944, three .957, before links were as many as they are now.
 */
export function roundsFor(b: Bulk): u32 {
  if (b.k == 1) return 1;
  let found: f64 = 0;
  for (let i: u32 = 0; i < b.n; i++) found += candidateCount(candidatesOf(b.slotAt(i)));
  const share = found / (<f64>b.n * mostCandidates());
  const thin: u32 = share < 0.95 ? 1 : share < 0.985 ? 2 : 3;
  return min(thin * max((state().efConstruction + BEAM_PER_ROUND - 1) / BEAM_PER_ROUND, 1), MOST_ROUNDS);
}

/** A slot of fewer candidates is thin. */
const THIN: u32 = 4;
/** One slot of so many at most may be. */
const SLOTS_PER_THIN: u32 = 16;

/**
 * A slot that is nearer to everybody than they are to each other, as a row of zeros among others of one length, covers all in their leaves: few
 * candidates are left. Where that is so of many slots, these are inserted in the end as by themselves.
 */
export function markThin(b: Bulk): void {
  if (b.layer || b.byDots) return;
  let thin: u32 = 0;
  for (let i: u32 = 0; i < b.n; i++) thin += <u32>isThin(b, i);
  if (thin * SLOTS_PER_THIN <= b.n) return;
  for (let i: u32 = 0; i < b.n; i++) if (isThin(b, i)) b.mark(b.slotAt(i), UNCLEAR);
}

@inline function isThin(b: Bulk, i: u32): bool { return candidateCount(candidatesOf(b.slotAt(i))) < THIN; }

/** Slots that are asked whether the codec can place them. */
const ASKED: u32 = 128;

/** Where most of some slots cannot be placed by the codec of walks, all choose by whole values. False where scratch cannot grow. */
export function chooseCodec(b: Bulk): bool {
  if (!mayBlur(b.codec()) || b.n < ASKED) return true;
  const start = mark();
  const ok = openDesk(CHOOSE);
  let blurry: u32 = 0;
  for (let i: u32 = 0; i < ASKED && ok; i++) blurry += <u32>isBlurry(b.slotAt(<u32>(<u64>i * b.n / ASKED)));
  reset(start);
  if (blurry > ASKED >> 2) b.by = <u32>changetype<usize>(exactCodec());
  return ok;
}

/** How many there were of which kind, once a layer has chosen. */
export function countChosen(b: Bulk): void {
  b.watched += b.n;
  if (!mayBlur(b.codec())) {
    if (mayBlur(changetype<Builder>(b.builder).codec())) b.blurred += b.n;
    return;
  }
  for (let i: u32 = 0; i < b.n; i++) b.blurred += <u32>b.isMarked(b.slotAt(i), BLURRED);
}

/** Room for who links to slots of from..to, on any layer. False where scratch cannot grow. */
export function openLinks(b: Bulk, from: u32, to: u32): bool {
  b.linkedFrom = from;
  b.linkedTo = to;
  b.linkEnds = <u32>alloc(<usize>(to - from) + 1 << 2);
  b.links = <u32>alloc(<usize>(b.count - b.first) * ownLinks(0) << 2);
  return b.linkEnds != 0 && b.links != 0;
}

/**
 * Counts the links of slots first..end, of those to be linked, to slots that are asked about; or, once ends are starts, puts each in its place, so
 * that those to a slot are from linkEnds[slot - linkedFrom - 1] to linkEnds[slot - linkedFrom] of `links`.
 */
export function eachLink(b: Bulk, first: u32, end: u32, place: bool): void {
  const from = b.linkedFrom, to = b.linkedTo;
  for (let slot = first; slot < end; slot++) {
    if (stageOf(slot) == FREE || !isMember(slot, b.layer)) continue;
    let own = linksOf(b.layer, slot);
    for (const end = own + (degree(b.layer, slot) << 2); own < end; own += 4) {
      const other = load<u32>(own);
      if (other < from || other >= to) continue;
      if (place) store<u32>(b.links + (<usize>placeMember(b.linkEnds, other - from) << 2), slot);
      else countMember(b.linkEnds, other - from);
    }
  }
}

/** Before those that are linked are touched: room for all that is left to do, so that it will be done. False where scratch cannot grow. */
export function openCommit(b: Bulk): bool {
  if (!openLinks(b, 0, b.first)) return false;
  const start = mark();
  const ok = openDesk(TIE);
  reset(start);
  return ok;
}

/** The slots are linked, and searched; the entry may be one of them. */
export function enter(b: Bulk): void {
  const s = state();
  const builder = changetype<Builder>(b.builder);
  if (mayBlur(builder.codec())) countBlurred(b.watched, b.blurred);
  if (isHopeless()) s.sharp = 0;
  builder.by = b.by;
  s.pending = 0;
  for (let slot = b.first; slot < b.count; slot++) {
    if (isTwin(slot) || stageOf(slot) == FREE || b.isMarked(slot, UNCLEAR) || (s.entry != NONE && topOf(slot) <= s.topLevel)) continue;
    s.entry = slot;
    s.topLevel = topOf(slot);
  }
  b.twins = s.twins;
  b.unclear = 0;
  s.rooted = 1;
}

/** A slot that no leaf could place is inserted by itself; whether it was one. */
export function insertUnclear(b: Bulk, slot: u32): bool {
  if (!b.isMarked(slot, UNCLEAR) || isTwin(slot) || stageOf(slot) == FREE) return false;
  hnswInsert(changetype<Builder>(b.builder), slot);
  b.unclear++;
  return true;
}

/** After that: links to those that have become twins, and links out of crowds. */
export function settleUnclear(b: Bulk): void {
  if (!b.unclear) return;
  const builder = changetype<Builder>(b.builder);
  if (state().twins != b.twins) for (let slot: u32 = 0; slot < b.count; slot++) if (isNode(slot)) leadToNodes(builder, slot);
  for (let slot: u32 = 0; slot < b.count; slot++) if (isNode(slot) && !(b.isFresh(slot) && b.isMarked(slot, UNCLEAR))) linkFromUnclear(b, slot);
}

@inline function isNode(slot: u32): bool { return stageOf(slot) != FREE && !isTwin(slot); }

/** Links to who has become a twin lead to its node, or nowhere above layer 0 and where a link to that is there. */
function leadToNodes(b: Builder, slot: u32): void {
  for (let layer: u32 = 0; layer <= topOf(slot); layer++) {
    const links = linksOf(layer, slot);
    const n = degree(layer, slot);
    let left: u32 = 0;
    let lead = false;
    for (let i: u32 = 0; i < n; i++) {
      const other = load<u32>(links + (i << 2));
      const to = nodeOf(other);
      lead = lead || to != other;
      if (to == other || (!layer && to != slot && !holds(links, n, to) && !holds(b.chosen, left, to))) store<u32>(b.chosen + (left++ << 2), to);
    }
    if (lead) setLinks(layer, slot, b.chosen, left);
  }
}

/** Unclear slots link back to a clear one that links to them: the ways out of a crowd whose members see each other alone. */
function linkFromUnclear(b: Bulk, slot: u32): void {
  for (let layer: u32 = 0; layer <= topOf(slot); layer++) {
    const links = linksOf(layer, slot);
    for (let i: u32 = 0, n = degree(layer, slot); i < n; i++) {
      const other = load<u32>(links + (i << 2));
      if (b.isFresh(other) && b.isMarked(other, UNCLEAR)) linkBack(changetype<Builder>(b.builder), layer, other, slot);
    }
  }
}

/** Slots that wait to be linked have no links, whatever was written there. */
export function clearFresh(b: Bulk): void {
  for (let slot = b.first; slot < b.count; slot++) {
    if (stageOf(slot) == FREE || isTwin(slot)) continue;
    for (let layer: u32 = 0; layer <= topOf(slot); layer++) setLinks(layer, slot, 0, 0);
  }
}
