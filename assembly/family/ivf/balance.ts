// Lists keep to a size while vectors come and go (LIRE of SPFresh: Xu et al. 2023, arXiv 2410.14452, with as many lists as were
// learned): one that has grown beyond three times the mean is parted in two, and the number of the second half is that of the smallest list, whose
// vectors go to the nearest others. Then vectors around that are nearer to another centroid now move there. Between, centroids follow
// what their lists hold: each becomes the mean once in so many changes.
//
// Codes that are seen from their list's centre are made anew of the exact rows where those are kept. Where they are not, no centroid moves, and so the
// codes of all that stay in a list that is parted stay too: what goes to the other half is coded anew from what its code says, once.
import { NONE } from "../../base/codes";
import { random64 } from "../../base/random";
import { rowBytes } from "../../base/sizes";
import { alloc, mark, reset } from "../../memory/arena";
import { isSigned } from "../../memory/metrics";
import { state } from "../../memory/state";
import { GROUP } from "../../memory/store";
import { moveInFilters } from "../../table/filters";
import { addId, removeId } from "../../table/ids";
import { closeUp, giveSlotBack, hasPlace, listAt, nextGroup, takeSlotOf } from "../../table/lists";
import { LIVE, idOf, layout, nodes, stageOf } from "../../table/nodes";
import { cellRow, turnCentre } from "../../kernel/centres";
import { addRow, dotOf, scaleBy, squaredNorm } from "../../kernel/metric";
import { NearestCentre } from "../../kernel/nearest-centre";
import { decode, encode, exactCodec, ownCodec, scanNominates } from "../../codec/scorer";

/** Times the mean that a list may have. */
const MOST: u64 = 3;
/** Lists of fewer are left alone; and one that could not be parted is tried again when so many have come. */
const LEAST: u32 = 32;
const AGAIN: u32 = 8;
/** Vectors that the halves are found from at most, in so many rounds; the smaller half has one in so many at least. */
const SAMPLE: u32 = 256;
const ROUNDS: u32 = 6;
const LOPSIDED: u32 = 8;
/** Vectors that come to a list, and removals from any, after which a centroid becomes the mean. */
const CHANGES_PER_MOVE: u32 = 32;
const REMOVALS_PER_MOVE: u64 = 16;
/** Lists around, whose vectors may be nearer to a half. */
const NEAR: u32 = 8;

@inline function centroids(): NearestCentre { return changetype<NearestCentre>(layout().centroids); }
@inline function stride(): usize { return rowBytes(state().dimensions); }

/**
 * Lists stay as they are learned until twice as many vectors are there, or a third has been removed: before, what comes in some order makes
 * lists long that will not be when all are there. With parting from the start, recall@10 of minilm-mix-384 at nprobe 1 was .569 for .592.
 */
function isAsLearned(): bool {
  const s = state();
  return s.filling != 0 || s.coarseGraph != 0 || s.live <= 2 * s.learnedOn;
}

/** Whether the list that has one more is to be parted. Not while vectors come in from an index before; nor where JS knows the lists. */
export function isOutgrown(list: u32): bool { return !(listAt(list).live & AGAIN - 1) && isLarge(list); }

function isLarge(list: u32): bool {
  const s = state();
  const live = listAt(list).live;
  return live >= LEAST && <u64>live * s.nlist > MOST * s.live && !isAsLearned();
}

/** After a removal, which makes all others larger beside the mean: looks at a list, another each time. */
export function balanceAfter(): void {
  const s = state();
  s.learnedOn -= min(s.learnedOn, 2);
  const drawn = random64(s.seed, <u64>s.nextId << 32 | s.live);
  const list = <u32>((drawn >> 16) % <u64>s.nlist);
  if (isAsLearned()) return;
  if (isLarge(list)) part(list);
  else if (isSmall(list)) part(largest());
  else if (drawn % REMOVALS_PER_MOVE == 0) centre(list);
}

/** A list so small is of more use as half of the largest, if that is large. */
function isSmall(list: u32): bool {
  const s = state();
  const most = listAt(largest()).live;
  return <u64>listAt(list).live * s.nlist * 4 < s.live && <u64>most * s.nlist * 2 > <u64>s.live * 3 && most >= LEAST;
}

/** The first of equals. */
function largest(): u32 {
  let large: u32 = 0;
  for (let i: u32 = 1; i < state().nlist; i++) if (listAt(i).live > listAt(large).live) large = i;
  return large;
}

