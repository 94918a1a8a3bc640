// One memory that several threads search: each by an instance of its own, which works on a copy of the records at the bottom of memory,
// with rooms for its query and scratch behind them (arena.ts), while the first alone changes what all of them read. When that may be is
// settled outside (src/pool/lock.ts): no thread searches while there are changes.
import { ALL, GRAPH } from "../base/codes";
import { align, rowBytes } from "../base/sizes";
import { TEAM, alloc, copyRecords, keep, mark, release, reset, workAt } from "../memory/arena";
import { state } from "../memory/state";
import { layout } from "../table/nodes";
import { codeBytes, openTurned } from "../kernel/rotation";
import { codecBytes } from "../codec/scorer";
import { openQuestion } from "../family/flat/bounds";
import { openGuide } from "../family/graph/neighbours";
import { openOne } from "../family/graph/twins";
import { bulkNow } from "../family/graph/bulk/job";
import { stopLinking } from "../family/graph/bulk/steps";
import { openQuery } from "./open";
import { fits, roomToUse } from "./room";

/** A region begins where the records would, if memory began there: JS clears so much of it (src/border/engine.ts). */
const REGION_ALIGN: usize = 4096;
/** Queries of a batch and what they find, beside the room for one. */
const BATCH: usize = 256 * 1024;

/** Of a thread that searches, as the index is now and until it is a third larger. */
export function regionBytes(): usize {
  const room = roomToUse();
  const rooms = 8 * rowBytes(state().dimensions + 16) + 3 * codecBytes() + (GRAPH || ALL ? 20 * codeBytes() : 0);
  return align(TEAM + rooms + room + room / 3 + BATCH, REGION_ALIGN);
}

/** A region of so many bytes, which are there for good; 0 where memory cannot grow and leave room to search. */
export function keepRegion(bytes: usize): usize {
  if (GRAPH && bulkNow()) stopLinking();
  const start = mark();
  const at = keep(bytes + REGION_ALIGN);
  if (!at || !fits(0, 0)) {
    release(start);
    return 0;
  }
  return align(at, REGION_ALIGN);
}

/** Of another thread's instance, before it searches and whenever the index has changed: false where the region has become too small. */
export function attach(region: usize, bytes: usize): bool {
  workAt(0);
  copyRecords(region, bytes);
  workAt(region);
  if (!openRooms()) return false;
  const start = mark();
  const ok = alloc(roomToUse()) != 0;
  reset(start);
  return ok;
}

/** Where a row is decoded, with a coordinate more; what is behind it stays zero. */
function openRow(): bool {
  const bytes = rowBytes(state().dimensions + 1);
  layout().row = <u32>alloc(bytes);
  if (layout().row) memory.fill(layout().row, 0, bytes);
  return layout().row != 0;
}

function openRooms(): bool {
  const l = layout();
  if (!openQuery()) return false;
  if ((GRAPH || ALL) && l.turned && !openTurned()) return false;
  if (ALL && l.row && !openRow()) return false;
  if (GRAPH && l.question && !openQuestion()) return false;
  if (GRAPH && l.guide && !openGuide()) return false;
  return !l.one || openOne();
}
