// Many slots are linked at once in place of one insertion after the other, from overlapping leaves (carve.ts) whose distances come as
// matrices (leaf.ts): the way of PiPNN (arXiv 2602.21247), with the links then chosen as an insertion chooses them
// (selection.ts), on every layer of the hierarchy. fashion-mnist-784, relaxed: inserted
// one by one in 23.4 s, recall@10 .948 at ef 10 and .991 at 20; at once in 5.9 s, .977 and .997 after as many rows read.
//
// The slots are the last `pending` ones. Leaves have those that are linked already as members too, where they are near; these
// are touched at the end alone (TYING), so that until then the graph is searched as it is, or all of this may be given up. It goes in steps,
// of some milliseconds where they are to be short, between which anybody may search. While it lasts, scratch is in use: whoever wants
// permanent memory calls stopLinking() before.
//
// Which leaves there are depends on the seed, slots and ids alone, whatever the threads and steps. A slot that no leaf can place, its
// nearest being as good as equal, is inserted in the end as by itself.
import { E_MEMORY } from "../../../base/codes";
import { clearEnds, toStarts } from "../../../base/counting";
import { random64 } from "../../../base/random";
import { alloc, mark, reset } from "../../../memory/arena";
import { state } from "../../../memory/state";
import { nodes } from "../../../table/nodes";
import { Builder } from "../builder";
import { haveCodes } from "../graph";
import { countAbove, tieSomeStrayed } from "../strays";
import { joinSomeTwins, openHashes } from "../twins";
import {
  chooseCodec, clearFresh, countChosen, eachLink, enter, gatherMembers, highestLayer, insertUnclear, markThin, needDots, noteLengths, openCommit,
  openLayer, openLinks, roundsFor, settleUnclear,
} from "./build";
import { Flood } from "./flood";
import { closeCut, joinSmallParts, openCut } from "./first-cut";
import { Bulk, bulk, bulkNow, team } from "./job";
import { ASSIGN, CHOOSE, JOIN, PACK, PART, SOME, TIE, TURN, advancePart, beginPart, deskBytes, openDesk, partIsDone } from "./tasks";
import { dismiss, gather, runTasks } from "./team";

const TWINS: u32 = 0;
const GATHERING: u32 = 1;
const CUTTING: u32 = 2;
const ASSIGNING: u32 = 3;
const PARTING: u32 = 4;
const CHOOSING: u32 = 5;
/** Who links to whom, and their places. */
const COUNTING: u32 = 6;
const PLACING: u32 = 7;
const JOINING: u32 = 8;
const TURNING: u32 = 9;
const PACKING: u32 = 10;
/** From here on those that were linked are touched. */
const TYING: u32 = 11;
const INSERTING: u32 = 12;
const REACHING: u32 = 13;
const SEEKING: u32 = 14;
const ENDED: u32 = 15;

/** Slots of a short step that only looks at each. */
const GLANCES: u32 = 2048;

/** Begins with all that wait, their towers raised; `alone`: without other threads. False where scratch cannot grow. */
export function openLinking(alone: bool): bool {
  const count = nodes().count, first = count - state().pending;
  const start = mark();
  const at = alloc(offsetof<Bulk>());
  const slots = at ? alloc(<usize>count << 2) : 0;
  const marks = slots ? alloc(count - first) : 0;
  const builder = marks ? Builder.open() : changetype<Builder>(0);
  const atLayer = mark();
  const table = builder ? openHashes(count) : 0;
  if (!table) {
    reset(start);
    return false;
  }
  memory.fill(at, 0, offsetof<Bulk>());
  memory.fill(marks, 0, count - first);
  const b = changetype<Bulk>(at);
  b.first = first;
  b.count = count;
  b.slots = <u32>slots;
  b.marks = <u32>marks - first; // a slot takes more than a byte, so that this is above 0
  b.slotBits = 32 - clz(count);
  b.builder = <u32>changetype<usize>(builder);
  b.by = builder.by;
  b.least = Infinity;
  b.alone = <u32>alone;
  b.start = <u32>start;
  b.table = <u32>table;
  b.atLayer = <u32>atLayer;
  team().bulk = <u32>at;
  return true;
}

