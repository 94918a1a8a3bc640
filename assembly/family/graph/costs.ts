// temporary
import { state } from "../../memory/state";
import { layout } from "../../table/nodes";
import { Ask } from "../../search/ask";
import { work } from "../../search/work";
export let hop: f64 = 2;
export let rowShare: f64 = 0.5;
export let force: u32 = 0;
export function setCosts(h: f64, r: f64, f: u32): void { hop = h; rowShare = r; force = f; }
@inline export function hopCost(): f64 { return hop; }
let budget: f64 = 0;
@inline export function mostWork(): f64 { return budget; }
export function plansWalk(ask: Ask, ef: u32, linked: u32): bool {
  budget = force ? <f64>Infinity : <f64>ask.passing * rowShare;
  const spread = <f64>linked / <f64>max(ask.passing, 1);
  if (force) return force == 1;
  if (spread == 1) return true;
  const walk = state().fastScan ? <f64>ef * 1.3 * (spread * hop + 1) : <f64>ef * spread * 8;
  return walk < <f64>ask.passing * rowShare;
}
