// What a page needs later or never, in a chunk of its own: another tier, a snapshot, a collection that is there already, a look
// at it all.
export { statsOf, verify } from "./health.js";
export { makeMain } from "./making.js";
export { rebuild } from "./rebuilding.js";
export { reopen } from "./reopening.js";
export { takeSnapshot } from "./snapshot.js";
