// Lays out an empty index from the State that JS has written: which columns and tables it has, and which codec reads
// which of them.
import { VARIANT } from "../base/simd";
import {
  ALL, BUILD, CODEC_BF16, CODEC_BINARY, CODEC_F16, CODEC_F32, CODEC_PQ, CODEC_RABITQ, CODEC_SQ8, CODED, E_MEMORY, GRAPH, KIND_FLAT, KIND_FOREST,
  KIND_HNSW, KIND_IVF, KIND_LSH, OK, RERANK_F16, RERANK_F32, RERANK_SQ8,
} from "../base/codes";
import { align, rowBytes } from "../base/sizes";
import { CODEC, EXACT_CODEC, alloc, openArena, settle } from "../memory/arena";
import { isOfBits, isOfUnits } from "../memory/metrics";
import { codecNow, isAugmented, kindNow, rerankNow, state } from "../memory/state";
import { FLOATS, NIBBLES, PLAIN } from "../memory/store";
import { COLUMN_CODE, layout, nodes, upper } from "../table/nodes";
import { openCentres } from "../kernel/centres";
import { openRotation } from "../kernel/rotation";
import { binaryRowBytes, installBinary, openCosines } from "../codec/binary";
import { halfRowBytes, installHalves } from "../codec/halves";
import { installPq, openPq, pqRowBytes } from "../codec/pq";
import { RABITQ_AUX_BYTES, installRabitq, rabitqRowBytes } from "../codec/rabitq";
import { installRows } from "../codec/rows";
import { Codec, exactCodec, openScorers, ownCodec } from "../codec/scorer";
import { installUpper, installWhole, splitRowBytes } from "../codec/split";
import { AUX_BYTES, installSq8, sq8RowBytes } from "../codec/sq8";
import { Family, family, setFamily } from "../search/family";
import { Flat } from "../family/flat/flat";
import { Prefiltered } from "../family/flat/prefiltered";
import { Hnsw } from "../family/graph/hnsw";
import { Ivf } from "../family/ivf/ivf";
import { Lsh } from "../family/lsh/lsh";
import { Forest, KdTree } from "../family/tree/tree";

/** Section names, four ASCII letters, the first in the low byte. */
const TAG_IDS: u32 = 0x20736469; // "ids "
const TAG_STAGE: u32 = 0x6566696c; // "life"
const TAG_CODE: u32 = 0x65646f63; // "code"
const TAG_AUX: u32 = 0x20787561; // "aux "
const TAG_NORM: u32 = 0x6d726f6e; // "norm"
const TAG_EXTRA: u32 = 0x61727478; // "xtra"
const TAG_EXACT: u32 = 0x74637865; // "exct"
const TAG_EXACT_AUX: u32 = 0x78756165; // "eaux"

/** What this module is: src/border/variants.ts, and BUILDS in src/words/kinds.ts. */
export function variant(): i32 { return VARIANT; }
export function build(): i32 { return BUILD; }

/** The class id of each kind; an untrained index is a Flat one. */
function familyOf(kind: u32): u32 {
  if (kind == KIND_HNSW) return idof<Hnsw>();
  if (GRAPH && state().prefilter) return idof<Prefiltered>();
  if (!ALL || kind == KIND_FLAT) return idof<Flat>();
  if (kind == KIND_IVF) return idof<Ivf>();
  if (kind == KIND_LSH) return idof<Lsh>();
  return kind == KIND_FOREST ? idof<Forest>() : idof<KdTree>();
}

/** An index whose memory may grow to so many pages. */
export function open(pages: u32): i32 {
  openArena(pages);
  const s = state();
  const l = layout();
  const table = nodes();
  const f = family();
  setFamily(familyOf(kindNow()));
  table.addColumn(TAG_IDS, 4);
  table.addColumn(TAG_STAGE, 1);
  if (!addCodes(f)) return E_MEMORY;
  if (isOfUnits()) l.norm = table.addColumn(TAG_NORM, 4);
  if (isAugmented()) l.extra = table.addColumn(TAG_EXTRA, 4);
  addExactRows(f);
  l.rowColumns = table.columns;
  if (!f.open()) return E_MEMORY;
  table.seal(65536, GRAPH && s.fastScan ? table.join(l.neighbours, table.join(l.links, table.join(COLUMN_CODE, 0))) : 0);
  upper().seal(GRAPH && s.prefilter ? 65536 : 8192);
  if (!openQuery()) return E_MEMORY;
  settle();
  return OK;
}

/** Rooms for a query, as it comes, prepared and bound; false where memory cannot grow. */
export function openQuery(): bool {
  const l = layout();
  const vectorBytes = align(state().dimensions << 2, 16);
  l.query = <u32>alloc(vectorBytes);
  l.prepared = <u32>alloc(vectorBytes);
  return l.query != 0 && l.prepared != 0 && openScorers();
}

/** The codec's columns and tables; false where memory cannot grow. */
function addCodes(f: Family): bool {
  const s = state();
  const table = nodes();
  const own = ownCodec();
  const codec = codecNow();
  const d = s.dimensions;
  if (CODED && (isOfBits() || codec == CODEC_BINARY)) {
    installBinary(own, table.addColumn(TAG_CODE, binaryRowBytes(d)));
    return isOfBits() || openCosines();
  }
  if (CODED && codec == CODEC_SQ8) {
    installSq8(own, table.addColumn(TAG_CODE, sq8RowBytes(d)), table.addColumn(TAG_AUX, AUX_BYTES));
  } else if (CODED && (codec == CODEC_F16 || codec == CODEC_BF16)) {
    installHalves(own, table.addColumn(TAG_CODE, halfRowBytes(d)), codec == CODEC_BF16);
  } else if (ALL && (codec == CODEC_PQ || codec == CODEC_RABITQ)) {
    const scanned = f.packs();
    if (!openRotation() || !openCentres(codec == CODEC_RABITQ || s.residual != 0)) return false;
    if (codec == CODEC_PQ) {
      const packed = scanned && s.codeBits == 4;
      if (!openPq()) return false;
      installPq(own, table.addColumn(TAG_CODE, pqRowBytes(), packed ? NIBBLES : PLAIN), packed);
    } else {
      const code = table.addColumn(TAG_CODE, rabitqRowBytes(), scanned ? NIBBLES : PLAIN);
      installRabitq(own, code, table.addColumn(TAG_AUX, RABITQ_AUX_BYTES, scanned ? FLOATS : PLAIN), scanned);
    }
  } else if (f.halves()) installUpper(own, table.addColumn(TAG_CODE, splitRowBytes(d)));
  else installRows(own, table.addColumn(TAG_CODE, rowBytes(d)));
  return true;
}

function addExactRows(f: Family): void {
  const table = nodes();
  const exact = exactCodec();
  const d = state().dimensions;
  const rerank = rerankNow();
  if (CODED && rerank == RERANK_F32) installRows(exact, table.addColumn(TAG_EXACT, rowBytes(d)));
  else if (CODED && rerank == RERANK_F16) installHalves(exact, table.addColumn(TAG_EXACT, halfRowBytes(d)), false);
  else if (CODED && rerank == RERANK_SQ8) {
    installSq8(exact, table.addColumn(TAG_EXACT, sq8RowBytes(d)), table.addColumn(TAG_EXACT_AUX, AUX_BYTES));
  } else {
    memory.copy(EXACT_CODEC, CODEC, offsetof<Codec>());
    if (f.halves() && codecNow() == CODEC_F32 && !isOfBits()) installWhole(exact, COLUMN_CODE);
  }
}