/** Whether the centroid of the list that has one more is to follow. */
export function isToMove(list: u32): bool { return listAt(list).live % CHANGES_PER_MOVE == 0 && !isAsLearned(); }

/** Parts a list (`again`: that has just been half of another); the number of the second half, or NONE where it has no halves, or memory cannot grow. */
export function part(list: u32, again: bool = false): u32 {
  const start = mark();
  const centres = alloc(2 * stride());
  const other = centres && findHalves(list, centres) ? partAt(list, centres, again) : NONE;
  reset(start);
  return other;
}

/** A list's centroid becomes the mean of what it has, and what is nearer to it, or to those around, moves. False: it stays. */
export function centre(list: u32): bool {
  if (keepsCentre() || !listAt(list).live) return false;
  const start = mark();
  const row = alloc(stride()), mean = alloc(stride());
  const near = alloc(NEAR << 3);
  const moves = row && mean && near && meanOfList(list, mean, row);
  if (moves) {
    const around = findNear(list, list, near);
    setCentre(list, mean);
    for (let i: u32 = 0; i < around; i++) {
      sendTo(load<u32>(near + (i << 3)), list, NONE, row);
      sendTo(list, load<u32>(near + (i << 3)), NONE, row);
    }
    if (ownCodec().bindList) encodeAnew(list, row);
  }
  reset(start);
  return moves != 0;
}

function meanOfList(list: u32, mean: usize, row: usize): bool {
  memory.fill(mean, 0, stride());
  for (let group = listAt(list).first; group != NONE; group = nextGroup(group)) {
    for (let slot = group << 5; slot < (group << 5) + GROUP; slot++) {
      if (stageOf(slot) != LIVE) continue;
      rowOf(slot, row);
      addRow(mean, row, stride());
    }
  }
  const d = state().dimensions;
  const norm = squaredNorm(mean, d);
  if (isSigned() && !(norm > 0)) return false;
  scaleBy(mean, d, isSigned() ? sqrt(squaredNorm(cellRow(list), d) / norm) : 1 / <f64>listAt(list).live);
  return true;
}

/** Whether codes stay as they are where their centre does: there is nothing to make them anew of. */
@inline function keepsCentre(): bool { return ownCodec().bindList != 0 && !scanNominates(); }

/** A slot's row as f32, padded with zeros to 16 bytes. */
function rowOf(slot: u32, out: usize): void {
  const d = state().dimensions;
  memory.fill(out + (<usize>d << 2), 0, stride() - (<usize>d << 2));
  decode(exactCodec(), slot, out);
}

// ---- halves -------------------------------------------------------------------------------------------------------------

/** The centres of two halves, to `centres`. */
function findHalves(list: u32, centres: usize): bool {
  const bytes = stride();
  const rows = alloc(<usize>SAMPLE * bytes);
  const sides = alloc(SAMPLE << 2); // u32 per row: 0 or 1
  const axis = alloc(bytes), sums = alloc(2 * bytes);
  if (!rows || !sides || !axis || !sums) return false;
  const n = takeSample(list, rows);
  const a = centres, b = centres + bytes;
  // The halves lie along the axis on which the vectors differ most: some steps of the power method, from the farthest.
  meanOf(rows, n, a);
  farthestFrom(a, rows, n, axis);
  for (let step: u32 = 0; step < ROUNDS; step++) turnAxis(a, rows, n, axis, sums);
  const middle = dotOf(axis, a, bytes);
  for (let i: u32 = 0; i < n; i++) {
    store<u32>(sides + (i << 2), <u32>(dotOf(axis, rows + <usize>i * bytes, bytes) > middle));
  }
  for (let round: u32 = 0; round < ROUNDS; round++) {
    if (!toMeans(rows, sides, n, centres, sums)) return false;
    toSides(rows, sides, n, centres);
  }
  const above = countAbove(sides, n);
  if (min(above, n - above) * LOPSIDED < n || !toMeans(rows, sides, n, centres, sums)) return false;
  // The half that is farther from a centroid that stays takes the other number.
  if (keepsCentre() && centroids().scoreOne(a, list) > centroids().scoreOne(b, list)) memory.copy(b, a, bytes);
  return true;
}

/** Evenly spread over the list; returns how many. */
function takeSample(list: u32, rows: usize): u32 {
  const live = listAt(list).live;
  const most = min(live, SAMPLE);
  let n: u32 = 0, seen: u32 = 0;
  for (let group = listAt(list).first; group != NONE; group = nextGroup(group)) {
    for (let slot = group << 5; slot < (group << 5) + GROUP; slot++) {
      if (stageOf(slot) != LIVE) continue;
      const due = <u64>seen * most / live >= n;
      seen++;
      if (!due || n == most) continue;
      rowOf(slot, rows + <usize>n * stride());
      n++;
    }
  }
  return n;
}

