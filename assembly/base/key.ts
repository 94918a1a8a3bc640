// A distance and a slot in one u64 that sorts by distance, then slot: [ordered f32 bits 32][slot 31][flag 1]. Slots
// stay below 2^26, so the shift loses nothing. The flag is the pool's.

/** Of an index; 4 GiB end sooner. */
export const MAX_SLOTS: u32 = 0x3ffffff;

@inline export function keyOf(distance: f32, slot: u32): u64 {
  return <u64>ordered(distance) << 32 | <u64>(slot << 1);
}

/** f32 as a u32 of the same order; -0 and +0 are one. */
@inline export function ordered(distance: f32): u32 {
  const bits = reinterpret<i32>(distance + 0);
  return <u32>(bits ^ (bits >> 31 | <i32>0x80000000));
}

@inline export function distanceOf(key: u64): f32 {
  const bits = <i32>(key >> 32);
  return reinterpret<f32>(bits ^ (~bits >> 31 | <i32>0x80000000));
}

/** Keys from `keys` to before `p` are ascending; `key` goes among them, and what is at `p` is lost. */
@inline export function insertKey(keys: usize, p: usize, key: u64): void {
  for (; p > keys && load<u64>(p - 8) > key; p -= 8) store<u64>(p, load<u64>(p - 8));
  store<u64>(p, key);
}

@inline export function slotOf(key: u64): u32 { return <u32>key >> 1; }
