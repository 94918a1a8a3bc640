// Who might become a node's neighbour, nearest first: what the leaves that it is in have to offer. The list lies where the
// codes of its neighbours will be (neighbours.ts), which are at least as long, so that building takes no memory per node.
//
//   [count u32][lock u32][count keys u64 (key.ts), ascending]
import { insertKey, keyOf, slotOf } from "../../../base/key";
import { THREADS } from "../../../base/simd";
import { state } from "../../../memory/state";
import { codesBytes } from "../neighbours";

/** Of a node: 8 + 39 x 8 = 320 bytes is what codes of 32 neighbours take in 16 dimensions or less. */
@inline export function mostCandidates(): u32 { return max(39, min(state().m << 1, (codesBytes(state().m) >> 3) - 1)); }

@inline export function candidateCount(list: usize): u32 { return load<u32>(list); }
@inline export function candidateAt(list: usize, i: u32): u32 { return slotOf(load<u64>(list + (<usize>i << 3), 8)); }
@inline export function clearCandidates(list: usize): void { store<u64>(list, 0); }

/** Keeps the nearest; a slot that is there already keeps its least distance. So the order of offers makes no difference. */
export function offerCandidate(list: usize, distance: f32, slot: u32): void {
  if (THREADS) while (atomic.cmpxchg<u32>(list + 4, 0, 1)) {}
  insertCandidate(list, distance, slot);
  if (THREADS) atomic.store<u32>(list + 4, 0);
}

@inline function insertCandidate(list: usize, distance: f32, slot: u32): void {
  const key = keyOf(distance, slot);
  const keys = list + 8;
  const count = load<u32>(list);
  let p = keys + (<usize>count << 3);
  const full = count == mostCandidates();
  if (full && key >= load<u64>(p - 8)) return;
  for (let other = keys; other < p; other += 8) {
    if (slotOf(load<u64>(other)) != slot) continue;
    if (load<u64>(other) <= key) return;
    insertKey(keys, other, key);
    return;
  }
  if (full) p -= 8;
  else store<u32>(list, count + 1);
  insertKey(keys, p, key);
}
