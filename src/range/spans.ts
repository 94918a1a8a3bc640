// Which ranges to ask for, where many small ones are wanted: a request costs more than some bytes that nobody asked for.
import type { ListEntry, Places, Span } from "./format.js";

/** Requests of a round, at most. */
export const REQUESTS = 10;

/** Ranges so near each other are one. */
const NEAR_BYTES = 4096;
/** And so far apart two, however many that makes. */
const FAR_BYTES = 1 << 20;

/**
 * Ranges, in order and apart, that have all of `wanted`, which is in order: those near each other are joined, and then those with the
 * smallest gaps between them, until there are `most`; but not over gaps that are dearer than a request.
 */
export function joined(wanted: readonly Span[], most: number): Span[] {
  const gaps: number[] = [];
  for (let i = 1; i < wanted.length; i++) gaps.push(wanted[i].from - wanted[i - 1].to);
  const widest = [...gaps].sort((a, b) => b - a)[most - 1] ?? -1;
  let left = most - 1 - gaps.filter((gap) => gap > widest).length;
  const spans: { from: number; to: number }[] = [];
  for (const [i, { from, to }] of wanted.entries()) {
    const gap = gaps[i - 1];
    const apart = i === 0 || gap > FAR_BYTES || (gap > NEAR_BYTES && (gap > widest || (gap === widest && left-- > 0)));
    if (apart) spans.push({ from, to });
    else spans[spans.length - 1].to = to;
  }
  return spans;
}

function isWithin({ from, to }: Span, spans: readonly Span[]): boolean {
  return spans.some((span) => span.from <= from && to <= span.to);
}

/**
 * The first n of the lists in order, and more where those have fewer documents than are wanted; and those that lie between them, which are
 * fetched with them anyway. Whether they are here already does not matter, so that an answer is the same whatever has been fetched.
 */
export function chosenOf(
  places: Places,
  lists: readonly ListEntry[],
  order: readonly number[],
  n: number,
  wanted: number,
): { readonly lists: number[]; readonly spans: Span[] } {
  let documents = 0;
  let count = 0;
  while (count < order.length && (count < n || documents < wanted)) documents += lists[order[count++]].documents;
  const inOrder = order.slice(0, count).sort((a, b) => a - b);
  const spans = joined(
    inOrder.map((list) => places.codes(list)),
    REQUESTS,
  );
  return { lists: order.filter((list) => isWithin(places.codes(list), spans)), spans };
}
