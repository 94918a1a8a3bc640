// Slots that a search comes across, scored in batches: those that pass the filter, each once. Copies that come one after the
// other are one candidate: the first is scored, and the others are at its distance.
import { bitsetBytes, hasBit, setBit, testAndSet } from "../base/bitset";
import { NONE } from "../base/codes";
import { alloc } from "../memory/arena";
import { layout, nodes } from "../table/nodes";
import { Codec, Scorer, bindQuery, isSameCode, scoreMany } from "../codec/scorer";
import { Batch } from "./batch";
import { openTop } from "./rerank";
import { TopK } from "./topk";
import { work } from "./work";

const BATCH: u32 = 128;

@unmanaged export class Gathering {
  codec: u32;
  scorer: u32;
  filter: u32;
  seen: u32;     // bitset of slots; 0: no slot comes twice
  batch: u32;
  top: u32;
  met: u32;      // slots that pass
  gathered: u32; // candidates among them
  last: u32;     // slot of the last candidate, or NONE
  distance: f32; // of the last candidate, after flush()

  /** The k nearest to the prepared query by `codec`; 0 where scratch cannot grow. */
  static open(k: u32, codec: Codec, scorer: Scorer, filter: usize, again: bool): Gathering {
    const g = changetype<Gathering>(alloc(offsetof<Gathering>()));
    const seenBytes = again ? bitsetBytes(nodes().count) : 0;
    const seen = alloc(seenBytes);
    const batch = Batch.open(BATCH);
    const top = openTop(k, Infinity);
    if (!(g && seen && batch && top)) return changetype<Gathering>(0);
    memory.fill(seen, 0, seenBytes);
    g.codec = <u32>changetype<usize>(codec);
    g.scorer = <u32>changetype<usize>(scorer);
    g.filter = <u32>filter;
    g.seen = again ? <u32>seen : 0;
    g.batch = <u32>changetype<usize>(batch);
    g.top = <u32>changetype<usize>(top);
    g.met = 0;
    g.gathered = 0;
    g.last = NONE;
    bindQuery(codec, scorer, layout().prepared);
    return g;
  }

  /** Up to date after flush(). */
  @inline nearest(): TopK { return changetype<TopK>(this.top); }

  @inline private passes(slot: u32): bool { return !this.filter || hasBit(this.filter, slot); }
  @inline private isNew(slot: u32): bool { return !this.seen || !testAndSet(this.seen, slot); }

  @inline add(slot: u32): void {
    if (!this.passes(slot) || !this.isNew(slot)) return;
    this.met++;
    if (this.last != NONE && isSameCode(changetype<Codec>(this.codec), slot, this.last)) {
      this.flush();
      this.nearest().offer(this.distance, slot);
    } else this.addCandidate(slot);
  }

  @inline private addCandidate(slot: u32): void {
    const batch = changetype<Batch>(this.batch);
    batch.add(slot);
    this.last = slot;
    this.gathered++;
    if (batch.count == BATCH) this.flush();
  }

  /** Scores a slot, passing or not, whose copies are to follow, itself among them. False where they are too far or have come before. */
  beginCopies(slot: u32): bool {
    if (this.seen && hasBit(this.seen, slot)) return false;
    this.flush();
    const batch = changetype<Batch>(this.batch);
    batch.add(slot);
    this.last = slot;
    this.gathered++;
    this.score();
    batch.count = 0;
    const near = this.distance <= this.nearest().bound;
    if (this.seen && !(near && this.passes(slot))) setBit(this.seen, slot);
    return near;
  }

  /** Adds a slot whose code is that of the last candidate. */
  @inline addCopy(slot: u32): void {
    if (!this.passes(slot) || !this.isNew(slot)) return;
    this.met++;
    this.nearest().offer(this.distance, slot);
  }

  /** Adds all that pass and have not come yet; false where scratch cannot grow. */
  addRest(): bool {
    const rest = Batch.open(BATCH);
    if (!rest) return false;
    const met = this.met;
    while (rest.fill(this.filter)) for (let i: u32 = 0; i < rest.count; i++) this.add(rest.slotAt(i));
    this.flush();
    work().visited += this.met - met;
    return true;
  }

  flush(): void {
    const batch = changetype<Batch>(this.batch);
    if (!batch.count) return;
    this.score();
    this.nearest().offerAll(batch.distances, batch.slots, batch.count);
    batch.count = 0;
  }

  private score(): void {
    const batch = changetype<Batch>(this.batch);
    scoreMany(changetype<Scorer>(this.scorer), batch.slots, batch.count, batch.distances);
    this.distance = batch.distanceAt(batch.count - 1);
    work().distances += batch.count;
  }
}
