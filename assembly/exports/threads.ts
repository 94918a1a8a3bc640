// What the `threads` build exports: the same as others, and what several threads search one memory by.
export * from "./full";
export { attach, keepRegion, regionBytes } from "../index/share";
