import type { Engine } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";

/** What trees look like; nothing while there are none. */
export function treeStats(engine: Engine): { leaves?: number; depth?: number } {
  if (!engine.state("trained")) return {};
  const { treeLeaves, treeDepth } = engine.exports as FullExports;
  return { leaves: treeLeaves(), depth: treeDepth() };
}
