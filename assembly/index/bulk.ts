// Many vectors at once, for graphs with codes of neighbours: stored first, then linked together.
import { E_MEMORY, NONE, OK } from "../base/codes";
import { THREADS } from "../base/simd";
import { align } from "../base/sizes";
import { mark, reset } from "../memory/arena";
import { state } from "../memory/state";
import { nodes } from "../table/nodes";
import { storeNew } from "../search/rows";
import { Builder } from "../family/graph/builder";
import { linkInBulk } from "../family/graph/bulk/build";
import { squaresAmong } from "../family/graph/bulk/gram";
import { LEAF } from "../family/graph/bulk/job";
import { PLACES, WholeRows } from "../family/graph/bulk/whole";
import { isTwin, raiseTower } from "../family/graph/graph";
import { hnswInsert } from "../family/graph/hnsw";
import { setParent } from "../family/graph/roots";
import { seekStrayed } from "../family/graph/strays";
import { standAlone } from "../family/graph/twins";

/** Fewer vectors are inserted one by one. */
const LEAST: u32 = 512;

/** Whether n more vectors make the graph anew: as many as there are, and none of those removed. */
export function buildsInBulk(n: u32): bool {
  const s = state();
  return s.fastScan != 0 && s.trained != 0 && s.live == nodes().count && n >= s.live && n >= LEAST;
}

/** Adds n checked vectors under new ids, room being reserved, without links: until linkAll() the index is not to be used. */
export function storeVectors(vectors: usize, ids: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const slot = storeNew(vectors, ids, i, NONE);
    raiseTower(slot);
    standAlone(slot);
  }
}

/** Links all vectors, those from slot `first` on being without. */
export function linkAll(first: u32): i32 {
  const start = mark();
  const b = Builder.open();
  if (!b) return E_MEMORY;
  if (!linkInBulk(b, first, false) && !(THREADS && linkInBulk(b, first, true))) linkOneByOne(b, first);
  reset(start);
  return OK;
}

/** All of them where the graph before is gone, or nobody's parent is known in it. Who strays is looked for at the end, not after each. */
function linkOneByOne(b: Builder, first: u32): void {
  const s = state();
  const n = nodes().count;
  const from: u32 = s.entry == NONE || !s.rooted ? 0 : first;
  if (!from) s.entry = NONE;
  s.rooted = 1;
  for (let slot = from; slot < n; slot++) setParent(slot, NONE);
  for (let slot = from; slot < n; slot++) if (!isTwin(slot)) hnswInsert(b, slot);
  s.unsought = n;
  seekStrayed(b, n);
}

/**
 * For tests: the squared distances among n <= LEAF slots as leaf.ts sees them, to `out`: i32, rows and columns padded to a
 * multiple of 4. What the value 1 has become in them, or 0.
 */
export function squaresOfLeaf(slots: usize, n: u32, out: usize): f32 {
  const start = mark();
  const whole = WholeRows.open(LEAF, PLACES);
  const scale = whole ? whole.fill(slots, n) : 0;
  if (scale > 0) squaresAmong(whole.codes, whole.quad, <u32>align(n, 4), whole.norms, out);
  reset(start);
  return scale;
}
