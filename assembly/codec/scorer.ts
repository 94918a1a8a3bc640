// The contract between algorithms and codecs. An algorithm gathers the slots it wants and calls scoreMany once for the
// batch; which codec and metric answer is a function-table index in the scorer's first word. One indirect call per
// batch costs nothing measurable; one per distance would.
import { CODED } from "../base/codes";
import { align } from "../base/sizes";
import { CODEC, CODEC_BYTES, EXACT_CODEC, EXACT_SCORER, LINK_SCORER, SCAN_SCORER, SCORER_BYTES, WALK_SCORER, alloc, here } from "../memory/arena";
import { isOfUnits } from "../memory/metrics";
import { isAugmented, state } from "../memory/state";
import { layout, nodes } from "../table/nodes";
import { Steps } from "../kernel/lookup";
import { MAX_SQUARED_NORM } from "../kernel/metric";

/** A query bound to a codec's rows. Distances are smaller-is-nearer; l2 is squared. */
@unmanaged export class Scorer {
  score: u32;      // table index of (scorer, slots, n, out): n > 0; out has room for n rounded up to 4 f32
  base: u32;       // scoreAugmented: the codec's own score
  query: u32;      // what bind left for the kernel
  exactSum: f64;   // sq8: sum of the query
  sum: f64;        // sq8: sum of the query as it was rounded
  norm: f64;       // sq8: squared length of the query, or what stands in its place; rabitq: length of the query
  queryBytes: u32; // of the padded query, a multiple of 16
  column: u32;     // the rows' column in the node store
  bias: f32;       // dot family: distance = max(bias - dot, least)
  least: f32;      // cosine: 0, for what rounds below; dot: -Infinity
  extra: f32;      // scoreAugmented: the bound row's extra coordinate
  scattered: u32;  // 1: its rows lie anywhere, and touch.ts goes before; 0: of a scan. Which a scorer is, it stays
  own: u32;        // room for a query in the codec's form, codec.ownBytes
  aux: u32;        // the rows' second column
  groups: u32;     // packed codecs: table index of (scorer, group, out): 32 distances from the group's first slot on
  bounds: u32;     // packed rabitq: 1 if groups() also writes 32 lower bounds behind the distances
  tables: u32;     // lookup codecs: tables of one plane
  planes: u32;     // lookup codecs: bits per value
  scale: f32;      // lookup codecs: distance = bias + scale * (sum of lookups), for rabitq times the row's own; sq8: how often |x|^2 counts
  shift: f32;      // rabitq: what the sum of lookups lacks; sq8: how often the dot counts
  step: f32;       // sq8: value of one query step; fast-scan: of one step of a table
  tableLeast: f32; // fast-scan: what a sum of lookups begins with

  @inline steps(): Steps { return changetype<Steps>(changetype<usize>(this) + offsetof<Scorer>("step")); }
}
if (offsetof<Scorer>() > SCORER_BYTES) ERROR("Scorer has outgrown SCORER_BYTES of assembly/memory/arena.ts");
if (offsetof<Scorer>("tableLeast") - offsetof<Scorer>("step") != offsetof<Steps>("least")) ERROR("Scorer.steps() is no Steps");

/** What a codec can do, as function-table indices, and where its rows are. */
@unmanaged export class Codec {
  encode: u32;     // (codec, slot, vector): stores a prepared vector
  decode: u32;     // (codec, slot, out): writes dimensions x f32
  bindQuery: u32;  // (codec, scorer, vector): a prepared vector becomes the query
  bindSlot: u32;   // (codec, scorer, slot): a stored row becomes the query
  sound: u32;      // (codec, slot) -> bool: a loaded row could have been encoded
  screen: u32;     // batch screen, or 0: codec/rows.ts
  column: u32;
  aux: u32;        // second column, where the codec has one
  ownBytes: u32;   // of a bound query
  groups: u32;     // 1: codes are packed in groups of 32 slots (store.ts), and scans take them by the group
  bindList: u32;   // residual codecs: (codec, scorer, list, distance): the rotated query, seen from a list's centre
}
if (offsetof<Codec>() > CODEC_BYTES) ERROR("Codec has outgrown CODEC_BYTES of assembly/memory/arena.ts");

// Three arrangements: one codec that is exact or as good as it gets; two codecs on the same rows (split.ts), where scans
// use the exact one; and codes beside exact rows, where scans too only nominate.

/** Whether scans only nominate candidates for exactCodec. Not in the core, where rows are the vectors. */
@inline export function scanNominates(): bool { return CODED && exactCodec().column != ownCodec().column; }
/** Whether what goes by a codec only nominates. */
@inline export function nominates(by: Codec): bool { return exactCodec().bindQuery != by.bindQuery; }
/** Whether a walk by a codec reads only half of what scans read (split.ts). */
@inline export function isSplit(by: Codec): bool { return nominates(by) && !scanNominates(); }

/** The table index of a function. */
@inline export function indexOf<F>(f: F): u32 { return load<u32>(changetype<usize>(f)); }

/** The index's own: what rows are stored in, before any exact rows. */
@inline export function ownCodec(): Codec { return changetype<Codec>(CODEC + here()); }
@inline export function exactCodec(): Codec { return changetype<Codec>(EXACT_CODEC + here()); }
/** What a family's search goes by, and a graph is built by, where they have no reason for another. */
@inline export function walkCodec(): Codec { return state().sharp ? ownCodec() : exactCodec(); }

