// What an index keeps to itself and a collection or a pool needs: to read it in pieces, and to know whether it is about to learn.
import type { Seat } from "./seat.js";
import type { VectorIndex } from "./vector-index.js";

export function seatOf(index: VectorIndex): Seat {
  return (index as unknown as { readonly seat: Seat }).seat;
}
