// Tasks that several threads share: instances of one module on one memory, each in a worker of its own (src/border/workers.ts). A run
// of tasks is announced by its number; whoever is awake takes tasks until there are none. The first instance works as well,
// and waits for the others' last tasks without sleeping, as the main thread of a page may not sleep. What tasks write does not depend
// on their order (tasks.ts), so that the outcome is the same whoever did it. Without threads all of this is a loop.
//
// Every other thread works on a copy of the records at the bottom of memory, with scratch behind them (arena.ts).
import { ALL, NONE } from "../../../base/codes";
import { THREADS } from "../../../base/simd";
import { TEAM, TEAM_BYTES, alloc, copyRecords, mark, reset, workAt } from "../../../memory/arena";
import { layout } from "../../../table/nodes";
import { codeBytes, openTurned } from "../../../kernel/rotation";
import { codecBytes, openScorers } from "../../../codec/scorer";
import { Team, team } from "./job";
import { doTask, openDesk } from "./tasks";

const MOST_WORKERS: u32 = 31;
if (offsetof<Team>("regions") + MOST_WORKERS * sizeof<u32>() > TEAM_BYTES) ERROR("Team has outgrown TEAM_BYTES of assembly/memory/arena.ts");

@inline function regionAt(worker: u32): usize { return TEAM + offsetof<Team>("regions") + (worker << 2); }

/** Threads beside this one that have begun to serve(). */
export function setWorkers(n: u32): void { team().workers = min(n, MOST_WORKERS); }

/** Before runs: workers get `bytes` of scratch each, and stay idle where there is no room for it, or 0. */
export function gather(bytes: usize): void {
  const t = team();
  if (!THREADS || !bytes) return;
  t.bytes = <u32>(TEAM + bytes + 3 * codecBytes() + (ALL ? 2 * codeBytes() + 128 : 0) + 256);
  for (let i: u32 = 0; i < t.workers; i++) store<u32>(regionAt(i), <u32>alloc(t.bytes));
}

/** Nobody works any more. */
export function dismiss(): void { for (let i: u32 = 0; i < MOST_WORKERS; i++) store<u32>(regionAt(i), 0); }

/** Does tasks from..to of a kind; false where one could not be done for want of scratch. */
export function runTasks(kind: u32, from: u32, to: u32): bool {
  if (!THREADS) {
    const start = mark();
    let ok = openDesk(kind);
    for (let i = from; i < to && ok; i++) ok = doTask(kind, i);
    reset(start);
    return ok;
  }
  const t = team();
  const run = t.run + 1;
  atomic.store<u64>(TEAM, <u64>run << 32 | NONE); // nobody takes anything while the fields change
  t.tasks = to;
  t.done = 0;
  t.kind = kind;
  t.failed = 0;
  for (let i: u32 = 0; i < t.workers; i++) {
    const region = load<u32>(regionAt(i));
    if (region) prepareRegion(region);
  }
  atomic.store<u64>(TEAM, <u64>run << 32 | from);
  atomic.store<u32>(TEAM + offsetof<Team>("run"), run);
  atomic.notify(TEAM + offsetof<Team>("run"), <i32>t.workers);
  const start = mark();
  takeTasks(run);
  while (atomic.load<u32>(TEAM + offsetof<Team>("done")) < to - from) {}
  reset(start);
  return !t.failed;
}

/** Records as they are now, and rooms of its own for bound queries and rotated vectors. */
function prepareRegion(region: usize): void {
  copyRecords(region, team().bytes);
  workAt(region);
  openScorers();
  if (ALL && layout().turned) openTurned();
  workAt(0);
}

/** What a worker's thread does for ever. */
export function serve(worker: u32): void {
  if (!THREADS) return;
  for (let seen: u32 = 0; ; ) {
    atomic.wait<i32>(TEAM + offsetof<Team>("run"), <i32>seen, -1);
    const run = atomic.load<u32>(TEAM + offsetof<Team>("run"));
    if (run == seen) continue;
    seen = run;
    const region = load<u32>(regionAt(worker));
    if (!region) continue;
    workAt(region);
    takeTasks(run);
    workAt(0);
  }
}

function takeTasks(run: u32): void {
  const t = team();
  let ready = false, asked = false;
  for (let i = take(run); i != NONE; i = take(run)) {
    if (!asked) ready = openDesk(t.kind);
    asked = true;
    if (!ready || !doTask(t.kind, i)) atomic.store<u32>(TEAM + offsetof<Team>("failed"), 1);
    atomic.add<u32>(TEAM + offsetof<Team>("done"), 1);
  }
}

/** The next task of a run; NONE where there is none, or where the run is over. */
function take(run: u32): u32 {
  let ticket = atomic.load<u64>(TEAM);
  while (<u32>(ticket >> 32) == run && <u32>ticket < team().tasks) {
    const before = atomic.cmpxchg<u64>(TEAM, ticket, ticket + 1);
    if (before == ticket) return <u32>ticket;
    ticket = before;
  }
  return NONE;
}