/** Gives up what has not begun to touch the graph, and ends what has. */
export function stopLinking(): void {
  if (!bulkNow()) return;
  const b = bulk();
  if (!b.committed) {
    clearFresh(b);
    close(b);
    team().stopped++;
  } else while (bulkNow()) linkStep(false);
}

function close(b: Bulk): void {
  dismiss();
  team().bulk = 0;
  reset(b.start);
}

/** The next step, a short one or up to where the next phase begins: 1 if all is done, 0 if not; E_MEMORY, and it is given up. */
export function linkStep(short: bool): i32 {
  const b = bulk();
  if (b.committed) tieFresh(b, short);
  else if (!linkFresh(b, short)) {
    stopLinking();
    return E_MEMORY;
  }
  if (b.phase < ENDED) return 0;
  close(b);
  return 1;
}

/** Links among those that wait, and from them to others. False where scratch cannot grow. */
function linkFresh(b: Bulk, short: bool): bool {
  switch (b.phase) {
    case TWINS: {
      const to = short ? min(b.next + GLANCES, b.count) : b.count;
      joinSomeTwins(b.table, b.count, b.first, b.next, to);
      noteLengths(b, b.next, to);
      b.next = to;
      if (to < b.count) return true;
      reset(b.atLayer);
      b.byDots = <u32>needDots(b);
      if (!b.alone) gather(deskBytes(b.count));
      b.atLayer = <u32>mark();
      b.layer = highestLayer(b);
      return beginLayer(b);
    }
    case GATHERING: {
      // Those to be linked come first.
      const to = min(short ? b.next + GLANCES : u32.MAX_VALUE, b.next < b.first ? b.first : b.count);
      gatherMembers(b, b.next, to);
      b.next = to == b.count ? 0 : to;
      return b.next != b.first || (openLayer(b) && begin(b, CUTTING));
    }
    case CUTTING: {
      b.atRound = <u32>mark();
      b.path = random64(b.path, 0);
      if (!openCut(b)) return false;
      if (b.k > 1) begin(b, ASSIGNING);
      else beginParts(b);
      return true;
    }
    case ASSIGNING: {
      if (!runSome(b, ASSIGN, tasksOf(b.all), short)) return false;
      if (b.next == tasksOf(b.all)) beginParts(b);
      return true;
    }
    case PARTING: {
      if (!carveSome(b, short)) return false;
      if (b.next < b.k || b.desk) return true;
      if (!joinSmallParts(b)) return false;
      reset(b.atRound);
      if (!b.round++) b.rounds = roundsFor(b);
      begin(b, b.round < b.rounds ? CUTTING : CHOOSING);
      if (b.phase == CUTTING) return true;
      markThin(b);
      return chooseCodec(b);
    }
    case CHOOSING: {
      if (!runSome(b, CHOOSE, tasksOf(b.n), short)) return false;
      if (b.next < tasksOf(b.n)) return true;
      countChosen(b);
      return openLinks(b, b.first, b.count) && beginCounting(b);
    }
    case COUNTING:
    case PLACING: {
      if (!findLinks(b, short)) return true;
      if (!b.tying) return begin(b, JOINING);
      b.committed = 1;
      return begin(b, TYING);
    }
    case JOINING: {
      if (!runSome(b, JOIN, tasksOf(b.n), short)) return false;
      if (b.next == tasksOf(b.n)) return !haveCodes() ? endLayer(b) : begin(b, b.layer ? PACKING : TURNING);
      return true;
    }
    case TURNING: {
      if (!runSome(b, TURN, tasksOf(b.n), short)) return false;
      if (b.next == tasksOf(b.n)) begin(b, PACKING);
      return true;
    }
    default: {
      if (!runSome(b, PACK, tasksOf(b.n), short)) return false;
      return b.next < tasksOf(b.n) || endLayer(b);
    }
  }
}

@inline function tasksOf(n: u32): u32 { return (n + SOME - 1) / SOME; }

