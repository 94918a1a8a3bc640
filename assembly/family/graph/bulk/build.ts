// A graph built at once in place of one insertion after the other, from overlapping leaves (carve.ts) whose distances come as
// matrices (leaf.ts): the way of PiPNN (arXiv 2602.21247), with the links then chosen as an insertion chooses them
// (selection.ts), on every layer of the hierarchy. fashion-mnist-784, relaxed: inserted
// one by one in 23.4 s, recall@10 .948 at ef 10 and .991 at 20; at once in 5.9 s, .977 and .997 after as many rows read.
//
// Which leaves there are depends on the seed, slots and ids alone, whatever the threads. A slot that no leaf can place, its
// nearest being as good as equal, is inserted in the end as by itself.
import { NONE } from "../../../base/codes";
import { clearEnds, countMember, placeMember, toStarts } from "../../../base/counting";
import { random64 } from "../../../base/random";
import { alloc, mark, reset } from "../../../memory/arena";
import { isSigned } from "../../../memory/metrics";
import { state } from "../../../memory/state";
import { layout, nodes } from "../../../table/nodes";
import { squaredNorm } from "../../../kernel/metric";
import { decode, exactCodec } from "../../../codec/scorer";
import { countBlurred, isHopeless } from "../blur";
import { Builder, linkBack } from "../builder";
import { codesOf, degree, holds, isTwin, linksOf, setLinks, topOf } from "../graph";
import { hnswInsert } from "../hnsw";
import { reconnect } from "../reconnect";
import { tieSomeStrayed } from "../strays";
import { joinAllTwins, nodeOf } from "../twins";
import { candidateCount, clearCandidates, mostCandidates } from "./candidates";
import { closeCut, joinSmallParts, openCut } from "./carve";
import { Hubs } from "./hubs";
import { BLURRED, UNCLEAR, Bulk, bulk } from "./job";
import { ASSIGN, CHOOSE, JOIN, PACK, PART, SOME, TURN, chooseLinks, deskBytes, joinLinks, openDesk, ownLinks } from "./tasks";
import { dismiss, gather, runTasks } from "./team";

/** Under dot, distances order slots alike while lengths differ no more than this. */
const LENGTH_RATIO: f64 = 1.1;
/** Sets of leaves are taken once for every so much of efConstruction. */
const BEAM_PER_ROUND: u32 = 200;
const MOST_ROUNDS: u32 = 8;

/**
 * Links all slots, all of them live, their towers raised, those from `first` on new. False where scratch cannot grow: there may then be no entry, and links
 * are not to be used. `alone`: without other threads.
 */
export function linkInBulk(builder: Builder, first: u32, alone: bool): bool {
  const n = nodes().count;
  const start = mark();
  const at = alloc(offsetof<Bulk>());
  const slots = at ? alloc(<usize>n << 2) : 0;
  const marks = slots ? alloc(n) : 0;
  let ok = marks != 0;
  if (ok) {
    const s = state();
    const watched = s.watched, blurred = s.blurred, sharp = s.sharp;
    s.entry = NONE;
    memory.fill(marks, 0, n);
    joinAllTwins(first);
    const b = changetype<Bulk>(at);
    b.slots = <u32>slots;
    b.marks = <u32>marks;
    b.by = builder.by;
    b.byDots = <u32>!distancesSuit();
    gather(at, alone ? 0 : deskBytes(n));
    let top: u32 = 0;
    for (let slot: u32 = 0; slot < n; slot++) if (!isTwin(slot)) top = max(top, topOf(slot));
    for (let layer: i32 = <i32>top; layer >= 0 && ok; layer--) ok = linkLayer(b, <u32>layer);
    dismiss();
    if (ok) finish(builder, marks);
    else {
      s.watched = watched;
      s.blurred = blurred;
      s.sharp = sharp;
    }
  }
  reset(start);
  return ok;
}

