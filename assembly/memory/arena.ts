// The memory map. One index lives in one memory; nothing here is a managed object and nothing is ever freed singly.
//
//   0      never used: address 0 means "none"
//   64     Arena      first free byte, and how far memory may grow
//   80     State      the index's persistent numbers, saved and loaded as they are (state.ts)
//   336    Store      nodes: a row, an id, links ... per slot (store.ts)
//   592    Store      upper: one record per node and layer above 0; flat, prefilter: one per slot
//   848    Codec      how rows are stored and walked (scorer.ts)
//   912    Codec      exact rows kept for the rerank
//   976    Scorer x 3 walk, exact, link (128 bytes each)
//   1360   Buffers    where the query goes and other fixed places
//   1488   IdTable    id -> slot (ids.ts)
//   1504   Filters    those made ready for many searches (filters.ts)
//   1536   Work       counters and results of the last search
//   1584   Hash       state of a running checksum (checksum.ts)
//   1632   three records while memory is reserved (room.ts)
//   1712   Ask        what the search at hand is asked (ask.ts)
//   1760   Scorer     scan
//   1896   u32        class id of the family, as of an object at 1904 (family.ts)
//   1920   Blobs      tables of fixed size: centroids, codebooks ... (blobs.ts)
//   2048   Team       what threads share while a graph is built (team.ts)
//   4096   static data of the module (asconfig: memoryBase)
//   __heap_base ...   permanent blocks, growing upward
//   top ...           scratch of the running call: mark(), alloc(), reset(); the next permanent block overwrites it
//
// So permanent memory may only be taken while no scratch is in use: reserve() first, then work. Each record begins where the room
// of the one before ends, and the file that has a record's class does not compile where it outgrows its room.
import { CHECKED } from "../base/codes";
import { THREADS } from "../base/simd";
import { align } from "../base/sizes";

const ARENA_BYTES: usize = 16;
export const STATE_BYTES: usize = 256;
export const STORE_BYTES: usize = 256;
export const CODEC_BYTES: usize = 64;
export const SCORER_BYTES: usize = 128;
export const BUFFERS_BYTES: usize = 128;
export const ID_TABLE_BYTES: usize = 16;
export const FILTERS_BYTES: usize = 32;
export const WORK_BYTES: usize = 48;
export const HASH_BYTES: usize = 48;
export const SAVED_BYTES: usize = 80;
export const ASK_BYTES: usize = 48;
const FAMILY_HEADER: usize = 16;
const FAMILY_BYTES: usize = 16;
export const BLOBS_BYTES: usize = 128;
export const TEAM_BYTES: usize = 2048;

const ARENA: usize = 64;
export const STATE: usize = ARENA + ARENA_BYTES;
export const NODES: usize = STATE + STATE_BYTES;
export const UPPER: usize = NODES + STORE_BYTES;
export const CODEC: usize = UPPER + STORE_BYTES;
export const EXACT_CODEC: usize = CODEC + CODEC_BYTES;
export const WALK_SCORER: usize = EXACT_CODEC + CODEC_BYTES;
export const EXACT_SCORER: usize = WALK_SCORER + SCORER_BYTES;
export const LINK_SCORER: usize = EXACT_SCORER + SCORER_BYTES;
export const BUFFERS: usize = LINK_SCORER + SCORER_BYTES;
export const ID_TABLE: usize = BUFFERS + BUFFERS_BYTES;
export const FILTERS: usize = ID_TABLE + ID_TABLE_BYTES;
export const WORK: usize = FILTERS + FILTERS_BYTES;
export const HASH: usize = WORK + WORK_BYTES;
export const SAVED: usize = HASH + HASH_BYTES;
export const ASK: usize = SAVED + SAVED_BYTES;
export const SCAN_SCORER: usize = ASK + ASK_BYTES;
export const FAMILY: usize = SCAN_SCORER + SCORER_BYTES + FAMILY_HEADER;
export const BLOBS: usize = FAMILY + FAMILY_BYTES;
export const TEAM: usize = BLOBS + BLOBS_BYTES;
const STATIC: usize = 4096;

