import type { RangeHit, RangeIndex } from "vicinal/range";

export function golden(index: RangeIndex): Promise<RangeHit[][]>;
