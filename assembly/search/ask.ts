// What a search is asked: one record, so that whoever hands a search on hands on all of it.
import { ASK, ASK_BYTES, here } from "../memory/arena";
import { state } from "../memory/state";
import { Filter } from "../table/filters";
import { Codec, walkCodec } from "../codec/scorer";
import { openWork } from "./work";

@unmanaged export class Ask {
  k: u32;          // results, at least 1
  effort: u32;     // ef, nprobe, maxLeaves, searchK or probes
  candidates: u32; // to re-score, where codes nominate
  filter: u32;     // bitset of slots that may be answered; 0: all
  passing: u32;    // live slots that pass
  bound: f32;      // nothing farther is wanted; Infinity unless the search is exact
  by: u32;         // Codec that the family's own search goes by
  exact: u32;      // 1: whatever it takes, by exact rows where they are kept
  lists: u32;      // ivf: u32 x named, the nearest lists; 0: those are to be found
  named: u32;
  given: u32;      // 1: the search has named its effort; 0: it is the index's own
  prepared: u32;   // Filter that lasts; 0: the filter, if any, is of this search alone

  @inline codec(): Codec { return changetype<Codec>(this.by); }
}
if (offsetof<Ask>() > ASK_BYTES) ERROR("Ask has outgrown ASK_BYTES of assembly/memory/arena.ts");

/** The search at hand. */
@inline export function asked(): Ask { return changetype<Ask>(ASK + here()); }

/** For the searches that follow, until the next ask() or a change of the index; `filter` is a Filter, or 0: all pass. */
export function ask(k: u32, effort: u32, candidates: u32, filter: usize, bound: f32, exact: bool, given: bool): void {
  const a = asked();
  const f = Filter.at(filter);
  a.k = k;
  a.effort = effort;
  a.candidates = candidates;
  a.filter = filter ? f.bits : 0;
  a.passing = filter ? f.passing : state().live;
  a.prepared = filter && f.open ? <u32>filter : 0;
  a.bound = bound;
  a.by = <u32>changetype<usize>(walkCodec());
  a.exact = exact;
  a.lists = 0;
  a.named = 0;
  a.given = given;
  openWork(a.passing);
}
