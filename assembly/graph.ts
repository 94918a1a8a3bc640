// The exported surface of the graph builds: the core's, with graphs that keep codes of neighbours and scans that
// have a prefilter.
export * from "./core";
export { groupBytes } from "./codec/neighbours";
