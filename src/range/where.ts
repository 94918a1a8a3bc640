// What conditions on fields need, which is imported with the first of them.
export { PublishedFields } from "./fields.js";
export { Zones } from "./zones.js";
