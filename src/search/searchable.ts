// What indices and collections have in common, for what is built on either.
import type { Vector, Vectors } from "../input/vectors.js";

/** A hit of whatever is searched: `distance` is smaller the nearer. */
export interface Found<Id> {
  id: Id;
  distance: number;
}

/**
 * Something that finds the nearest: an index, whose ids are numbers and which answers at once, or a collection, whose ids are
 * strings and integers and which answers with promises. What awaits its answers works with both.
 */
export interface Searchable<Id> {
  readonly dimensions: number;
  /** What searches can find. */
  readonly size: number;
  /** The k nearest (default 10; with `radius` all within it), nearest first. */
  search(query: Vector, options?: { k?: number; radius?: number }): Found<Id>[] | Promise<Found<Id>[]>;
  /** Many queries at once, in a form of its own. */
  searchBatch(queries: Vectors, options?: { k?: number }): unknown;
  stats(): unknown;
  close(): void | Promise<void>;
}
