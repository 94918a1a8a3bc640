// Exact search for many queries: every tile of rows is read once from memory and scored for all of them.
//
// f32 rows go through a register-blocked screen of plain dots, 4 queries x 2 rows: |q - r|^2 = |q|^2 + |r|^2 - 2 <q, r>
// less an error bound decides who could be among the k nearest, and only those get the real distance. So a batch gives
// exactly what single searches give, bit for bit.
import { ALL, E_MEMORY, KIND_FLAT, NONE, OK } from "../../base/codes";
import { SIMD } from "../../base/simd";
import { align } from "../../base/sizes";
import { SCORER_BYTES, alloc, mark, reset } from "../../memory/arena";
import { addsSquares, isOfUnits } from "../../memory/metrics";
import { kindNow, state } from "../../memory/state";
import { nodes } from "../../table/nodes";
import { squaredNorm } from "../../kernel/metric";
import { Codec, Scorer, bindQuery, codecBytes, exactCodec, ownCodec, scanNominates, scoreMany } from "../../codec/scorer";
import { asked } from "../../search/ask";
import { Batch } from "../../search/batch";
import { checkedNorm, inputBytes, prepare } from "../../search/prepare";
import { openTop, rerank } from "../../search/rerank";
import { TopK } from "../../search/topk";
import { publishTo, sortShown, work } from "../../search/work";

/** Rows held in cache while every query passes over them: 64 x 784 f32 = 196 KiB. */
const TILE: u32 = 64;
/** Queries screened at a time, so that their dots with a tile (8 KiB) stay in L1. */
const SCREENED: u32 = 32;
const UNDERFLOW: f32 = 1.1754943508222875e-38; // 2^-126

/** What a batch of `n` queries works with, all in scratch. */
@unmanaged class Queries {
  n: u32;
  nominates: bool; // candidates are re-scored at the end
  codec: u32;
  vectors: u32;   // prepared queries, `stride` apart, padded with zero queries to a multiple of 4
  stride: u32;
  scorers: u32;   // one bound Scorer per query
  tops: u32;      // one TopK per query
  topBytes: u32;
  norms: u32;     // f32 squared lengths
  tile: u32;      // Batch of TILE rows
  maybe: u32;     // Batch of the rows that passed a screen
  tileNorms: u32; // f32
  dots: u32;      // SCREENED x TILE f32

  @inline vector(i: u32): usize { return this.vectors + i * this.stride; }
  @inline scorer(i: u32): Scorer { return changetype<Scorer>(this.scorers + i * SCORER_BYTES); }
  @inline top(i: u32): TopK { return changetype<TopK>(this.tops + i * this.topBytes); }
}

/**
 * Whether one scan answers all queries of a batch as asked: exact, or of an index whose own search it is, rows being read one by
 * one, unless codes differ in meaning from list to list.
 */
export function sharesScans(): bool {
  return asked().exact ? !ALL || !exactCodec().bindList : kindNow() == KIND_FLAT && !ownCodec().groups;
}

/** Scratch per query of a batch that keeps `keep` candidates, beside input and results. */
export function batchBytes(keep: u32): u32 {
  return <u32>(align(inputBytes(), 16) + SCORER_BYTES + TopK.bytes(keep) + codecBytes() + 8);
}

/**
 * What is asked, for each of `n` input vectors at `inputs`, at least one slot live. work().ids and .values then hold n x k, short
 * rows ended with NONE and Infinity.
 */
export function searchTogether(inputs: usize, n: u32): i32 {
  const start = mark();
  const ask = asked();
  const k = ask.k;
  const nominates = scanNominates() && !ask.exact;
  const q = open(inputs, n, nominates ? ask.candidates : k, nominates);
  const ids = q ? alloc(<usize>n * k << 2) : 0;
  const values = ids ? alloc(<usize>n * k << 2) : 0;
  const ok = values && scanTiles(q, ask.filter) && publishAll(q, k, ids, values);
  reset(start);
  return ok ? OK : E_MEMORY;
}

function open(inputs: usize, n: u32, keep: u32, nominates: bool): Queries {
  const s = state();
  const none = changetype<Queries>(0);
  const at = alloc(offsetof<Queries>());
  if (!at) return none;
  const q = changetype<Queries>(at);
  const padded = <u32>align(n, 4);
  const stride = <u32>align(inputBytes(), 16);
  const own = codecBytes();
  q.nominates = nominates;
  q.codec = <u32>changetype<usize>(nominates ? ownCodec() : exactCodec());
  q.n = n;
  q.stride = stride;
  q.topBytes = <u32>TopK.bytes(max(min(keep, s.live), 1));
  q.vectors = <u32>alloc(<usize>padded * stride);
  q.scorers = <u32>alloc(<usize>n * SCORER_BYTES);
  q.tops = <u32>alloc(<usize>n * q.topBytes);
  q.norms = <u32>alloc(<usize>padded << 2);
  q.tile = <u32>changetype<usize>(Batch.open(TILE));
  q.maybe = <u32>changetype<usize>(Batch.open(TILE));
  q.tileNorms = <u32>alloc(TILE << 2);
  q.dots = <u32>alloc(SCREENED * TILE << 2);
  const owned = alloc(<usize>n * own);
  if (!q.vectors || !q.scorers || !q.tops || !q.norms || !q.tile || !q.maybe || !q.tileNorms || !q.dots || !owned) return none;
  memory.fill(q.vector(n), 0, (padded - n) * stride);
  for (let i: u32 = 0; i < n; i++) {
    const input = inputs + i * inputBytes();
    prepare(input, checkedNorm(input), q.vector(i));
    store<f32>(q.norms + (i << 2), <f32>squaredNorm(q.vector(i), stride >> 2));
    q.scorer(i).own = <u32>owned + i * own;
    q.scorer(i).scattered = 0;
    bindQuery(changetype<Codec>(q.codec), q.scorer(i), q.vector(i));
    TopK.open(q.tops + i * q.topBytes, max(min(keep, s.live), 1), Infinity);
  }
  return q;
}