function meanOf(rows: usize, n: u32, out: usize): void {
  memory.fill(out, 0, stride());
  for (let i: u32 = 0; i < n; i++) addRow(out, rows + <usize>i * stride(), stride());
  scaleBy(out, state().dimensions, 1 / <f64>n);
}

/** What leads from a point to the row that is farthest from it, to `axis`. */
function farthestFrom(point: usize, rows: usize, n: u32, axis: usize): void {
  let most: f32 = -1, which: u32 = 0;
  const own = <f32>squaredNorm(point, state().dimensions);
  for (let i: u32 = 0; i < n; i++) {
    const row = rows + <usize>i * stride();
    const distance = own + <f32>squaredNorm(row, state().dimensions) - 2 * dotOf(point, row, stride());
    if (distance > most) {
      most = distance;
      which = i;
    }
  }
  memory.fill(axis, 0, stride());
  addScaled(axis, rows + <usize>which * stride(), 1);
  addScaled(axis, point, -1);
}

function turnAxis(middle: usize, rows: usize, n: u32, axis: usize, sum: usize): void {
  const bytes = stride();
  const norm = squaredNorm(axis, state().dimensions);
  if (!(norm > 0)) return;
  scaleBy(axis, state().dimensions, 1 / sqrt(norm));
  const least = dotOf(axis, middle, bytes);
  memory.fill(sum, 0, bytes);
  for (let i: u32 = 0; i < n; i++) {
    const row = rows + <usize>i * bytes;
    const along = dotOf(axis, row, bytes) - least;
    addScaled(sum, row, along);
    addScaled(sum, middle, -along);
  }
  if (squaredNorm(sum, state().dimensions) > 0) memory.copy(axis, sum, bytes);
}

function addScaled(to: usize, row: usize, by: f32): void {
  for (const end = to + stride(); to < end; to += 4, row += 4) store<f32>(to, load<f32>(to) + by * load<f32>(row));
}

function countAbove(sides: usize, n: u32): u32 {
  let above: u32 = 0;
  for (let i: u32 = 0; i < n; i++) above += load<u32>(sides + (i << 2));
  return above;
}

/** Each centre becomes the mean of its side; false where one has nothing. Under dot they are as long as centroids are. */
function toMeans(rows: usize, sides: usize, n: u32, centres: usize, sums: usize): bool {
  const bytes = stride(), d = state().dimensions;
  const above = countAbove(sides, n);
  if (!above || above == n) return false;
  memory.fill(sums, 0, 2 * bytes);
  for (let i: u32 = 0; i < n; i++) addRow(sums + load<u32>(sides + (i << 2)) * bytes, rows + <usize>i * bytes, bytes);
  scaleBy(sums, d, 1 / <f64>(n - above));
  scaleBy(sums + bytes, d, 1 / <f64>above);
  if (isSigned()) for (let side: usize = 0; side < 2; side++) {
    const norm = squaredNorm(sums + side * bytes, d);
    if (!(norm > 0)) return false;
    scaleBy(sums + side * bytes, d, sqrt(squaredNorm(cellRow(0), d) / norm));
  }
  memory.copy(centres, sums, 2 * bytes);
  return true;
}

function toSides(rows: usize, sides: usize, n: u32, centres: usize): void {
  const bytes = stride(), d = state().dimensions;
  const a = centres, b = centres + bytes;
  const factor: f32 = isSigned() ? 1 : 2;
  const lead: f32 = isSigned() ? 0 : <f32>(squaredNorm(a, d) - squaredNorm(b, d));
  for (let i: u32 = 0; i < n; i++) {
    const row = rows + <usize>i * bytes;
    const nearer = lead - factor * (dotOf(row, a, bytes) - dotOf(row, b, bytes)) > 0;
    store<u32>(sides + (i << 2), <u32>nearer);
  }
}

// ---- parting ------------------------------------------------------------------------------------------------------------

