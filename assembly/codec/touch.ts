// Rows of a walk lie anywhere in memory, and wasm has no prefetch. So the walk first touches every cache line of the rows
// it is about to score: loads whose value nobody waits for, all under way at once, where the kernel's own loads are
// spread over too many instructions to overlap. fashion-mnist-784 at ef 10: 14,700 to 15,900 -> 20,600 to 20,800 queries
// a second; minilm-384, whose rows are in L3 anyway: no difference.
import { Store } from "../memory/store";

/** Touches `bytes` from `p` on. */
@inline export function touch(p: usize, bytes: usize): void {
  const end = p + bytes;
  for (; p + 512 <= end; p += 512) {
    load<u8>(p); load<u8>(p, 64); load<u8>(p, 128); load<u8>(p, 192);
    load<u8>(p, 256); load<u8>(p, 320); load<u8>(p, 384); load<u8>(p, 448);
  }
  for (; p < end; p += 64) load<u8>(p);
}

/** Touches `bytes` from byte `from` on of each of n rows. */
export function touchRows(table: Store, column: u32, slots: usize, n: u32, from: usize, bytes: usize): void {
  for (let i: u32 = 0; i < n; i++) touch(table.at(column, load<u32>(slots + (i << 2))) + from, bytes);
}
