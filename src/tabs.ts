/** One collection in several tabs of a site. See README.md. */

export { SharedCollection, type Waiting } from "./collection/sharing.js";
