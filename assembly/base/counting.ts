// A counting sort in three steps: every member is counted, the counts become where each group begins, and every member takes
// the next place of its group, which leaves where each group ends.
//
//   ends: (k + 1) x u32

export function clearEnds(ends: usize, k: u32): void { memory.fill(ends, 0, <usize>k + 1 << 2); }

@inline export function countMember(ends: usize, group: u32): void {
  const next = ends + (<usize>group + 1 << 2);
  store<u32>(next, load<u32>(next) + 1);
}

export function toStarts(ends: usize, k: u32): void {
  for (const last = ends + (<usize>k << 2); ends < last; ends += 4) store<u32>(ends, load<u32>(ends, 4) + load<u32>(ends), 4);
}

/** The place of one more member. */
@inline export function placeMember(ends: usize, group: u32): u32 {
  const end = ends + (<usize>group << 2);
  const place = load<u32>(end);
  store<u32>(end, place + 1);
  return place;
}