/** Whether what is near by distance is near by the metric. */
function distancesSuit(): bool {
  if (!isSigned()) return true;
  let least: f64 = Infinity, most: f64 = 0;
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) {
    decode(exactCodec(), slot, layout().prepared);
    const square = squaredNorm(layout().prepared, state().dimensions);
    least = min(least, square);
    most = max(most, square);
  }
  return most <= least * LENGTH_RATIO * LENGTH_RATIO;
}

/** The links of one layer, and their codes. False where scratch cannot grow. */
function linkLayer(b: Bulk, layer: u32): bool {
  b.layer = layer;
  b.path = state().seed ^ 0x6361727665 + <u64>layer;
  b.n = 0;
  for (let slot: u32 = 0; slot < nodes().count; slot++) {
    if (topOf(slot) < layer || isTwin(slot)) continue;
    store<u32>(b.slots + (<usize>b.n << 2), slot);
    b.n++;
    clearCandidates(codesOf(layer, slot));
  }
  const some = (b.n + SOME - 1) / SOME;
  const start = mark();
  b.order = <u32>alloc(<usize>b.n << 2);
  let ok = b.order != 0;
  if (ok && b.byDots) {
    b.hubs = <u32>changetype<usize>(Hubs.open(b));
    ok = b.hubs != 0;
  }
  let rounds: u32 = 1;
  for (let round: u32 = 0; ok && round < rounds; round++) {
    ok = collect(b, some);
    if (!round) rounds = b.k == 1 ? 1 : roundsFor(b);
  }
  if (ok) markThin(b);
  ok = ok && runTasks(CHOOSE, some) && chooseBlurred(b, some) && openLinks(b) && runTasks(JOIN, some)
    && eachBlurred(b, JOIN) && (layer > 0 || runTasks(TURN, some)) && runTasks(PACK, some);
  reset(start);
  return ok;
}

/**
 * Where leaves that overlap tell a slot of the same neighbours again and again, they have found them; where most of what they
 * tell is new, as in data of many independent dimensions, more leaves are wanted. Gaussians, 40,000 x 128, recall@10 at ef 80
 * (inserted one by one: .939): with one round .928, two .944, three .957, before links were as many as they are now.
 */
