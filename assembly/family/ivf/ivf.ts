// Inverted lists (Sivic and Zisserman 2003; with residual codes Jegou et al. 2011): a vector lies in the list of its nearest
// centroid, and a search scans the `nprobe` lists whose centroids are nearest to the query, and more of them where a
// filter leaves fewer than k.
import { bitsetBytes, testAndSet } from "../../base/bitset";
import { E_MEMORY, NONE, OK, PLAN_LISTS, PLAN_MORE_LISTS } from "../../base/codes";
import { align, rowBytes } from "../../base/sizes";
import { alloc, mark, reset } from "../../memory/arena";
import { isSigned } from "../../memory/metrics";
import { state } from "../../memory/state";
import { GROUP } from "../../memory/store";
import {
  clearLists, compactLists, expect, giveSlotBack, linkLists, listAt, nextGroup, openLists, reserveLists, takeSlotOf,
} from "../../table/lists";
import { layout } from "../../table/nodes";
import { openCentres } from "../../kernel/centres";
import { NearestCentre } from "../../kernel/nearest-centre";
import { rotate } from "../../kernel/rotation";
import { Codec, bindQuery, exactCodec, exactScorer, scanNominates, scanScorer, scoreMany } from "../../codec/scorer";
import { Ask, asked } from "../../search/ask";
import { Batch } from "../../search/batch";
import { Frontier } from "../../search/frontier";
import { Nominees } from "../../search/nominees";
import { nominateGroup, passing, rescoreGroup, rescoresAtOnce } from "../../search/packed-scan";
import { scanIsCheaper } from "../../search/planner";
import { checkedNorm, inputBytes, prepare } from "../../search/prepare";
import { openTop, publishNominees, publishReranked } from "../../search/rerank";
import { storeNew } from "../../search/rows";
import { TopK } from "../../search/topk";
import { publish, work } from "../../search/work";
import { Flat, exactScan } from "../flat/flat";
import { balanceAfter, centre, isOutgrown, isToMove, part } from "./balance";

/** Slots scored at a time: four whole groups. */
const BATCH: u32 = 4 * GROUP;

export class Ivf extends Flat {
  open(): bool { return openCentres(false) && openLists(); }
  places(): bool { return true; }
  reserve(n: u32, fresh: u32, gone: u32): bool { return reserveLists(n); }
  room(slots: u32): usize { return ivfRoom(); }
  remove(slot: u32): void { giveSlotBack(slot); }
  compact(): bool { return compactLists(); }
  valid(): bool { return linkLists(); }
  search(ask: Ask): i32 { return searchLists(ask); }

  /** Codes that are seen from their list's centre are scanned list by list. */
  exact(ask: Ask): i32 { return exactCodec().bindList ? searchEveryList(ask) : super.exact(ask); }

  /** The lists, and rows to find them by. */
  roomToAdd(n: u32, chunk: u32): usize { return align(<usize>chunk << 2, 64) + <usize>chunk * rowBytes(state().dimensions) + 64; }

  add(vectors: usize, ids: usize, lists: usize, n: u32): i32 {
    const named = lists != 0;
    if (!named) lists = assignLists(vectors, n);
    if (!lists) return E_MEMORY;
    for (let i: u32 = 0; i < n; i++) {
      const list = load<u32>(lists + (<usize>i << 2));
      storeNew(vectors, ids, i, takeSlotOf(list));
      if (named) continue;
      expect(n - i - 1);
      const other = isOutgrown(list) ? part(list) : NONE;
      if (other != NONE || (isToMove(list) && centre(list))) assignFrom(i + 1, n, lists, list, other);
    }
    expect(0);
    return OK;
  }

  settle(n: u32): void { for (let i: u32 = 0; i < n && state().live; i++) balanceAfter(); }

  clear(): void {
    super.clear();
    clearLists();
  }
}

@inline function centroids(): NearestCentre { return changetype<NearestCentre>(layout().centroids); }

/** The nearest list of each of n input vectors, n x u32 in scratch; 0 where scratch cannot grow. */
function assignLists(vectors: usize, n: u32): usize {
  const stride = rowBytes(state().dimensions);
  const lists = alloc(<usize>n << 2);
  const rows = alloc(<usize>n * stride);
  if (!lists || !rows) return 0;
  for (let i: u32 = 0; i < n; i++) {
    const vector = vectors + <usize>i * inputBytes();
    prepare(vector, checkedNorm(vector), rows + <usize>i * stride);
  }
  centroids().assign(rows, n, lists, 0);
  return lists;
}