if (TEAM + TEAM_BYTES > STATIC) ERROR("the records of assembly/memory/arena.ts end behind STATIC, where the module's own data begins");

/** Every allocation starts on a cache line. */
const ALIGN: usize = 64;
const PAGE: usize = 65536;
const MOST_PAGES: u32 = 65536;
/**
 * Memory grows by a 32nd at least, where it may: V8 takes all of a memory that has grown for new, and collects the garbage of the
 * whole heap after each growth of a large one. By single pages that was once for 80 vectors of 160 values that were added.
 */
const AMPLE: i32 = 5;

@unmanaged class Arena {
  top: u32;
  limit: u32; // of a thread's own scratch; 0: memory may grow
  floor: u32; // where permanent memory ends; kept where CHECKED
  pages: u32; // that memory may grow to
}
if (offsetof<Arena>() > ARENA_BYTES) ERROR("Arena has outgrown ARENA_BYTES of assembly/memory/arena.ts");

/** Where this instance has its own copy of what lies below TEAM, while it works for another; else 0. */
let own: usize = 0;
@inline export function here(): usize { return THREADS ? own : 0; }
export function workAt(region: usize): void { own = region; }

@inline function arenaOf(region: usize): Arena { return changetype<Arena>(region + ARENA); }
@inline function arena(): Arena { return arenaOf(here()); }

/** A thread's own copy of what lies below TEAM, as it is now, and the rest of `bytes` as its scratch. */
export function copyRecords(region: usize, bytes: usize): void {
  memory.copy(region, 0, TEAM);
  arenaOf(region).top = <u32>(region + TEAM);
  arenaOf(region).limit = <u32>(region + bytes);
}

export function openArena(pages: u32): void {
  arena().top = <u32>align(__heap_base, ALIGN);
  arena().pages = pages;
}

/** Bytes that may still be taken, whether memory has grown to them or not. */
@inline export function left(): u64 { return <u64>arena().pages * PAGE - <u64>arena().top; }

/** Whether memory may grow to less than there can be. */
@inline export function isCapped(): bool { return arena().pages < MOST_PAGES; }

/** What was taken so far stays. */
@inline export function settle(): void { if (CHECKED) arena().floor = arena().top; }

/** `bytes` at the top, 64-byte aligned and not cleared; 0 where memory cannot grow, and then nothing has changed. */
export function alloc(bytes: usize): usize {
  const start = <u64>arena().top;
  if (CHECKED) assert(start % ALIGN == 0);
  const end = (start + <u64>bytes + ALIGN - 1) & ~(<u64>ALIGN - 1);
  if (THREADS && arena().limit) {
    if (end > arena().limit) return 0;
    arena().top = <u32>end;
    return <usize>start;
  }
  const have = <u64>memory.size() * PAGE;
  if (end > have) {
    const pages = (end - have + PAGE - 1) / PAGE;
    if (pages > 65536) return 0;
    if (memory.grow(max(<i32>pages, memory.size() >> AMPLE)) < 0 && memory.grow(<i32>pages) < 0) return 0;
  }
  if (end > 0xffffffc0) return 0; // top is a u32
  arena().top = <u32>end;
  return <usize>start;
}

/** alloc() of what stays: not while scratch is in use, which would stay as well. */
@inline export function keep(bytes: usize): usize {
  if (CHECKED) assert(arena().top == arena().floor);
  const address = alloc(bytes);
  settle();
  return address;
}

/** Where scratch begins: hand it to reset() when the call is done. */
@inline export function mark(): usize { return arena().top; }
@inline export function reset(to: usize): void {
  if (CHECKED) assert(to >= arena().floor && to <= arena().top && to % ALIGN == 0);
  arena().top = <u32>to;
}

/** reset() to before some of what stays: it was taken in vain. */
@inline export function release(to: usize): void {
  if (CHECKED) arena().floor = <u32>to;
  reset(to);
}
