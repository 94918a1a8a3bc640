// When upper halves will not do. Rounded to 8 bits, vectors that lie close together look alike: a walk on upper halves
// (split.ts) then cannot tell which are nearest. That shows in the beam itself: what rounding changes in a
// distance (upper halves less whole values, measured on the nodes that are scored exactly anyway) against how far the beam's
// distances are apart. A search or an insertion whose beam is blurred is done again on whole values.
import { CODEC_SQ8, GRAPH } from "../../base/codes";
import { state } from "../../memory/state";
import { layout } from "../../table/nodes";
import { Codec, bindQuery, bindSlot, exactCodec, exactScorer, isSplit, nominates, scoreMany } from "../../codec/scorer";
import { Batch } from "../../search/batch";
import { Pool } from "../../search/pool";
import { TopK } from "../../search/topk";
import { work } from "../../search/work";
import { linkedSlots } from "./graph";
import { offerTwins } from "./twins";
import { Walk } from "./walk";

/** Whether beams of walks by a codec are looked at: those of upper halves, and of sq8 beside exact rows, which other codes would never be near enough to. */
export function mayBlur(by: Codec): bool { return isSplit(by) || (nominates(by) && state().codec == CODEC_SQ8); }

/** A beam is sharp if its distances spread over this many times the noise. */
const SPREAD_PER_NOISE: f32 = 8;
/** Beam nodes that an insertion looks at. */
const PROBE: u32 = 16;
/** Above this share of blurred insertions, whole values are walked from the start. */
const TOO_MANY: f64 = 0.25;
const ENOUGH: f64 = 64;

/**
 * Offers the passing nodes of a finished beam by their exact distances: `first` of them, and then as many as noise could
 * have put too far back. False if the beam is blurred: the answer may then be a wrong one.
 */
export function rescoreBeam(w: Walk, first: u32, batch: Batch, top: TopK): bool {
  const pool = w.beam();
  if (!pool.size) return true;
  bindQuery(exactCodec(), exactScorer(), layout().prepared);
  let noise: f32 = 0;
  let at: u32 = 0;
  let most = min(first, batch.capacity);
  while (at < pool.size) {
    const from = at;
    batch.count = 0;
    for (; at < pool.size && batch.count < most; at++) {
      const slot = pool.slotAt(at);
      if ((!GRAPH || slot < linkedSlots()) && w.passes(slot)) batch.add(slot);
    }
    if (!batch.count) break;
    scoreMany(exactScorer(), batch.slots, batch.count, batch.distances);
    work().reranked += batch.count;
    for (let i: u32 = 0, p = from; i < batch.count; p++) {
      if (pool.slotAt(p) != batch.slotAt(i)) continue; // did not pass
      noise = max(noise, abs(batch.distanceAt(i) - pool.distanceAt(p)));
      offerTwins(batch.distanceAt(i), batch.slotAt(i), w.filter, top, exactScorer());
      i++;
    }
    if (at < pool.size && top.size == top.k && pool.distanceAt(at) > top.bound + 2 * noise) break;
    most = min(8, batch.capacity);
  }
  return isSharp(pool, pool.size, noise);
}

@inline function isSharp(pool: Pool, n: u32, noise: f32): bool {
  return pool.distanceAt(n - 1) - pool.distanceAt(0) >= SPREAD_PER_NOISE * noise;
}

/** Whether the beam of a slot that is being linked is blurred; keeps count. */
export function isBlurred(pool: Pool, slot: u32, batch: Batch): bool {
  const blurred = isBlurredBeam(pool, slot, batch);
  countBlurred(1, <u32>blurred);
  return blurred;
}

export function countBlurred(watched: u32, blurred: u32): void {
  const s = state();
  s.watched += watched;
  s.blurred += blurred;
}

export function isBlurredBeam(pool: Pool, slot: u32, batch: Batch): bool {
  const n = min(pool.size, min(PROBE, batch.capacity));
  batch.count = 0;
  for (let i: u32 = 0; i < n; i++) batch.add(pool.slotAt(i));
  bindSlot(exactCodec(), exactScorer(), slot);
  scoreMany(exactScorer(), batch.slots, n, batch.distances);
  let noise: f32 = 0;
  for (let i: u32 = 0; i < n; i++) noise = max(noise, abs(batch.distanceAt(i) - pool.distanceAt(i)));
  return !isSharp(pool, n, noise);
}

/** Whether most vectors so far needed whole values. */
export function isHopeless(): bool {
  const s = state();
  return s.watched >= ENOUGH && s.blurred > TOO_MANY * s.watched;
}