/** Those from vector `first` on once more, since two centroids (NONE: no other) have moved; the rows lie behind the lists. */
function assignFrom(first: u32, n: u32, lists: usize, a: u32, b: u32): void {
  const c = centroids();
  const stride: usize = rowBytes(state().dimensions);
  const rows = lists + align(<usize>n << 2, 64);
  for (let i = first; i < n; i++) {
    const at = lists + (<usize>i << 2), row = rows + <usize>i * stride;
    const list = load<u32>(at);
    if (list == a || list == b) c.assign(row, 1, at, 0);
    else {
      const score = min(c.scoreOne(row, a), b == NONE ? Infinity : c.scoreOne(row, b));
      if (score <= c.scoreOne(row, list)) c.assign(row, 1, at, 0);
    }
  }
}

/** What one search works with. */
@unmanaged class Probe {
  codec: u32;
  filter: u32;
  atOnce: u32; // packed-scan.ts: rescoresAtOnce
  batch: u32; // of packed codes the nominees, which go to the top in the end
  top: u32;
  probed: u32; // bitset over lists
  share: f64;  // of how many lists what was looked at would be all

  @inline codecOf(): Codec { return changetype<Codec>(this.codec); }
  @inline batchOf(): Batch { return changetype<Batch>(this.batch); }
  @inline topOf(): TopK { return changetype<TopK>(this.top); }
  @inline nomineesOf(): Nominees { return changetype<Nominees>(this.batch); }
  @inline found(): u32 { return this.topOf().size + this.batchOf().count; }
}

/** The search by lists that JS has found: n x u32. */
export function ivfSearch(lists: usize, n: u32): i32 {
  const ask = asked();
  ask.lists = <u32>lists;
  ask.named = n;
  return searchLists(ask);
}

/**
 * The k nearest to the prepared query in the nearest lists, or in those that JS names, and in the nearest of the others where
 * these are short of what passes. Results: work(), visited = lists probed.
 */
function searchLists(ask: Ask): i32 {
  if (ask.filter && !exactCodec().bindList && scanIsCheaper(ask, costOf(ask))) return exactScan(ask);
  const start = mark();
  const rerank = scanNominates();
  const atOnce = rerank && rescoresAtOnce();
  const probe = openProbe(ask.codec(), rerank && !atOnce ? ask.candidates : ask.k, ask.filter, atOnce, Infinity);
  if (!probe) {
    reset(start);
    return E_MEMORY;
  }
  for (let i: u32 = 0; i < ask.named && isShort(probe, ask); i++) {
    probeList(probe, load<u32>(ask.lists + (<usize>i << 2)), NaN);
  }
  if (isShort(probe, ask) && !probeNearest(probe, ask)) {
    reset(start);
    return E_MEMORY;
  }
  work().plan = work().visited > ask.effort ? PLAN_MORE_LISTS : PLAN_LISTS;
  let done: bool;
  if (rerank && !atOnce && probe.codecOf().groups && state().rerankFactor != 0) done = publishNominees(probe.nomineesOf(), ask.k);
  else {
    const top = nearest(probe);
    done = rerank && !atOnce ? publishReranked(top, ask.k, Infinity) : publish(top);
  }
  reset(start);
  return done ? OK : E_MEMORY;
}

/** Centroids to look at, where JS has not, and what the lists hold that are asked for. */
function costOf(ask: Ask): f64 {
  const nlist = <f64>state().nlist;
  return (ask.lists ? 0 : nlist) + <f64>ask.effort * <f64>state().live / nlist;
}

function isShort(p: Probe, ask: Ask): bool {
  return p.share < <f64>min(ask.effort, state().nlist) || p.found() < min(ask.k, ask.passing);
}

/** All lists by the distance of their centroid, as long as there are too few. */
function probeNearest(p: Probe, ask: Ask): bool {
  const order = openOrder();
  if (!order) return false;
  while (order.size && isShort(p, ask)) {
    const distance = order.peekPriority();
    probeList(p, order.pop(), distance);
  }
  return true;
}

/** Every list, by codes alone: the exact answer where no exact rows are kept. */
function searchEveryList(ask: Ask): i32 {
  const start = mark();
  const probe = openProbe(exactCodec(), ask.k, ask.filter, false, ask.bound);
  if (!probe) {
    reset(start);
    return E_MEMORY;
  }
  for (let list: u32 = 0; list < state().nlist; list++) probeList(probe, list, NaN);
  const done = publish(nearest(probe));
  reset(start);
  return done ? OK : E_MEMORY;
}

