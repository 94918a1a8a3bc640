// What the `threads-whole` build exports: the same as others, and what several threads search one memory by.
export * from "./whole";
export { attach, keepRegion, regionBytes } from "../index/share";
