// Which vectors of a graph no walk can meet, read from its file: a second opinion on what stats() says.
import type { VectorIndex } from "vicinal";
import { LIVE, STATE, VicFile } from "./vic.js";

/** Layer by layer from the entry, by what was met above; twins by way of their nodes. */
export function unreachable(index: VectorIndex): number {
  const file = new VicFile(index.toBytes());
  let met = new Set([file.state.getUint32(STATE.entry, true)]);
  for (let layer = file.state.getUint32(STATE.topLevel, true); layer >= 0; layer--) {
    met = new Set(met);
    for (const slot of met) for (const other of file.links(layer, slot)) met.add(other);
  }
  const nodeOf = (slot: number): number => (file.isTwin(slot) ? file.links(0, slot)[0] : slot);
  return file.in(LIVE).filter((slot) => !met.has(nodeOf(slot))).length;
}
