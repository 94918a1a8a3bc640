// The two stores, which columns they have, and the fixed buffers. Codecs and algorithms read their columns from here.
import { BUFFERS, BUFFERS_BYTES, NODES, UPPER, here } from "../memory/arena";
import { Store } from "../memory/store";

/** The columns every index has, first and in this order. */
export const COLUMN_ID: u32 = 0;     // u32
export const COLUMN_STAGE: u32 = 1;  // u8: slots.ts
export const COLUMN_CODE: u32 = 2;   // the codec's row

@unmanaged export class Layout {
  query: u32;        // dimensions x f32 (or packed bits) as JS wrote them, then room to the next 16 bytes
  prepared: u32;     // the vector at hand, padded with zeros; unit length under cosine
  rowColumns: u32;   // columns below this number hold the vector, later ones the family's links
  norm: u32;         // columns that only some indices have; cosine: f32 length of the original vector
  extra: u32;        // augment: f32 extra coordinate
  links: u32;        // hnsw: 2M x u32 neighbours on layer 0, NONE from the first unused entry on
  tower: u32;        // hnsw: u32, level in the low 5 bits, first record in `upper` above them
  twin: u32;         // hnsw: u32, slots with equal rows (twins.ts)
  parent: u32;       // hnsw: u32 (roots.ts)
  rowCost: f32;      // hnsw: microseconds of a search's steps on this machine (costs.ts); 0 while they are not known
  metCost: f32;
  hopCost: f32;
  codeCost: f32;
  hopsPerEf: f32;    // fastScan: of walks of this index
  reread: f32;       // fastScan: rows read by a scan of n codes, over sqrt(k n)
  one: u32;          // hnsw: a slot to score by itself (twins.ts)
  hosts: u32;        // hnsw, graph builds: bits of nodes that have twins (graph.ts)
  chain: u32;        // kdtree, forest, lsh: trees x u32, the next slot of the same leaf or bucket, or NONE
  keys: u32;         // lsh: trees x u32, the bucket's key
  turned: u32;       // pq, rabitq, fastScan: the vector at hand, rotated (rotation.ts); codeDimensions() x f32
  residual: u32;     // pq, rabitq: the same less its centre
  centres: u32;      // pq, rabitq: rotated centres, one per list (ivf) or one (rabitq); 0 = none
  lists: u32;        // ivf: List x nlist (lists.ts); kdtree, forest, lsh: the family's own record
  row: u32;          // kdtree, forest, lsh: a row, decoded; lsh: or the query, in its place
  model: u32;        // pq: codebooks; binary: cosines
  rotation: u32;     // pq, rabitq: rotation.ts
  cells: u32;        // centres as learned, rows of rowBytes(dimensions) f32
  centroids: u32;    // ivf: NearestCentre of them
  neighbours: u32;   // hnsw, fastScan: codes of a node's neighbours (neighbours.ts)
  turnedRows: u32;   // hnsw, fastScan: two rotated rows
  guide: u32;        // hnsw, fastScan: the query as lookup tables (neighbours.ts)
  question: u32;     // flat, prefilter: the query as integers (bounds.ts)
}
if (offsetof<Layout>() > BUFFERS_BYTES) ERROR("Layout has outgrown BUFFERS_BYTES of assembly/memory/arena.ts");

@inline export function layout(): Layout { return changetype<Layout>(BUFFERS + here()); }
@inline export function nodes(): Store { return changetype<Store>(NODES + here()); }
@inline export function upper(): Store { return changetype<Store>(UPPER + here()); }

export function idOf(slot: u32): u32 { return load<u32>(nodes().at(COLUMN_ID, slot)); }
/** stageOf() for loops over all slots: inlined it is fast, and long. */
@inline export function stageAt(slot: u32): u32 { return load<u8>(nodes().at(COLUMN_STAGE, slot)); }
export function stageOf(slot: u32): u32 { return load<u8>(nodes().at(COLUMN_STAGE, slot)); }
export function setStage(slot: u32, stage: u32): void { store<u8>(nodes().at(COLUMN_STAGE, slot), <u8>stage); }

export const FREE: u32 = 0;

export const LIVE: u32 = 1;

export const DEAD: u32 = 2;

export const DOOMED: u32 = 3;

/** Clears the rows of 32 slots: a packed section ends with a whole group, and nothing that lay there before is saved. */
export function clearGroup(first: u32): void {
  const table = nodes();
  for (let i = COLUMN_CODE; i < layout().rowColumns; i++) memory.fill(table.at(i, first), 0, table.column(i).stride << 5);
}
