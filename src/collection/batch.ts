// What one record of the log says: changes that are made together or not at all.
//
//   count u32, then each: what u8 | bytes of the key u32 | key | of a put or a patch: bytes of the body u32 | body (body.ts)
//   and END u8
//
// A put is a whole document, a patch one whose vector stays, and both say what the document is afterwards: whoever reads a log need
// not know what it was before.
import { readBody, writeBody } from "./body.js";
import { damaged, END } from "./frame.js";
import { type DocumentId, keyOf } from "./keys.js";
import { Reader, type Writer } from "./writer.js";

export const REMOVE = 0;
export const PUT = 1;
export const PATCH = 2;

/** A change as it is asked for. */
export interface Change {
  readonly what: typeof REMOVE | typeof PUT | typeof PATCH;
  readonly id: DocumentId;
  /** Its data as JSON; not of a removal. */
  readonly text?: string;
  /** As it is kept in the body: of a put, and of a patch where indices do not have it as it was given. */
  readonly vector?: Uint8Array | undefined;
}

/** A change as the log has it. */
export interface Logged {
  readonly what: number;
  readonly key: Uint8Array;
  readonly text: string;
  readonly vector: Uint8Array | undefined;
  /** Where the body is in the payload. */
  readonly offset: number;
  readonly bytes: number;
}

/** Writes a payload; returns where each change's body is in it. */
export function writeBatch(to: Writer, changes: readonly Change[]): { offset: number; bytes: number }[] {
  const start = to.at;
  to.u32(changes.length);
  const bodies = changes.map(({ what, id, text, vector }) => {
    const key = keyOf(id);
    to.u8(what);
    to.u32(key.length);
    to.raw(key);
    if (what === REMOVE) return { offset: 0, bytes: 0 };
    const at = to.at;
    to.u32(0);
    const bytes = writeBody(to, text as string, vector);
    to.setU32(at, bytes);
    return { offset: at + 4 - start, bytes };
  });
  to.u8(END);
  return bodies;
}

/** The changes of a payload that has been checked; `where` names the record. */
export function* readBatch(payload: Uint8Array, where: string): Generator<Logged, void, void> {
  const from = new Reader(payload);
  try {
    for (let left = from.u32(); left > 0; left--) {
      const what = from.u8();
      const key = from.raw(from.u32());
      const bytes = what === REMOVE ? 0 : from.u32();
      const offset = from.at;
      const body = bytes ? readBody(from.raw(bytes)) : { text: "", vector: undefined };
      if (what > PATCH || (what === PUT && !body.vector)) throw new RangeError(`change ${what}`);
      yield { what, key, ...body, offset, bytes };
    }
  } catch (error) {
    if (error instanceof RangeError) throw damaged(where, "contradicts itself, though its checksums match");
    throw error;
  }
}