function scanTiles(q: Queries, filter: usize): bool {
  const tile = changetype<Batch>(q.tile);
  const screen = changetype<Codec>(q.codec).screen;
  while (tile.fill(filter)) {
    if (SIMD && screen) screenTile(q, tile);
    else {
      for (let i: u32 = 0; i < q.n; i++) offerAll(q, i, tile);
      work().distances += q.n * tile.count;
    }
    work().visited += tile.count;
  }
  return true;
}

@inline function offerAll(q: Queries, i: u32, rows: Batch): void {
  scoreMany(q.scorer(i), rows.slots, rows.count, rows.distances);
  q.top(i).offerAll(rows.distances, rows.slots, rows.count);
}

/**
 * distance >= (A + B_row) - f * dot for every row, where A and B carry the error bound c * (|q|^2 + |r|^2): a dot of d
 * terms in lanes of four is off by at most (d/4 + 4) 2^-24 * (|q|^2 + |r|^2) / 2, the real distance by no more than
 * twice that; c = (d/4 + 16) 2^-22 covers both with room for the rounding of the sum here. UNDERFLOW covers what is
 * lost below the smallest normal f32: 3 d 2^-149 at most.
 */
function screenTile(q: Queries, tile: Batch): void {
  const s = state();
  const squares = addsSquares();
  const c = <f32>((s.dimensions >> 2) + 16) / 4194304;
  const scale: f32 = squares ? 1 - c : -c;
  const f: f32 = squares ? 2 : 1;
  const table = nodes();
  const codec = changetype<Codec>(q.codec);
  for (let j: u32 = 0; j < tile.count; j++) {
    const norm = <f32>squaredNorm(table.at(codec.column, tile.slotAt(j)), q.stride >> 2);
    store<f32>(q.tileNorms + (j << 2), norm * scale);
  }
  const maybe = changetype<Batch>(q.maybe);
  for (let first: u32 = 0; first < q.n; first += SCREENED) {
    const screened = min(SCREENED, q.n - first);
    const most = <u32>align(screened, 4);
    call_indirect<void>(codec.screen, codec, q.vector(first), most, tile.slots, tile.count, <usize>q.dots, TILE << 2);
    for (let i: u32 = 0; i < screened; i++) {
      const top = q.top(first + i);
      const a = (isOfUnits() ? <f32>1 : 0) + scale * load<f32>(q.norms + (first + i << 2)) - UNDERFLOW - top.bound;
      pick(tile, a, q.tileNorms, f, q.dots + i * (TILE << 2), maybe);
      if (!maybe.count) continue;
      offerAll(q, first + i, maybe);
      work().distances += maybe.count;
    }
  }
}

/** Collects the rows whose lower bound is within reach: a + b_row <= f * dot, `a` less the distance to beat. */
function pick(tile: Batch, a: f32, b: usize, f: f32, dots: usize, maybe: Batch): void {
  maybe.count = 0;
  const aa = f32x4.splat(a), ff = f32x4.splat(f);
  for (let j: u32 = 0; j < tile.count; j += 4) {
    const bound = f32x4.add(aa, v128.load(b + (j << 2)));
    const reach = f32x4.mul(ff, v128.load(dots + (j << 2)));
    let bits = i32x4.bitmask(f32x4.le(bound, reach));
    for (; bits; bits &= bits - 1) {
      const hit = j + ctz(bits);
      if (hit < tile.count) maybe.add(tile.slotAt(hit));
    }
  }
}

function publishAll(q: Queries, k: u32, ids: usize, values: usize): bool {
  const w = work();
  const inner = mark();
  for (let i: u32 = 0; i < q.n; i++) {
    let top = q.top(i);
    if (q.nominates) {
      const reranked = openTop(k, Infinity);
      if (!reranked || !rerank(q.vector(i), top, reranked)) return false;
      top = reranked;
    }
    sortShown(top);
    const at = <usize>i * k << 2;
    publishTo(top, ids + at, values + at);
    for (let j = top.size; j < k; j++) {
      store<u32>(ids + at + (j << 2), NONE);
      store<f32>(values + at + (j << 2), Infinity);
    }
    reset(inner);
  }
  w.found = q.n;
  w.ids = <u32>ids;
  w.values = <u32>values;
  return true;
}
