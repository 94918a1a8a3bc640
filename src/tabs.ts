/** One collection in several tabs of a site. See README.md. */

export type { Waiting } from "./collection/asking.js";
export { SharedCollection } from "./collection/sharing.js";