/** Of walks: the query, or a stored row, against rows that lie anywhere. */
@inline export function walkScorer(): Scorer { return changetype<Scorer>(WALK_SCORER + here()); }
/** Of scans: the query against rows in the order of their slots. No walk goes on after a scan: they share a room. */
@inline export function scanScorer(): Scorer { return changetype<Scorer>(SCAN_SCORER + here()); }
/** Of candidates, by exact rows. */
@inline export function exactScorer(): Scorer { return changetype<Scorer>(EXACT_SCORER + here()); }
/** Of links: a stored row against its neighbours. */
@inline export function linkScorer(): Scorer { return changetype<Scorer>(LINK_SCORER + here()); }

/** Of a query bound to either codec. */
export function codecBytes(): u32 { return <u32>align(max(ownCodec().ownBytes, exactCodec().ownBytes), 64); }

/** Rooms for bound queries, one of them for walks and scans; false where memory cannot grow. */
export function openScorers(): bool {
  const done = giveRoom(walkScorer()) && giveRoom(exactScorer()) && giveRoom(linkScorer());
  scanScorer().own = walkScorer().own;
  return done;
}

/** All but a scan's rows lie anywhere. */
function giveRoom(scorer: Scorer): bool {
  const own = alloc(codecBytes());
  scorer.own = <u32>own;
  scorer.scattered = 1;
  return own != 0;
}

@inline export function encode(c: Codec, slot: u32, vector: usize): void { call_indirect<void>(c.encode, c, slot, vector); }
@inline export function decode(c: Codec, slot: u32, out: usize): void { call_indirect<void>(c.decode, c, slot, out); }
@inline export function isSound(c: Codec, slot: u32): bool { return call_indirect<bool>(c.sound, c, slot); }
/** Whether two slots have the same code, byte for byte. */
export function isSameCode(c: Codec, a: u32, b: u32): bool {
  const table = nodes();
  if (memory.compare(table.at(c.column, a), table.at(c.column, b), table.column(c.column).stride)) return false;
  return !c.aux || memory.compare(table.at(c.aux, a), table.at(c.aux, b), table.column(c.aux).stride) == 0;
}
@inline export function bindQuery(c: Codec, s: Scorer, vector: usize): void { call_indirect<void>(c.bindQuery, c, s, vector); }

/** Whether a stored f32 row may have this squared length: 1 or 0 under cosine, up to rounding. */
export function isLength(squared: f64): bool {
  return isOfUnits() ? squared == 0 || abs(squared - 1) < 0.001 : squared <= MAX_SQUARED_NORM;
}

/** Kernels of plain dots: cosine and dot from them. */
export function bindDot(s: Scorer): void {
  s.bias = isOfUnits() ? 1 : 0;
  s.least = isOfUnits() ? 0 : -Infinity;
}

/** n plain dots become distances. */
@inline export function finishDots(s: Scorer, n: u32, out: usize): void {
  const bias = s.bias, least = s.least;
  for (const end = out + (n << 2); out < end; out += 4) store<f32>(out, max(bias - load<f32>(out), least));
}

/** Packed codecs: the distances of 32 slots from `group` on, to `out`. */
@inline export function scoreGroup(s: Scorer, group: u32, out: usize): void { call_indirect<void>(s.groups, s, group, out); }

@inline export function scoreMany(s: Scorer, slots: usize, n: u32, out: usize): void {
  call_indirect<void>(s.score, s, slots, n, out);
}

/**
 * A stored row as the query, for building. Under `mips: "augment"` rows have one more coordinate, so that all are of one length: |u' - v'|^2 =
 * 2 M^2 - 2 <u, v> - 2 e_u e_v, ordered as -<u, v> - e_u e_v. A query's is 0, so searches need no change (Bachrach et al. 2014,
 * doi:10.1145/2645710.2645741). Here it counts a quarter. Whole, it makes of the shortest rows, where it is largest, the nearest of all, which
 * cover everybody else (selection.ts), and few links lead to long rows, which are the answers: gowalla-als-64, 10,000 one by one, recall@10 at
 * ef 40 .79; with half of it .87, a quarter .92, nothing .94; at ef 10 .64, .75, .79, .72.
 */
export function bindSlot(c: Codec, s: Scorer, slot: u32): void {
  call_indirect<void>(c.bindSlot, c, s, slot);
  if (isAugmented()) {
    s.base = s.score;
    s.score = indexOf(scoreAugmented);
    s.extra = EXTRA_SHARE * EXTRA_SHARE * load<f32>(nodes().at(layout().extra, slot));
  }
}

/** Of extra coordinates half is taken, so that their products count a quarter. */
export const EXTRA_SHARE: f32 = 0.5;

function scoreAugmented(s: Scorer, slots: usize, n: u32, out: usize): void {
  call_indirect<void>(s.base, s, slots, n, out);
  const table = nodes();
  const extra = layout().extra;
  for (let i: u32 = 0; i < n; i++) {
    const p = out + (i << 2);
    store<f32>(p, load<f32>(p) - s.extra * load<f32>(table.at(extra, load<u32>(slots + (i << 2)))));
  }
}
