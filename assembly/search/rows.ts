// A checked vector becomes what the columns of its slot hold, and comes back.
import { isOfUnits } from "../memory/metrics";
import { isAugmented, state } from "../memory/state";
import { FREE, layout, nodes, stageOf } from "../table/nodes";
import { takeSlot } from "../table/slots";
import { decode, encode, exactCodec, ownCodec, scanNominates } from "../codec/scorer";
import { checkedNorm, inputBytes, prepare } from "./prepare";

/** A slot for vector i of those at `vectors` under its id, and its row in it; `place` as for takeSlot(). */
export function storeNew(vectors: usize, ids: usize, i: u32, place: u32): u32 {
  const slot = takeSlot(load<u32>(ids + (<usize>i << 2)), place);
  storeVector(slot, vectors + <usize>i * inputBytes());
  return slot;
}

/** Fills the slot's row columns from the checked vector at `p`. */
function storeVector(slot: u32, p: usize): void {
  const s = state();
  const l = layout();
  const norm = checkedNorm(p);
  prepare(p, norm, l.prepared);
  encode(ownCodec(), slot, l.prepared);
  if (scanNominates()) encode(exactCodec(), slot, l.prepared);
  if (isOfUnits()) store<f32>(nodes().at(l.norm, slot), <f32>sqrt(norm));
  if (isAugmented()) storeExtra(slot, <f32>norm);
}

/**
 * The coordinate that brings every row to one length, sqrt(M^2 - |v|^2). A vector longer than M raises M^2, by at least
 * a tenth so that it is seldom, and every extra coordinate follows: e' = sqrt(e^2 + M'^2 - M^2). Links chosen before
 * stay; they were neighbours then and the rows themselves have not moved.
 */
function storeExtra(slot: u32, squared: f32): void {
  const s = state();
  const table = nodes();
  const column = layout().extra;
  if (squared > s.maxSquaredNorm) {
    const raised = max(squared, s.maxSquaredNorm * 1.1);
    const difference = raised - s.maxSquaredNorm;
    for (let i: u32 = 0; i < table.count; i++) {
      if (stageOf(i) == FREE) continue;
      const p = table.at(column, i);
      store<f32>(p, sqrt(load<f32>(p) * load<f32>(p) + difference));
    }
    s.maxSquaredNorm = raised;
  }
  store<f32>(table.at(column, slot), sqrt(s.maxSquaredNorm - squared));
}

/** Writes the stored vector to `out`, dimensions x f32, at its original length. */
export function readVector(slot: u32, out: usize): void {
  const s = state();
  decode(exactCodec(), slot, out);
  if (!isOfUnits()) return;
  const norm = load<f32>(nodes().at(layout().norm, slot));
  for (const end = out + (<usize>s.dimensions << 2); out < end; out += 4) store<f32>(out, load<f32>(out) * norm);
}
