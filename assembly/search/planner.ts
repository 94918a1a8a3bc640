// What a search costs, in distances, held against scoring all that passes the filter. A family says what its own search would
// do; what lies where is not known before, so it is as if what passes lay anywhere, and a search that finds otherwise on its
// way asks again.
import { state } from "../memory/state";
import { Ask } from "./ask";

/** Rows to meet until `wanted` that pass are among them. */
export function rowsToMeet(ask: Ask, wanted: u32): f64 { return <f64>wanted * <f64>state().live / <f64>max(ask.passing, 1); }

/** Whether scoring all that passes takes no more distances than this. */
@inline export function scanIsCheaper(ask: Ask, distances: f64): bool { return <f64>ask.passing <= distances; }