function partAt(list: u32, centres: usize, again: bool): u32 {
  const row = alloc(stride());
  const near = alloc(NEAR << 3); // NEAR x [list u32][score f32], nearest first
  if (!row || !near) return NONE;
  const other = smallestBut(list);
  const around = findNear(list, other, near);
  if (!dissolve(other, row)) return NONE;
  if (!keepsCentre()) setCentre(list, centres);
  setCentre(other, centres + stride());
  sendTo(list, list, other, row);
  for (let i: u32 = 0; i < around; i++) {
    const neighbour = load<u32>(near + (i << 3));
    // What codes say is not near enough to the truth to tell neighbours from each other.
    if (keepsCentre()) break;
    sendTo(neighbour, list, other, row);
    sendTo(list, neighbour, NONE, row);
    sendTo(other, neighbour, NONE, row);
  }
  if (!keepsCentre() && ownCodec().bindList) encodeAnew(list, row);
  closeUp(list);
  // A centroid that stays may be far from all its list had, and keep next to nothing: then the halves are still together.
  if (keepsCentre() && listAt(list).live * LOPSIDED < listAt(other).live && isLarge(other) && !again) part(other, true);
  return other;
}

function smallestBut(list: u32): u32 {
  let smallest: u32 = NONE;
  for (let i: u32 = 0; i < state().nlist; i++) {
    if (i != list && (smallest == NONE || listAt(i).live < listAt(smallest).live)) smallest = i;
  }
  return smallest;
}

/** The lists around one, by their centroids, but for another; returns how many. */
function findNear(list: u32, but: u32, out: usize): u32 {
  let n: u32 = 0;
  for (let i: u32 = 0; i < state().nlist; i++) {
    if (i == list || i == but || !listAt(i).live) continue;
    const score = centroids().scoreOne(cellRow(list), i);
    let at = n < NEAR ? n++ : NEAR;
    if (at == NEAR) {
      if (!(score < load<f32>(out + (NEAR - 1 << 3), 4))) continue;
      at--;
    }
    for (; at && load<f32>(out + (at - 1 << 3), 4) > score; at--) store<u64>(out + (at << 3), load<u64>(out + (at - 1 << 3)));
    store<u32>(out + (at << 3), i);
    store<f32>(out + (at << 3), score, 4);
  }
  return n;
}

function setCentre(list: u32, from: usize): void {
  memory.copy(cellRow(list), from, stride());
  centroids().measureOne(list, isSigned());
  turnCentre(list);
}

/** All that a list has goes to the nearest others; false where there is no room. It stays a list, of what is left. */
function dissolve(list: u32, row: usize): bool {
  const c = centroids();
  const nearest = alloc(4);
  if (!nearest) return false;
  c.exclude(list);
  let moved = true;
  for (let group = listAt(list).first, next: u32 = NONE; moved && group != NONE; group = next) {
    next = nextGroup(group);
    for (let slot = group << 5; moved && slot < (group << 5) + GROUP; slot++) {
      if (stageOf(slot) != LIVE) continue;
      rowOf(slot, row);
      c.assign(row, 1, nearest, 0);
      moved = move(slot, load<u32>(nearest), row);
    }
  }
  c.measureOne(list, isSigned());
  return moved;
}

/** What lies in `from` and is nearer to one of two lists (NONE: no list) goes there, as far as there is room. */
function sendTo(from: u32, a: u32, b: u32, row: usize): void {
  const c = centroids();
  for (let group = listAt(from).first, next: u32 = NONE; group != NONE; group = next) {
    next = nextGroup(group);
    for (let slot = group << 5; slot < (group << 5) + GROUP; slot++) {
      if (stageOf(slot) != LIVE) continue;
      rowOf(slot, row);
      let score = c.scoreOne(row, from), to = from;
      const atA = c.scoreOne(row, a);
      if (atA < score) {
        score = atA;
        to = a;
      }
      if (b != NONE && c.scoreOne(row, b) < score) to = b;
      if (to != from) move(slot, to, row);
    }
  }
}

/** A live slot's vector goes to another list; false where that has no room. */
function move(slot: u32, list: u32, row: usize): bool {
  if (!hasPlace(list)) return false;
  const table = nodes();
  const to = takeSlotOf(list);
  removeId(idOf(slot));
  for (let c: u32 = 0; c < table.columns; c++) table.move(c, slot, to);
  moveInFilters(slot, to);
  addId(to);
  giveSlotBack(slot);
  if (ownCodec().bindList) encode(ownCodec(), to, row);
  return true;
}

/** Codes of exact rows, seen from a centre that has moved. */
function encodeAnew(list: u32, row: usize): void {
  for (let group = listAt(list).first; group != NONE; group = nextGroup(group)) {
    for (let slot = group << 5; slot < (group << 5) + GROUP; slot++) {
      if (stageOf(slot) != LIVE) continue;
      rowOf(slot, row);
      encode(ownCodec(), slot, row);
    }
  }
}
