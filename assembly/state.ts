// The persistent numbers of an index. The 128 bytes at STATE are the file's "stat" section: never reorder them.
import { STATE } from "./arena";

export const MIPS_NATIVE: u32 = 0;
export const MIPS_AUGMENT: u32 = 1;

@unmanaged export class State {
  seed: u64;
  nextId: u64;          // default id of the next vector: one more than the largest id ever added
  kind: u32;
  metric: u32;
  codec: u32;
  dimensions: u32;
  rerank: u32;          // 1: exact f32 rows are kept beside the codes
  m: u32;
  efConstruction: u32;
  mips: u32;
  ef: u32;              // default beam width of a search
  rerankFactor: f32;    // candidates re-scored per wanted result
  maxSquaredNorm: f32;  // augment: the M^2 of Bachrach et al.; extra coordinate sqrt(M^2 - |v|^2)
  live: u32;            // slots in each life stage (slots.ts); free = slots - live - dead - doomed
  dead: u32;
  doomed: u32;
  freeHead: u32;        // free slots form a list through their id column
  identity: u32;        // 1: every live slot's id is the slot itself, and no id table is kept
  entry: u32;           // hnsw: where every search starts; NONE in an empty graph
  topLevel: u32;        // hnsw: the level of `entry`
  sweepCursor: u32;     // hnsw: next slot to repair while doomed > 0
  coarse: u32;          // 1: walks use the walk codec; 0: the exact one (algo/blur.ts decides)
  watched: f64;         // algo/blur.ts: vectors linked by upper halves
  blurred: f64;         // algo/blur.ts: those among them that upper halves could not place
}

@inline export function state(): State { return changetype<State>(STATE); }
