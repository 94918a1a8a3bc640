// Slots that a search comes across, scored in batches: those that pass the filter, each once.
import { bitsetBytes, hasBit, testAndSet } from "../base/bitset";
import { alloc } from "../memory/arena";
import { layout, nodes } from "../table/nodes";
import { Codec, Scorer, bindQuery, scoreMany } from "../codec/scorer";
import { Batch } from "./batch";
import { openTop } from "./rerank";
import { TopK } from "./topk";
import { work } from "./work";

const BATCH: u32 = 128;

@unmanaged export class Gathering {
  scorer: u32;
  filter: u32;
  seen: u32;     // bitset of slots; 0: no slot comes twice
  batch: u32;
  top: u32;
  gathered: u32; // slots

  /** The k nearest to the prepared query by `codec`; 0 where scratch cannot grow. */
  static open(k: u32, codec: Codec, scorer: Scorer, filter: usize, again: bool): Gathering {
    const g = changetype<Gathering>(alloc(offsetof<Gathering>()));
    const seenBytes = again ? bitsetBytes(nodes().count) : 0;
    const seen = alloc(seenBytes);
    const batch = Batch.open(BATCH);
    const top = openTop(k, Infinity);
    if (!(g && seen && batch && top)) return changetype<Gathering>(0);
    memory.fill(seen, 0, seenBytes);
    g.scorer = <u32>changetype<usize>(scorer);
    g.filter = <u32>filter;
    g.seen = again ? <u32>seen : 0;
    g.batch = <u32>changetype<usize>(batch);
    g.top = <u32>changetype<usize>(top);
    g.gathered = 0;
    bindQuery(codec, scorer, layout().prepared);
    return g;
  }

  /** Up to date after flush(). */
  @inline nearest(): TopK { return changetype<TopK>(this.top); }

  @inline add(slot: u32): void {
    if ((this.filter && !hasBit(this.filter, slot)) || (this.seen && testAndSet(this.seen, slot))) return;
    const batch = changetype<Batch>(this.batch);
    batch.add(slot);
    this.gathered++;
    if (batch.count == BATCH) this.flush();
  }

  flush(): void {
    const batch = changetype<Batch>(this.batch);
    if (!batch.count) return;
    scoreMany(changetype<Scorer>(this.scorer), batch.slots, batch.count, batch.distances);
    this.nearest().offerAll(batch.distances, batch.slots, batch.count);
    work().distances += batch.count;
    batch.count = 0;
  }
}
