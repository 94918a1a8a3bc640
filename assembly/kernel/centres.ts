// Codes of pq and rabitq are of what is left of a vector when its centre is taken away, in the rotated space: the
// centroid of its list (ivf), or for rabitq elsewhere the mean of the training sample; pq elsewhere has none.
import { CODEC_RABITQ, KIND_IVF } from "../base/codes";
import { SIMD } from "../base/simd";
import { rowBytes } from "../base/sizes";
import { addBlob } from "../memory/blobs";
import { kindNow, state } from "../memory/state";
import { listOf } from "../table/lists";
import { layout } from "../table/nodes";
import { NearestCentre } from "./nearest-centre";
import { codeBytes, rotate } from "./rotation";

const TAG_CELLS: u32 = 0x746e6563; // "cent"
const TRANSIENT: u32 = 0;

@inline function centreCount(): u32 {
  return kindNow() == KIND_IVF ? state().nlist : state().codec == CODEC_RABITQ ? 1 : 0;
}

/** Tables for centres as learned, and for codes that are relative to them, rotated; false where memory cannot grow. */
export function openCentres(rotated: bool): bool {
  const l = layout();
  const n = centreCount();
  if (!n) return true;
  if (!l.cells) l.cells = <u32>addBlob(TAG_CELLS, <usize>n * rowBytes(state().dimensions));
  if (kindNow() == KIND_IVF && l.cells && !l.centroids) {
    l.centroids = <u32>changetype<usize>(NearestCentre.open(l.cells, n, rowBytes(state().dimensions)));
    if (!l.centroids) return false;
  }
  if (rotated && l.cells) l.centres = <u32>addBlob(TRANSIENT, <usize>n * codeBytes());
  return l.cells != 0 && (!rotated || l.centres != 0);
}

@inline export function cellRow(i: u32): usize { return layout().cells + <usize>i * rowBytes(state().dimensions); }
@inline export function centreRow(i: u32): usize { return layout().centres + <usize>i * codeBytes(); }

/** Once the centres and the rotation are known: after training and after loading. */
export function turnCentres(): void { for (let i: u32 = 0, n = centreCount(); i < n; i++) turnCentre(i); }

export function turnCentre(i: u32): void { if (layout().centres) rotate(cellRow(i), centreRow(i)); }

/** The rotated centre of a slot in use, or 0. */
export function centreOf(slot: u32): usize {
  if (!layout().centres) return 0;
  return centreRow(kindNow() == KIND_IVF ? listOf(slot) : 0);
}

/** out = vector - centre (0: none), codeBytes() each. */
export function lessCentre(vector: usize, centre: usize, out: usize): void { combine(vector, centre, out, -1); }
/** out = vector + centre (0: none). */
export function plusCentre(vector: usize, centre: usize, out: usize): void { combine(vector, centre, out, 1); }

@inline function combine(vector: usize, centre: usize, out: usize, sign: f32): void {
  const bytes: usize = codeBytes();
  if (!centre) {
    memory.copy(out, vector, bytes);
    return;
  }
  for (let p: usize = 0; p < bytes; p += 16) {
    if (SIMD) v128.store(out + p, f32x4.add(v128.load(vector + p), f32x4.mul(f32x4.splat(sign), v128.load(centre + p))));
    else for (let i: usize = 0; i < 16; i += 4) store<f32>(out + p + i, load<f32>(vector + p + i) + sign * load<f32>(centre + p + i));
  }
}
