// What an index of lists begins with, and any in memory.
import { IVF } from "./knobs.js";
import { POINTS_PER_CENTROID } from "./limits.js";

/** nlist "auto": 4 sqrt(n), as far as `points` suffice to place so many centroids. */
export function listsFor(n: number, points: number): number {
  const [least, most] = IVF.nlist.range;
  return Math.max(Math.min(Math.round(4 * Math.sqrt(n)), Math.floor(points / POINTS_PER_CENTROID), most), least);
}

/** Memory grows by whole pages, to so many of them. */
export const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;
export const WHOLE_MEMORY = MAX_PAGES * PAGE_BYTES;
