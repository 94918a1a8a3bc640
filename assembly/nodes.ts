// The two stores, which columns they have, and the fixed buffers. Codecs and algorithms read their columns from here.
import { BUFFERS, NODES, UPPER } from "./arena";
import { Store } from "./store";

/** The columns every index has, first and in this order. */
export const COLUMN_ID: u32 = 0;     // u32
export const COLUMN_STAGE: u32 = 1;  // u8: slots.ts
export const COLUMN_CODE: u32 = 2;   // the codec's row

@unmanaged export class Layout {
  query: u32;        // dimensions x f32 (or packed bits) as JS wrote them, then room to the next 16 bytes
  prepared: u32;     // the vector at hand, padded with zeros; unit length under cosine
  rowColumns: u32;   // columns below this number hold the vector, later ones the family's links
  aux: u32;          // columns that only some indices have; undefined where they have none
  norm: u32;         // cosine: f32 length of the original vector
  extra: u32;        // augment: f32 extra coordinate
  links: u32;        // hnsw: 2M x u32 neighbours on layer 0, NONE from the first unused entry on
  tower: u32;        // hnsw: u32, level in the low 5 bits, first record in `upper` above them
}

@inline export function layout(): Layout { return changetype<Layout>(BUFFERS); }
@inline export function nodes(): Store { return changetype<Store>(NODES); }
@inline export function upper(): Store { return changetype<Store>(UPPER); }

@inline export function idOf(slot: u32): u32 { return load<u32>(nodes().at(COLUMN_ID, slot)); }
@inline export function stageOf(slot: u32): u32 { return load<u8>(nodes().at(COLUMN_STAGE, slot)); }
@inline export function setStage(slot: u32, stage: u32): void { store<u8>(nodes().at(COLUMN_STAGE, slot), <u8>stage); }