/** What the lists had. */
function nearest(p: Probe): TopK {
  const top = p.topOf(), batch = p.batchOf();
  if (batch.count) p.nomineesOf().settle(0);
  top.offerAll(batch.distances, batch.slots, batch.count);
  return top;
}

function openProbe(codec: Codec, keep: u32, filter: usize, atOnce: bool, bound: f32): Probe {
  const none = changetype<Probe>(0);
  const bytes = bitsetBytes(state().nlist);
  const at = alloc(offsetof<Probe>());
  const probed = alloc(bytes);
  const top = openTop(keep, bound);
  if (!at || !probed || !top) return none;
  const batch = codec.groups ? <Batch>Nominees.open(top) : Batch.open(BATCH);
  if (!batch) return none;
  memory.fill(probed, 0, bytes);
  const p = changetype<Probe>(at);
  p.codec = <u32>changetype<usize>(codec);
  p.filter = <u32>filter;
  p.atOnce = atOnce;
  p.batch = <u32>changetype<usize>(batch);
  p.top = <u32>changetype<usize>(top);
  p.probed = <u32>probed;
  p.share = 0;
  if (codec.bindList) rotate(layout().prepared, layout().turned);
  else bindQuery(codec, scanScorer(), layout().prepared);
  scanScorer().bounds = atOnce;
  if (atOnce) bindQuery(exactCodec(), exactScorer(), layout().prepared);
  return p;
}

/** Scratch of a search: all lists in order, and which were probed. */
function ivfRoom(): usize {
  const n = state().nlist;
  return Frontier.bytes(n) + bitsetBytes(n);
}

/** All lists by the distance of their centroid. */
function openOrder(): Frontier {
  const n = state().nlist;
  const order = Frontier.open(n);
  if (!order) return order;
  for (let list: u32 = 0; list < n; list++) order.append(centroids().scoreOne(layout().prepared, list), list);
  order.heapify();
  return order;
}

/**
 * Counts by the share of the list that passes. `distance`: that of the list's centroid, NaN if it has to be looked up; only dot
 * needs it.
 */
function probeList(p: Probe, list: u32, distance: f32): void {
  if (list >= state().nlist || testAndSet(p.probed, list)) return;
  if (p.filter && !somePass(list, p.filter)) return;
  const scored = work().distances;
  work().visited++;
  scanList(p, list, distance);
  p.share += p.filter ? <f64>(work().distances - scored) / <f64>listAt(list).live : 1;
}

function somePass(list: u32, filter: usize): bool {
  for (let group = listAt(list).first; group != NONE; group = nextGroup(group)) if (passing(group << 5, filter)) return true;
  return false;
}

function scanList(p: Probe, list: u32, distance: f32): void {
  if (!listAt(list).live) return;
  const codec = p.codecOf();
  if (codec.bindList) {
    if (isSigned() && distance != distance) distance = centroids().scoreOne(layout().prepared, list);
    call_indirect<void>(codec.bindList, codec, scanScorer(), list, distance);
  }
  if (codec.groups) scanGroups(p, list);
  else scanRows(p, list);
}

function scanGroups(p: Probe, list: u32): void {
  for (let group = listAt(list).first; group != NONE; group = nextGroup(group)) {
    if (p.atOnce) rescoreGroup(group << 5, p.filter, p.topOf());
    else nominateGroup(scanScorer(), group << 5, p.filter, p.nomineesOf());
  }
}

function scanRows(p: Probe, list: u32): void {
  const batch = p.batchOf();
  const filter: usize = p.filter;
  batch.count = 0;
  for (let group = listAt(list).first; group != NONE; group = nextGroup(group)) {
    for (let there = passing(group << 5, filter); there; there &= there - 1) batch.add((group << 5) + ctz(there));
    if (batch.count > BATCH - GROUP) offerBatch(p);
  }
  offerBatch(p);
}

function offerBatch(p: Probe): void {
  const batch = p.batchOf();
  if (!batch.count) return;
  scoreMany(scanScorer(), batch.slots, batch.count, batch.distances);
  p.topOf().offerAll(batch.distances, batch.slots, batch.count);
  work().distances += batch.count;
  batch.count = 0;
}
