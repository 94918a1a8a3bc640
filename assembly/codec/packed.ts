// Packed codes scored for slots in any order: each run of slots of one group costs one group.
import { NONE } from "../base/codes";
import { Scorer, scoreGroup } from "./scorer";

/** A packed codec's own room begins with what a group's scores are written to: 32 distances, 32 lower bounds. */
export const GROUP_BYTES: u32 = 256;

export function scoreByGroup(s: Scorer, slots: usize, n: u32, out: usize): void {
  const distances: usize = s.own;
  let group: u32 = NONE;
  for (let i: u32 = 0; i < n; i++) {
    const slot = load<u32>(slots + (i << 2));
    if (slot >> 5 != group) {
      group = slot >> 5;
      scoreGroup(s, slot & ~31, distances);
    }
    store<f32>(out + (i << 2), load<f32>(distances + ((slot & 31) << 2)));
  }
}
