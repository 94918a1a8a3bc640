// The documents of a snapshot beside their vectors: ids, places, fields. A file of records as a log has them, of a mebibyte each,
// so that it is written and checked in pieces.
//
//   slots u32 | bytes of ids u32 | ids (ids.ts) | places (places.ts) | bytes of columns u32 | columns
import { bad } from "../words/errors.js";
import type { Columns } from "./columns/columns.js";
import { columnsFrom } from "./columns/saving.js";
import type { Files } from "./files.js";
import { damaged, END, FILE_HEAD_BYTES, frame, records } from "./frame.js";
import { IdTable } from "./ids.js";
import { Places } from "./places.js";
import type { Fields } from "./where/fields.js";
import { Reader, Writer } from "./writer.js";

const PIECE_BYTES = 1 << 20;

export interface Table {
  readonly ids: IdTable;
  readonly places: Places;
  readonly columns: Columns;
}

export function tableBytes(slots: number, ids: Uint8Array, places: Places, columns: Uint8Array): Uint8Array {
  const to = new Writer(ids.length + columns.length + 12 * slots + 64);
  to.u32(slots);
  to.u32(ids.length);
  to.raw(ids);
  places.write(to, slots);
  to.u32(columns.length);
  to.raw(columns);
  return to.done();
}

/** The file's records, one after the other. */
export function* tablePieces(bytes: Uint8Array, number: number): Generator<Uint8Array, void, void> {
  let sequence = 0;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    const payload = new Uint8Array(piece.length + 1);
    payload.set(piece);
    payload[piece.length] = END;
    const to = new Writer(payload.length + 64);
    frame(to, sequence++, number, payload);
    yield to.done();
  }
}

/** Reads a table; `bytesOf` tells the length of a file that bodies may lie in, `fields` what is declared now. */
export async function readTable(
  files: Files,
  number: number,
  bytesOf: (file: number) => number | undefined,
  fields: Fields | undefined,
): Promise<Table> {
  const { bytes } = await files.read("table", number);
  const where = files.where("table", number);
  const whole = new Writer(bytes.length - FILE_HEAD_BYTES);
  for (const { payload } of records(bytes, number, 0, false, where)) whole.raw(payload.subarray(0, -1));
  const from = new Reader(whole.done());
  try {
    const slots = from.u32();
    const ids = IdTable.fromBytes(from.raw(from.u32()), slots);
    const places = Places.read(from, slots, bytesOf);
    for (let slot = 0; slot < slots; slot++) {
      if (ids.has(slot) !== places.has(slot)) throw bad(`slot ${slot} has an id without a document, or a document without an id`);
    }
    return { ids, places, columns: columnsFrom(from.raw(from.u32()), fields) };
  } catch (error) {
    throw damaged(where, `contradicts itself, though its checksums match: ${(error as Error).message}`);
  }
}
