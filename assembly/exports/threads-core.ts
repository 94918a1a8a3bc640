// What the `threads-core` build exports: the same as others, and what several threads search one memory by.
export * from "./core";
export { attach, keepRegion, regionBytes } from "../index/share";
