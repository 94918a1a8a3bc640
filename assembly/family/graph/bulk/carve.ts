// Cuts the slots of a layer into leaves that overlap: every slot goes to the nearest few of some leaders drawn at random,
// and each part is cut again until it is small (the randomised ball carving of PiPNN, arXiv 2602.21247). Two slots that are
// near each other share one of eight leaves almost always.
import { NONE } from "../../../base/codes";
import { clearEnds, countMember, placeMember, toStarts } from "../../../base/counting";
import { random64 } from "../../../base/random";
import { align } from "../../../base/sizes";
import { alloc, mark, reset } from "../../../memory/arena";
import { dotsBetween, squaresAmong } from "./gram";
import { LEAF, bulk, leafSize } from "./job";
import { Leaf } from "./leaf";
import { DIRECTIONS, PLACES, WholeRows } from "./whole";

/** Nearest leaders that a slot goes to: at the first cut, the second, and after. Their product is the leaves of a slot. */
export const FIRST: u32 = 4;
const SECOND: u32 = 2;
/** Leaders of a cut at most, so that their rows stay in L2. */
export const LEADERS: u32 = 100;
/** Slots that a part is meant to have. */
const PART_SLOTS: u32 = LEAF >> 1;
/** Smaller parts are put together. */
export const LEAST: u32 = 32;

/** One part that is being cut: its leaders are drawn, slots find theirs, and then each leader's part is cut in turn. */
@unmanaged class Frame {
  path: u64;
  above: u32;    // Frame of the part that this is one of
  start: u32;    // where its scratch begins
  slots: u32;
  n: u32;
  depth: u32;
  fan: u32;
  k: u32;
  leaders: u32;  // k x u32
  ends: u32;     // where each leader's part ends
  leaderOf: u32; // n x fan x u32
  parts: u32;    // as many
  few: u32;      // for joinSmall()
  scale: f32;    // of the leaders' rows
  at: u32;       // slots that have found their leaders
  j: u32;        // parts that are cut, and where the next begins
  from: u32;
  inside: u32;   // of a part that will not be parted, slots that were in a leaf
}

/** Slots that find their leaders at a time. */
const SLICE: u32 = 256;

/** One thread's scratch. */
@unmanaged export class Cutter {
  leaf: u32;      // Leaf
  leaders: u32;   // WholeRows of LEADERS, of one cut
  four: u32;      // WholeRows of 4
  factors: u32;   // 4 x f32
  dots: u32;      // 4 x LEADERS i32
  distances: u32; // LEADERS x f32
  frame: u32;     // Frame at hand, or 0

  /** With what carve() takes of n slots: a part is never more than three quarters of them but once. */
  static bytes(n: u32): usize {
    return Leaf.bytes() + WholeRows.bytes(LEADERS) + WholeRows.bytes(4) + (LEADERS << 5) + 2048 + (<usize>n << 5) + (<usize>n << 4)
      + MOST_FRAMES * FRAME_BYTES;
  }

  /** To assign slots to leaders, and to carve parts; 0 where scratch cannot grow. */
  static open(carves: bool): Cutter {
    const none = changetype<Cutter>(0);
    const at = alloc(offsetof<Cutter>());
    if (!at) return none;
    const c = changetype<Cutter>(at);
    c.frame = 0;
    if (carves) {
      c.leaf = <u32>changetype<usize>(Leaf.open());
      c.leaders = <u32>changetype<usize>(WholeRows.open(LEADERS, leadersAre()));
      if (!c.leaf || !c.leaders) return none;
    }
    c.four = <u32>changetype<usize>(WholeRows.open(4, leadersAre()));
    c.factors = <u32>alloc(16);
    c.dots = <u32>alloc(LEADERS << 4);
    c.distances = <u32>alloc(LEADERS << 2);
    return c.four && c.factors && c.dots && c.distances ? c : none;
  }

