// Ids that come one by one, for vectors that do.
import { badOption, show, VicinalError } from "../words/errors.js";
import { checkId } from "./vectors.js";

export function idsInTurn(ids: Iterable<number> | undefined): Iterator<number> | undefined {
  if (ids !== undefined && typeof ids?.[Symbol.iterator] !== "function") {
    throw badOption(`ids is ${show(ids)}; it must be an iterable of ids`);
  }
  return ids?.[Symbol.iterator]();
}

/** Those of n vectors, after so many others. Throws BAD_ID where there are fewer. */
export function nextIds(ids: Iterator<number>, n: number, before: number): Uint32Array {
  return Uint32Array.from({ length: n }, (_, i) => {
    const { value, done } = ids.next();
    if (done) throw new VicinalError("BAD_ID", `ids ends after ${before + i} values, before the vectors do`);
    return checkId(value, `ids[${before + i}]`);
  });
}

/** After so many vectors, the last. Throws BAD_ID where there are more. */
export function endIds(ids: Iterator<number> | undefined, vectors: number): void {
  if (ids && !ids.next().done) throw new VicinalError("BAD_ID", `ids has more values than the ${vectors} vectors`);
}
