/** One collection in several tabs of a site. See README.md. */

export { SharedCollection } from "./collection/sharing.js";