  /** Begins with n different slots, whose order changes. False where scratch cannot grow. */
  begin(slots: usize, n: u32, depth: u32, path: u64): bool {
    const leaf = changetype<Leaf>(this.leaf);
    if (!hasFresh(slots, n)) return true;
    if (n <= leafSize()) {
      leaf.join(slots, n);
      return true;
    }
    const start = mark();
    const at = alloc(offsetof<Frame>());
    if (!at) return false;
    const f = changetype<Frame>(at);
    f.above = this.frame;
    f.start = <u32>start;
    f.path = path;
    f.slots = <u32>slots;
    f.n = n;
    f.depth = depth;
    f.fan = depth == 1 ? SECOND : 1;
    f.k = leadersFor(n, f.fan);
    f.at = 0;
    f.j = 0;
    f.from = 0;
    f.inside = 0;
    f.leaders = <u32>alloc(f.k << 2);
    f.ends = <u32>alloc(f.k + 1 << 2);
    f.leaderOf = <u32>alloc(<usize>n * f.fan << 2);
    f.parts = <u32>alloc(<usize>n * f.fan << 2);
    f.few = <u32>alloc(2 * LEAST << 2);
    if (!f.leaders || !f.ends || !f.leaderOf || !f.parts || !f.few) return false;
    draw(slots, n, f.leaders, f.k, path);
    f.scale = fillLeaders(changetype<WholeRows>(this.leaders), f.leaders, f.k, leaf.squares);
    this.frame = <u32>at;
    return true;
  }

  /** One step of what was begun, while there is a frame. False where scratch cannot grow. */
  advance(): bool {
    const f = changetype<Frame>(this.frame);
    const leaf = changetype<Leaf>(this.leaf);
    if (f.at < f.n) {
      const n = min(SLICE, f.n - f.at);
      const slots = f.slots + (<usize>f.at << 2), leaderOf = f.leaderOf + (<usize>f.at * f.fan << 2);
      this.assign(slots, n, changetype<WholeRows>(this.leaders), f.scale, f.k, f.fan, leaderOf);
      f.at += n;
      if (f.at == f.n) groupByLeader(f.slots, f.n, f.fan, f.leaderOf, f.k, f.ends, f.parts);
      return true;
    }
    if (f.j == f.k) {
      joinSmall(leaf, f.parts, f.ends, f.k, f.few);
      this.frame = f.above;
      reset(f.start);
      return true;
    }
    const size = load<u32>(f.ends + (f.j << 2)) - f.from;
    const part = f.parts + (<usize>f.from << 2);
    // Slots that will not be parted, many of them being one.
    if (size > leafSize() && size > f.n - (f.n >> 2) && f.inside < size) {
      const n = min(leafSize(), size - f.inside);
      if (hasFresh(part + (<usize>f.inside << 2), n)) leaf.join(part + (<usize>f.inside << 2), n);
      f.inside += n;
      if (f.inside < size) return true;
    }
    const cut = f.inside < size && size >= LEAST;
    const j = f.j++;
    f.from += size;
    f.inside = 0;
    return !cut || this.begin(part, size, f.depth + 1, random64(f.path, j));
  }

  /** The `fan` nearest of k leaders of each of n slots: |leader|^2 - 2 <leader, slot> is least. Of a slot that is linked already fewer, then NONE. */
  assign(slots: usize, n: u32, set: WholeRows, scale: f32, k: u32, fan: u32, leaderOf: usize): void {
    if (scale == 0) { // leaders that are one: any will do
      for (let i: u32 = 0; i < n * fan; i++) store<u32>(leaderOf + (<usize>i << 2), i % fan);
      return;
    }
    const four = changetype<WholeRows>(this.four);
    const padded = <u32>align(k, 4);
    const dots: usize = this.dots, distances: usize = this.distances;
    for (let from: u32 = 0; from < n; from += 4) {
      const count = min(4, n - from);
      for (let i: u32 = 0; i < count; i++) {
        const scaled = four.put(i, load<u32>(slots + (<usize>(from + i) << 2)), set, scale);
        store<f32>(this.factors + (i << 2), -2 * scale / scaled);
      }
      dotsBetween(four.codes, set.codes, set.quad, padded, dots);
      for (let i: u32 = 0; i < count; i++) {
        const factor = load<f32>(this.factors + (i << 2));
        const row = dots + i * (padded << 2);
        for (let j: u32 = 0; j < k << 2; j += 4) {
          store<f32>(distances + j, <f32>load<i32>(set.norms + j) + factor * <f32>load<i32>(row + j));
        }
        const own = bulk().isFresh(load<u32>(slots + (<usize>(from + i) << 2))) ? fan : fan + 1 >> 1;
        takeNearest(distances, k, own, leaderOf);
        for (let f = own; f < fan; f++) store<u32>(leaderOf + (f << 2), NONE);
        leaderOf += fan << 2;
      }
    }
  }
}

