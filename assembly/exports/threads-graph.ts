// What the `threads-graph` build exports: the same as others, and what several threads search one memory by.
export * from "./graph";
export { attach, keepRegion, regionBytes } from "../index/share";