function roundsFor(b: Bulk): u32 {
  let found: f64 = 0;
  for (let i: u32 = 0; i < b.n; i++) found += candidateCount(codesOf(b.layer, load<u32>(b.slots + (<usize>i << 2))));
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
function markThin(b: Bulk): void {
  if (b.layer || b.byDots) return;
  let thin: u32 = 0;
  for (let i: u32 = 0; i < b.n; i++) thin += <u32>isThin(b, i);
  if (thin * SLOTS_PER_THIN <= b.n) return;
  for (let i: u32 = 0; i < b.n; i++) if (isThin(b, i)) store<u8>(b.marks + load<u32>(b.slots + (<usize>i << 2)), UNCLEAR);
}

@inline function isThin(b: Bulk, i: u32): bool { return candidateCount(codesOf(b.layer, load<u32>(b.slots + (<usize>i << 2)))) < THIN; }

/** Candidates from one more set of leaves. */
function collect(b: Bulk, some: u32): bool {
  const start = mark();
  b.path = random64(b.path, 0);
  let ok = openCut(b) && (b.k == 1 || runTasks(ASSIGN, some));
  if (ok) {
    closeCut(b);
    ok = runTasks(PART, b.k) && joinSmallParts(b);
  }
  reset(start);
  return ok;
}

/** The blurred choose again by whole values; all do where that is most of them. */
function chooseBlurred(b: Bulk, some: u32): bool {
  let blurred: u32 = 0;
  for (let i: u32 = 0; i < b.n; i++) blurred += <u32>isBlurred(b, i);
  countBlurred(b.n, blurred);
  if (!blurred) return true;
  if (isHopeless()) {
    state().sharp = 0;
    b.by = <u32>changetype<usize>(exactCodec());
    for (let i: u32 = 0; i < b.n; i++) {
      const mark = b.marks + load<u32>(b.order + (<usize>i << 2));
      store<u8>(mark, load<u8>(mark) & ~BLURRED);
    }
    return runTasks(CHOOSE, some);
  }
  return eachBlurred(b, CHOOSE);
}

/** The blurred choose, or link back, by whole values. */
function eachBlurred(b: Bulk, kind: u32): bool {
  const by = b.by;
  const start = mark();
  const ok = openDesk(kind);
  b.by = <u32>changetype<usize>(exactCodec());
  for (let i: u32 = 0; i < b.n && ok; i++) {
    if (!isBlurred(b, i)) continue;
    const slot = load<u32>(b.order + (<usize>i << 2));
    if (kind == CHOOSE) chooseLinks(slot);
    else joinLinks(slot);
  }
  b.by = by;
  reset(start);
  return ok;
}

@inline function isBlurred(b: Bulk, i: u32): bool { return (load<u8>(b.marks + load<u32>(b.order + (<usize>i << 2))) & BLURRED) != 0; }

/** Who links to a slot: those from linkEnds[slot - 1] to linkEnds[slot] of `links`. False where scratch cannot grow. */
function openLinks(b: Bulk): bool {
  const n = nodes().count;
  const ends = alloc(<usize>n + 1 << 2);
  const links = alloc(<usize>b.n * ownLinks(b.layer) << 2);
  if (!ends || !links) return false;
  b.linkEnds = <u32>ends;
  b.links = <u32>links;
  clearEnds(ends, n);
  for (let i: u32 = 0; i < b.n; i++) {
    const slot = load<u32>(b.order + (<usize>i << 2));
    let own = linksOf(b.layer, slot);
    for (const end = own + (degree(b.layer, slot) << 2); own < end; own += 4) countMember(ends, load<u32>(own));
  }
  toStarts(ends, n);
  for (let i: u32 = 0; i < b.n; i++) {
    const slot = load<u32>(b.order + (<usize>i << 2));
    let own = linksOf(b.layer, slot);
    for (const end = own + (degree(b.layer, slot) << 2); own < end; own += 4) store<u32>(links + (<usize>placeMember(ends, load<u32>(own)) << 2), slot);
  }
  return true;
}

/** The entry; unclear slots by themselves; and whoever nobody links to. */
function finish(b: Builder, marks: usize): void {
  const s = state();
  b.by = bulk().by;
  const n = nodes().count;
  for (let slot: u32 = 0; slot < n; slot++) {
    if (isTwin(slot) || load<u8>(marks + slot) & UNCLEAR || (s.entry != NONE && topOf(slot) <= s.topLevel)) continue;
    s.entry = slot;
    s.topLevel = topOf(slot);
  }
  const twins = s.twins;
  for (let slot: u32 = 0; slot < n; slot++) if (load<u8>(marks + slot) & UNCLEAR) hnswInsert(b, slot);
  if (s.twins != twins) for (let slot: u32 = 0; slot < n; slot++) if (!isTwin(slot)) leadToNodes(b, slot);
  for (let slot: u32 = 0; slot < n; slot++) if (!isTwin(slot) && !(load<u8>(marks + slot) & UNCLEAR)) linkFromUnclear(b, marks, slot);
  s.rooted = 1;
  for (let layer = <i32>s.topLevel; layer >= 0; layer--) reconnect(b, layer);
  tieSomeStrayed(b);
}

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
function linkFromUnclear(b: Builder, marks: usize, slot: u32): void {
  for (let layer: u32 = 0; layer <= topOf(slot); layer++) {
    const links = linksOf(layer, slot);
    for (let i: u32 = 0, n = degree(layer, slot); i < n; i++) {
      const other = load<u32>(links + (i << 2));
      if (load<u8>(marks + other) & UNCLEAR) linkBack(b, layer, other, slot);
    }
  }
}
