// How many lists a search with a condition looks into. What passes is known of lists only once their fields are here, so it looks several
// times, and each time as far as what it has seen so far says that it must.

/** Looks for as many documents as are wanted; after them k are enough, and the last is at all lists that are left. */
const PATIENT_LOOKS = 3;
const MOST_LOOKS = 6;
const MOST_GROWTH = 8;

/** What a look has seen. */
export interface Seen {
  /** 1 for the first. */
  readonly look: number;
  readonly lists: number;
  readonly documents: number;
  readonly passing: number;
}

/** The lists of the next look; undefined where this one is enough. `nprobe`: lists where all documents pass. */
export function nextLook(
  { look, lists, documents, passing }: Seen,
  nprobe: number,
  wanted: number,
  k: number,
): number | undefined {
  // The fewer pass, the farther from the query the nearest of them lie.
  const due = nprobe * Math.sqrt(documents / Math.max(passing, 0.5));
  if (look < PATIENT_LOOKS ? passing >= wanted && lists >= due : passing >= k) return undefined;
  if (look + 1 >= MOST_LOOKS) return Infinity;
  const holding = (1.25 * wanted * lists) / Math.max(passing, 0.5);
  return Math.max(lists + 1, Math.min(Math.ceil(Math.max(holding, due)), MOST_GROWTH * lists));
}