function begin(b: Bulk, phase: u32): bool {
  b.phase = phase;
  b.next = 0;
  return true;
}

/** Some tasks of a kind, of so many; all that are left, or as many as there are threads. False where scratch cannot grow. */
function runSome(b: Bulk, kind: u32, n: u32, short: bool): bool {
  const to = short ? min(b.next + team().workers + 1, n) : n;
  const ok = b.next == to || runTasks(kind, b.next, to);
  b.next = to;
  return ok;
}

function beginParts(b: Bulk): void {
  closeCut(b);
  begin(b, PARTING);
}

/** Some leaves. By one thread in short steps, a part lasts for many. */
function carveSome(b: Bulk, short: bool): bool {
  if (!b.desk && (!short || team().workers)) return runSome(b, PART, b.k, short);
  if (!b.desk) {
    if (!openDesk(PART)) return false;
    b.desk = 1;
  }
  if (!partIsDone()) return advancePart();
  if (b.next < b.k) return beginPart(b.next++);
  b.desk = 0;
  return true;
}

function beginLayer(b: Bulk): bool {
  reset(b.atLayer);
  b.n = 0;
  b.all = 0;
  begin(b, GATHERING);
  b.next = b.first;
  return true;
}

/** On to the layer below, or to those that are linked already. */
function endLayer(b: Bulk): bool {
  if (b.layer) {
    b.layer--;
    return beginLayer(b);
  }
  reset(b.atLayer);
  if (!openCommit(b)) return false;
  b.layer = min(highestLayer(b), state().topLevel);
  b.tying = 1;
  return beginCounting(b);
}

function beginCounting(b: Bulk): bool {
  begin(b, COUNTING);
  b.next = b.first;
  clearEnds(b.linkEnds, b.linkedTo - b.linkedFrom);
  return true;
}

/** Whether it is known who of those to be linked links to each slot that is asked about. */
function findLinks(b: Bulk, short: bool): bool {
  const to = short ? min(b.next + GLANCES, b.count) : b.count;
  eachLink(b, b.next, to, b.phase == PLACING);
  b.next = to;
  if (to < b.count) return false;
  if (b.phase == PLACING) return true;
  toStarts(b.linkEnds, b.linkedTo - b.linkedFrom);
  begin(b, PLACING);
  b.next = b.first;
  return false;
}

/** Links to those that have been linked, and what an insertion sees to after each. */
function tieFresh(b: Bulk, short: bool): void {
  const builder = changetype<Builder>(b.builder);
  switch (b.phase) {
    case COUNTING:
    case PLACING: {
      if (findLinks(b, short)) begin(b, TYING);
      return;
    }
    case TYING: {
      runSome(b, TIE, tasksOf(b.first), short);
      if (b.next < tasksOf(b.first)) return;
      if (b.layer && b.first) {
        b.layer--;
        beginCounting(b);
        return;
      }
      enter(b);
      begin(b, INSERTING);
      b.next = b.first;
      return;
    }
    case INSERTING: {
      while (b.next < b.count) if (insertUnclear(b, b.next++) && short) return;
      settleUnclear(b);
      begin(b, REACHING);
      b.layer = state().topLevel;
      b.atLayer = <u32>mark();
      b.flood = <u32>changetype<usize>(Flood.open(b.layer));
      return;
    }
    case REACHING: {
      const flood = changetype<Flood>(b.flood); // 0: no room, and the layer stays as it is
      if (flood && !flood.advance(builder, short ? GLANCES : u32.MAX_VALUE)) return;
      reset(b.atLayer);
      if (b.layer--) {
        b.flood = <u32>changetype<usize>(Flood.open(b.layer));
        return;
      }
      begin(b, SEEKING);
      b.next = b.first;
      b.above = countAbove(b.first, b.count);
      return;
    }
    default: {
      const to = short ? min(b.next + SOME, b.count) : b.count;
      b.due = tieSomeStrayed(builder, b.next, to, b.count - b.first, b.above, b.due);
      b.next = to;
      if (to == b.count) b.phase = ENDED;
    }
  }
}
