// Codes of all that a filter lets pass that lasts, 32 by 32 as nodes keep those of their neighbours (neighbours.ts), but seen from the
// mean of them all: a scan that reads a bit per dimension, and then rows of the nearest alone. Of fashion-mnist-784 a tenth (6,000) is
// scanned in some 100 us, where its rows would take 2 ms.
import { bitsetBytes, hasBit, setBit } from "../../base/bitset";
import { E_MEMORY, NONE, OK } from "../../base/codes";
import { align, rowBytes } from "../../base/sizes";
import { within } from "../../base/simd";
import { alloc, keep, mark, reset } from "../../memory/arena";
import { isSigned, squareShare } from "../../memory/metrics";
import { state } from "../../memory/state";
import { GROUP } from "../../memory/store";
import { Filter } from "../../table/filters";
import { layout } from "../../table/nodes";
import { addRow, dotOf } from "../../kernel/metric";
import { codeBytes, rotate } from "../../kernel/rotation";
import { decode, exactCodec } from "../../codec/scorer";
import { Ask } from "../../search/ask";
import { Nominees } from "../../search/nominees";
import { openTop, rerankBatch } from "../../search/rerank";
import { publish, work } from "../../search/work";
import { bindNeighbours, groupBytes, guide, packRow, scoreNeighbours } from "./neighbours";

@unmanaged export class Members {
  count: u32;  // places in use
  holes: u32;  // of them, those whose slot passes no more
  room: u32;   // places, a multiple of GROUP
  slots: u32;  // room x u32, NONE in a hole
  codes: u32;  // room / GROUP groups
  centre: u32; // codeBytes(): the mean, rotated

  /** In permanent memory; 0 where it cannot grow. */
  static keep(room: u32): Members {
    const head = <usize>align(offsetof<Members>(), 64), slots = <usize>room << 2;
    const at = keep(head + slots + codeBytes() + 64 + <usize>(room / GROUP) * groupBytes());
    const m = changetype<Members>(at);
    if (!at) return m;
    m.room = room;
    m.slots = <u32>(at + head);
    m.centre = <u32>align(m.slots + slots, 64);
    m.codes = <u32>align(m.centre + codeBytes(), 64);
    m.clear();
    return m;
  }

  clear(): void {
    this.count = 0;
    this.holes = 0;
    memory.fill(this.slots, 0xff, <usize>this.room << 2);
  }

  @inline slotAt(i: u32): u32 { return load<u32>(this.slots + (<usize>i << 2)); }
  @inline groupOf(i: u32): usize { return this.codes + <usize>(i / GROUP) * groupBytes(); }

  add(slot: u32, row: usize): void {
    decode(exactCodec(), slot, row);
    rotate(row, row);
    packRow(this.groupOf(this.count), this.count & GROUP - 1, this.centre, row);
    store<u32>(this.slots + (<usize>this.count << 2), slot);
    this.count++;
  }
}

/** Makes a hole of whatever has gone, or is another vector now. */
export function dropGone(f: Filter, m: Members): void {
  if (!f.gone) return;
  f.gone = 0;
  for (let i: u32 = 0; i < m.count; i++) {
    const slot = m.slotAt(i);
    if (slot == NONE || (slot < f.listedRoom && hasBit(f.listed, slot))) continue;
    store<u32>(m.slots + (<usize>i << 2), NONE);
    m.holes++;
  }
}

/** Adds what passes and is not listed; false where scratch cannot grow. */
export function addNew(f: Filter, m: Members): bool {
  const start = mark();
  const row = alloc(codeBytes());
  let ok = row != 0;
  if (ok && !m.count) ok = findCentre(f, m, row);
  if (ok) for (let at: u32 = 0, end = <u32>bitsetBytes(f.room); at < end; at += 8) {
    for (let fresh = load<u64>(f.bits + at) & ~load<u64>(f.listed + at); fresh; fresh &= fresh - 1) {
      const slot = (at << 3) + <u32>ctz(fresh);
      setBit(f.listed, slot);
      m.add(slot, row);
    }
  }
  reset(start);
  return ok;
}

/** Rows that the mean is taken of at most. */
const SAMPLE: u32 = 512;

function findCentre(f: Filter, m: Members, row: usize): bool {
  const bytes = rowBytes(state().dimensions);
  const sum = alloc(codeBytes());
  if (!sum) return false;
  memory.fill(sum, 0, codeBytes());
  memory.fill(row, 0, codeBytes());
  const every = max(f.passing / SAMPLE, 1);
  let seen: u32 = 0, n: u32 = 0;
  for (let at: u32 = 0, end = <u32>bitsetBytes(f.room); at < end; at += 8) {
    for (let word = load<u64>(f.bits + at); word; word &= word - 1) {
      if (seen++ % every) continue;
      decode(exactCodec(), (at << 3) + <u32>ctz(word), row);
      addRow(sum, row, bytes);
      n++;
    }
  }
  for (let p = sum; p < sum + bytes; p += 4) store<f32>(p, load<f32>(p) / <f32>max(n, 1));
  rotate(sum, m.centre);
  return true;
}

/** Candidates per wanted result whose rows are read at most. */
const CANDIDATES: u32 = 8;
const LEAST_CANDIDATES: u32 = 64;

/** The k nearest to the prepared query of all members. Results: work(). */
export function scanMembers(ask: Ask, f: Filter, m: Members): i32 {
  const start = mark();
  const most = openTop(max(max(ask.k * CANDIDATES, ask.effort << 1), LEAST_CANDIDATES), Infinity);
  const nominees = most ? Nominees.open(most) : changetype<Nominees>(0);
  const top = nominees ? openTop(ask.k, Infinity) : most;
  if (!top) {
    reset(start);
    return E_MEMORY;
  }
  const estimates = alloc(GROUP << 2);
  if (!estimates) {
    reset(start);
    return E_MEMORY;
  }
  bindNeighbours();
  const distance = centreDistance(m.centre);
  for (let first: u32 = 0; first < m.count; first += GROUP) {
    scoreNeighbours(guide(), m.groupOf(first), distance, estimates);
    for (let near = within(estimates, nominees.bound); near; near &= near - 1) {
      const i = ctz(near);
      const slot = m.slotAt(first + i);
      if (slot != NONE && hasBit(f.bits, slot)) nominees.offer(load<f32>(estimates + (i << 2)), slot);
    }
  }
  nominees.settle(0);
  work().distances += m.count;
  work().visited += m.count;
  rerankBatch(layout().prepared, nominees, top);
  const done = publish(top);
  reset(start);
  return done ? OK : E_MEMORY;
}

/** As walks measure: from the query at hand, rotated, to the mean. */
function centreDistance(centre: usize): f32 {
  const q = layout().turned;
  const bytes: usize = codeBytes();
  if (isSigned()) return -<f32>dotOf(q, centre, <u32>bytes);
  let square: f64 = 0;
  for (let p: usize = 0; p < bytes; p += 4) {
    const x = <f64>load<f32>(q + p) - <f64>load<f32>(centre + p);
    square += x * x;
  }
  return <f32>(square * squareShare());
}
