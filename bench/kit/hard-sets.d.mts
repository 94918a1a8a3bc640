export interface HardSet {
  name: string;
  seed: number;
  dimensions: number;
  rows: Float32Array[];
  queries: Float32Array[];
}
export const HARD_SETS: readonly string[];
export function drawSet(name: string, seed: number): HardSet;
