// A .vic file a piece at a time: for indices that are written while others go on, and never are in memory twice. The index must
// not change between the first piece and the last. vic.ts writes the same bytes at once.
import { type Engine, type Part, partBytes } from "../border/engine.js";
import { readState } from "../words/state.js";
import { headOf, placed, STAT } from "./format.js";

/** Bytes hashed or copied between two yields. */
const PIECE_BYTES = 1 << 18;

interface Piece {
  readonly address: number;
  readonly bytes: number;
}

/** Where bytes of a part are in linear memory, in pieces of a multiple of 32 bytes but for the last; as many as are about PIECE_BYTES at a time. */
function* addresses(engine: Engine, part: Part): Generator<Piece[], void, void> {
  let some: Piece[] = [];
  let room = PIECE_BYTES;
  for (const { address, bytes } of engine.pieces(part)) {
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      const piece = { address: address + at, bytes: Math.min(PIECE_BYTES, bytes - at) };
      if (piece.bytes > room) {
        yield some;
        some = [];
        room = PIECE_BYTES;
      }
      some.push(piece);
      room -= piece.bytes;
    }
  }
  if (some.length > 0) yield some;
}

function copied(engine: Engine, pieces: readonly Piece[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, { bytes }) => sum + bytes, 0));
  let to = 0;
  for (const { address, bytes } of pieces) {
    out.set(engine.u8().subarray(address, address + bytes), to);
    to += bytes;
  }
  return out;
}

/**
 * The file's bytes in order, each piece in a copy of its own; undefined where it only wants to give way. Checksums come first:
 * the header has them.
 */
export function* filePieces(engine: Engine): Generator<Uint8Array | undefined, void, void> {
  const parts = engine.parts();
  const [slots, records] = [engine.exports.storeCount(0), engine.exports.storeCount(1)];
  const sections = placed([STAT, ...parts.map((part) => ({ ...part, bytes: partBytes(part, slots, records) }))]);
  const state = engine.copyState();
  sections[0].checksum = engine.hash(state);
  for (const [i, part] of parts.entries()) sections[i + 1].checksum = yield* hashed(engine, part);
  const last = sections[sections.length - 1];
  const hash = (bytes: Uint8Array): bigint => engine.hash(bytes);
  const head = headOf(readState(state), slots, records, sections, last.offset + last.bytes, hash);
  let end = head.length;
  yield head;
  const padding = (offset: number): Uint8Array => new Uint8Array(offset - end);
  for (const [i, { offset, bytes }] of sections.entries()) {
    if (offset > end) yield padding(offset);
    if (i === 0) yield state;
    else for (const pieces of addresses(engine, parts[i - 1])) yield copied(engine, pieces);
    end = offset + bytes;
  }
}

/** The checksum of a part. One is under way in an engine at a time; searches and changes need none. */
function* hashed(engine: Engine, part: Part): Generator<undefined, bigint, void> {
  engine.exports.checksumStart();
  for (const pieces of addresses(engine, part)) {
    for (const { address, bytes } of pieces) engine.exports.checksumAdd(address, bytes);
    yield undefined;
  }
  return BigInt.asUintN(64, engine.exports.checksumEnd());
}
