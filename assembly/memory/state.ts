// The persistent numbers of an index. The 256 bytes at STATE are the file's "stat" section: never reorder them.
import { CODEC_F32, KIND_FLAT, RERANK_NONE } from "../base/codes";
import { STATE, STATE_BYTES, here } from "./arena";

export const MIPS_NATIVE: u32 = 0;
export const MIPS_AUGMENT: u32 = 1;

@unmanaged export class State {
  seed: u64;
  nextId: u64;          // default id of the next vector: one more than the largest id ever added
  kind: u32;
  metric: u32;
  codec: u32;
  dimensions: u32;
  rerank: u32;          // RERANK_*: which exact rows are kept beside the codes
  m: u32;
  efConstruction: u32;
  mips: u32;            // hnsw under dot: MIPS_*; 0 elsewhere
  effort: u32;          // default effort of a search: ef, nprobe, searchK, maxLeaves or probes
  rerankFactor: f32;    // candidates re-scored per wanted result
  maxSquaredNorm: f32;  // augment: the M^2 of Bachrach et al.; extra coordinate sqrt(M^2 - |v|^2)
  live: u32;            // slots in each life stage (slots.ts); free = slots - live - dead - doomed
  dead: u32;
  doomed: u32;
  freeHead: u32;        // free slots form a list through their id column
  identity: u32;        // 1: every live slot's id is the slot itself, and no id table is kept
  entry: u32;           // hnsw: where every search starts; NONE in an empty graph
  topLevel: u32;        // hnsw: the level of `entry`
  sweepCursor: u32;     // hnsw: while doomed > 0, how far the sweep is (family/graph/sweep.ts)
  sharp: u32;           // hnsw: 1: walks may go by upper halves; 0: most were blurred, they go by whole values (blur.ts)
  watched: f64;         // blur.ts: vectors linked by upper halves
  blurred: f64;         // blur.ts: those among them that upper halves could not place
  trained: u32;         // 0: not yet; until then vectors lie as a Flat index's f32 rows
  nlist: u32;           // ivf: inverted lists
  pqM: u32;             // pq: sub-quantisers
  codeBits: u32;        // pq: 8 or 4; rabitq: 1 to 8
  rotate: u32;          // ROTATE_*: rabitq always rotates
  symmetric: u32;       // pq: 1 quantises the query as well
  trees: u32;           // forest: trees; lsh: tables
  leafSize: u32;        // kdtree, forest: slots in a leaf before it splits
  hashBits: u32;        // lsh: hash functions per table
  width: f32;           // lsh under l2: width of a hash cell
  reconstruction: f64;  // pq, rabitq: mean squared error of the training sample, per vector
  coarseGraph: u32;     // ivf: 1 if JS finds the lists, by a graph over the centroids
  trainAt: u32;         // vectors after which an untrained index trains by itself
  residual: u32;        // pq under ivf: 1 if codes are of what is left of the list's centroid
  treeFree: u32;        // kdtree, forest: head of the free tree records, or NONE
  fastScan: u32;        // hnsw: 1 if each node keeps the codes of its neighbours (neighbours.ts)
  prefilter: u32;       // flat: 1 if codes with a bound on their error stand beside the rows (bounds.ts)
  twins: u32;           // hnsw: entries of the twin column that lead anywhere (twins.ts)
  unsought: u32;        // hnsw: slots below this number are still to be looked for (strays.ts)
  rooted: u32;          // hnsw: 1: the parent column is up to date, and in the file (roots.ts)
  atOnce: u32;          // hnsw: 1 if many vectors are linked at once, as under fastScan (family/graph/bulk/)
  pending: u32;         // hnsw: so many slots, the last, are not linked yet: walks do not find them
  filling: u32;         // ivf: 1 while vectors come in from an index before; lists are as they were learned
  learnedOn: u32;       // ivf: vectors that the lists were learned from, less two for each removed since
}
/** Of src/guide/past.ts: what the index was like, the last bytes of the state. */
const PAST_BYTES: usize = 32;
if (offsetof<State>() > STATE_BYTES - PAST_BYTES) ERROR("State has outgrown STATE_BYTES of assembly/memory/arena.ts");

/** Above every slot: what sweepCursor counts from each of these on. Below, the slots whose links have been mended. */
export const ROOTING: u32 = 1 << 29;
export const FREEING: u32 = 1 << 30;

@inline export function state(): State { return changetype<State>(STATE + here()); }

/**
 * Whether rows carry one more coordinate that brings them to one length (prepare.ts). An untrained index lies as a Flat
 * one, which needs none.
 */
@inline export function isAugmented(): bool {
  const s = state();
  return s.mips == MIPS_AUGMENT && s.trained != 0;
}

// An untrained index is a Flat f32 index in all but name.
@inline export function kindNow(): u32 { return state().trained ? state().kind : KIND_FLAT; }
@inline export function codecNow(): u32 { return state().trained ? state().codec : CODEC_F32; }
@inline export function rerankNow(): u32 { return state().trained ? state().rerank : RERANK_NONE; }
