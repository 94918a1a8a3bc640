// VectorIndex.compact: a new engine, as small as what is left. A graph that is linked at once is linked anew there, from the rows as they lie,
// and is then what a fresh build of them would be; others are swept, and move as they are.

import { copyAll, copyRows, copyTables } from "../border/copies.js";
import type { Engine } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";
import { newEngine } from "../border/runtime.js";
import type { Patience } from "../input/patience.js";
import { breath, SLICE_MS } from "../input/slices.js";
import { E_MEMORY } from "../words/codes.js";
import { MIPS_NAMES } from "../words/knobs.js";
import { FRESH, readState, stateBytes } from "../words/state.js";
import { chunkOf } from "./adding.js";
import { keepNextId, succeed } from "./learner.js";
import { linkWaiting } from "./linking.js";
import { removeAll } from "./replacing.js";
import type { Seat } from "./seat.js";
import { inTurn } from "./succession.js";

/** Slots that are repaired between two looks at the clock. */
const SWEEP_SLOTS = 16;
/** Rows that are copied between two. */
const COPIED_ROWS = 256;
/** What has changed meanwhile is linked in slices so often; what changes during the last of them at once. */
const LATE_ROUNDS = 3;

export function compact(seat: Seat): Promise<void> {
  return inTurn(seat, undefined, async (patience) => {
    const { engine } = seat;
    const again = linksAnew(engine);
    const state = readState(engine.copyState());
    const { reconstruction, learnedOn } = state;
    const first = again ? stateBytes({ ...state, ...FRESH, reconstruction, learnedOn }) : engine.copyState();
    const target = await patience.for(newEngine(first, engine.maxBytes, engine.threads));
    try {
      if (!again || !(await relink(seat, target, patience))) await sweepAndCopy(seat, target, patience);
      succeed(seat, target);
    } catch (error) {
      target.endThreads?.();
      throw error;
    }
  });
}

/**
 * Whether linking all anew is what is wanted: nothing that was removed has left a trace otherwise, or vectors came one by one. Not where the
 * longest row is in all of them.
 */
function linksAnew(engine: Engine): boolean {
  if (!engine.state("trained") || (!engine.state("atOnce") && !engine.state("fastScan"))) return false;
  if (engine.state("mips") === MIPS_NAMES.indexOf("augment")) return false;
  return engine.state("unsought") > 0 || engine.exports.storeCount(0) > engine.live;
}

/** All rows are in `target`, linked, when this returns true; false, and it is empty, where it has no room for them. */
async function relink(seat: Seat, target: Engine, patience: Patience): Promise<boolean> {
  const { engine } = seat;
  const ids = engine.ids();
  if (!ids.length || target.exports.reserve(ids.length, true, chunkOf(target, ids.length)) === E_MEMORY) return false;
  copyTables(target, engine);
  (target.exports as FullExports).finishTables?.();
  const touched = new Set<number>();
  seat.touched = touched;
  try {
    for (let from = 0, started = performance.now(); from < ids.length; from += COPIED_ROWS) {
      take(
        target,
        engine,
        ids.subarray(from, from + COPIED_ROWS).filter((id) => !touched.has(id)),
      );
      if (performance.now() - started < SLICE_MS) continue;
      await patience.for(breath());
      started = performance.now();
    }
    for (let round = 0; ; round++) {
      if (round < LATE_ROUNDS) await linkWaiting(() => target, patience);
      else target.done(target.exports.linkPending?.(false) ?? 1);
      if (!touched.size && !target.state("pending")) break;
      const late = Uint32Array.from(touched);
      touched.clear();
      removeAll(target, late);
      const there = late.filter((id) => engine.has(id));
      target.done(target.exports.reserve(there.length, true, chunkOf(target, there.length)));
      take(target, engine, there);
    }
  } finally {
    seat.touched = undefined;
  }
  keepNextId(engine, target);
  return true;
}

/** Those of an engine with these ids, which it has, wait in another to be linked. */
function take(target: Engine, engine: Engine, ids: Uint32Array): void {
  const first = target.exports.storeCount(0);
  target.scope(() => target.exports.storeVectors?.(0, target.writeU32(ids), ids.length));
  copyRows(target, first, engine, ids);
}

/** What is removed goes, and all that is left moves. */
async function sweepAndCopy(seat: Seat, target: Engine, patience: Patience): Promise<void> {
  const { engine } = seat;
  const removed = (): boolean => engine.state("dead") + engine.state("doomed") > 0;
  const waits = (): boolean => engine.state("pending") > 0;
  for (let done = engine.state("unsought") === 0; !done || removed() || waits(); await patience.for(breath())) {
    await linkWaiting(() => engine, patience);
    if (waits()) continue; // some have come since, and are perhaps being linked: no sweep meanwhile
    if (engine.state("dead") > 0 && engine.state("doomed") === 0) engine.exports.startSweep();
    const started = performance.now();
    do done = engine.done(engine.exports.sweep(SWEEP_SLOTS)) !== 0;
    while (!done && performance.now() - started < SLICE_MS);
  }
  engine.done(engine.exports.compactSlots());
  copyAll(target, engine);
  target.lists = engine.lists;
}