/** Frames below each other at most: a part is no more than three quarters of the one above. */
const MOST_FRAMES: usize = 64;
const FRAME_BYTES: usize = 128;

/** Whether some of n slots are to be linked. */
function hasFresh(slots: usize, n: u32): bool {
  const b = bulk();
  for (const end = slots + (<usize>n << 2); slots < end; slots += 4) if (b.isFresh(load<u32>(slots))) return true;
  return false;
}

@inline export function leadersAre(): u32 { return bulk().byDots ? DIRECTIONS : PLACES; }
@inline export function leadersFor(n: u32, fan: u32): u32 { return min(LEADERS, max(n / PART_SLOTS * fan, 2 * fan)); }

function takeNearest(distances: usize, k: u32, fan: u32, to: usize): void {
  for (let f: u32 = 0; f < fan; f++, to += 4) {
    let best: u32 = 0;
    let least = load<f32>(distances);
    for (let j: u32 = 1; j < k; j++) {
      const distance = load<f32>(distances + (j << 2));
      if (distance >= least) continue;
      least = distance;
      best = j;
    }
    store<u32>(to, best);
    store<f32>(distances + (best << 2), Infinity);
  }
}

/** k different ones of n slots, at random; they come to the front. */
function draw(slots: usize, n: u32, leaders: usize, k: u32, path: u64): void {
  for (let i: u32 = 0; i < k; i++) {
    const other = slots + (<usize>(i + <u32>(random64(path, i) % <u64>(n - i))) << 2);
    const leader = load<u32>(other);
    store<u32>(other, load<u32>(slots + (i << 2)));
    store<u32>(slots + (i << 2), leader);
    store<u32>(leaders + (i << 2), leader);
  }
}

/**
 * Leaders that are one but for rounding count once, the others as far from everything: or a crowd of equal vectors near the middle,
 * nearest to all, would be all the leaders of everyone. `squares`: room for k x k.
 */
export function fillLeaders(set: WholeRows, leaders: usize, k: u32, squares: usize): f32 {
  const scale = set.fill(leaders, k);
  if (scale == 0) return 0;
  const padded = <u32>align(k, 4);
  squaresAmong(set.codes, set.quad, padded, set.norms, squares);
  for (let i: u32 = 1; i < k; i++) {
    for (let j: u32 = 0; j < i; j++) {
      if (load<u32>(squares + (i * padded + j << 2)) > set.width) continue;
      store<i32>(set.norms + (i << 2), I32.MAX_VALUE);
      break;
    }
  }
  return scale;
}

/** Slots by each of their `fan` leaders (NONE: none), to `parts`; ends[j]: where those of leader j end. */
export function groupByLeader(slots: usize, n: u32, fan: u32, leaderOf: usize, k: u32, ends: usize, parts: usize): void {
  clearEnds(ends, k);
  const end = leaderOf + (<usize>n * fan << 2);
  for (let p = leaderOf; p < end; p += 4) if (load<u32>(p) != NONE) countMember(ends, load<u32>(p));
  toStarts(ends, k);
  for (let i: u32 = 0; i < n; i++) {
    for (const own = leaderOf + (fan << 2); leaderOf < own; leaderOf += 4) {
      if (load<u32>(leaderOf) == NONE) continue;
      store<u32>(parts + (<usize>placeMember(ends, load<u32>(leaderOf)) << 2), load<u32>(slots + (<usize>i << 2)));
    }
  }
}

/** Parts below LEAST make leaves together; `few`: room for 2 LEAST slots. */
export function joinSmall(leaf: Leaf, parts: usize, ends: usize, k: u32, few: usize): void {
  let count: u32 = 0;
  for (let j: u32 = 0, from: u32 = 0; j < k; j++) {
    const end = load<u32>(ends + (j << 2));
    if (end - from < LEAST) for (let i = from; i < end; i++) count = insertOnce(few, count, load<u32>(parts + (<usize>i << 2)));
    from = end;
    if (count < LEAST) continue;
    if (hasFresh(few, count)) leaf.join(few, count);
    count = 0;
  }
  if (hasFresh(few, count)) leaf.join(few, count);
}

/** A slot may be in several small parts. */
function insertOnce(slots: usize, n: u32, slot: u32): u32 {
  for (let i: u32 = 0; i < n; i++) if (load<u32>(slots + (i << 2)) == slot) return n;
  store<u32>(slots + (n << 2), slot);
  return n + 1;
}
