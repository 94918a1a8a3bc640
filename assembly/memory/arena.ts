// The memory map. One index lives in one memory; nothing here is a managed object and nothing is ever freed singly.
//
//   0      never used: address 0 means "none"
//   64     Arena      first free byte
//   128    State      the index's persistent numbers, saved and loaded as they are (state.ts)
//   384    Store      nodes: a row, an id, links ... per slot (store.ts)
//   640    Store      upper: one record per node and layer above 0; flat, prefilter: one per slot
//   896    Codec      how rows are stored and walked (scorer.ts)
//   960    Codec      exact rows kept for the rerank
//   1024   Scorer x 3 walk, exact, link (128 bytes each)
//   1408   Buffers    where the query goes and other fixed places
//   1520   IdTable    id -> slot (ids.ts)
//   1536   Work       counters and results of the last search
//   1568   Hash       state of a running checksum (checksum.ts)
//   1616   three records while memory is reserved (room.ts)
//   1696   Ask        what the search at hand is asked (ask.ts)
//   1744   Scorer     scan
//   1880   u32        class id of the family, as of an object at 1888 (family.ts)
//   1920   Blobs      tables of fixed size: centroids, codebooks ... (blobs.ts)
//   2048   Team       what threads share while a graph is built (team.ts)
//   4096   static data of the module (asconfig: memoryBase)
//   __heap_base ...   permanent blocks, growing upward
//   top ...           scratch of the running call: mark(), alloc(), reset(); the next permanent block overwrites it
//
// So permanent memory may only be taken while no scratch is in use: reserve() first, then work.
import { THREADS } from "../base/simd";
import { align } from "../base/sizes";

export const ARENA: usize = 64;
export const STATE: usize = 128;
export const STATE_BYTES: u32 = 256;
export const NODES: usize = 384;
export const UPPER: usize = 640;
export const CODEC: usize = 896;
export const EXACT_CODEC: usize = 960;
export const WALK_SCORER: usize = 1024;
export const EXACT_SCORER: usize = 1152;
export const LINK_SCORER: usize = 1280;
export const BUFFERS: usize = 1408;
export const ID_TABLE: usize = 1520;
export const WORK: usize = 1536;
export const HASH: usize = 1568;
export const SAVED: usize = 1616;
export const ASK: usize = 1696;
export const SCAN_SCORER: usize = 1744;
export const FAMILY: usize = 1888;
export const BLOBS: usize = 1920;
export const TEAM: usize = 2048;

/** Every allocation starts on a cache line. */
const ALIGN: usize = 64;
const PAGE: usize = 65536;

@unmanaged class Arena {
  top: u32;
  limit: u32; // of a thread's own scratch; 0: memory may grow
}

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

export function openArena(): void {
  arena().top = <u32>align(__heap_base, ALIGN);
}

/** `bytes` at the top, 64-byte aligned and not cleared; 0 where memory cannot grow, and then nothing has changed. */
export function alloc(bytes: usize): usize {
  const start = <u64>arena().top;
  const end = (start + <u64>bytes + ALIGN - 1) & ~(<u64>ALIGN - 1);
  if (THREADS && arena().limit) {
    if (end > arena().limit) return 0;
    arena().top = <u32>end;
    return <usize>start;
  }
  const have = <u64>memory.size() * PAGE;
  if (end > have) {
    const pages = (end - have + PAGE - 1) / PAGE;
    if (pages > 65536 || memory.grow(<i32>pages) < 0) return 0;
  }
  if (end > 0xffffffc0) return 0; // top is a u32
  arena().top = <u32>end;
  return <usize>start;
}

/** Where scratch begins: hand it to reset() when the call is done. */
@inline export function mark(): usize { return arena().top; }
@inline export function reset(to: usize): void { arena().top = <u32>to; }
