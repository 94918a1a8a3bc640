// A file that is replaced as a whole, in OPFS, where nothing durable renames: two slots in turn, NAME~0 and NAME~1, each what was put into it
// and 32 bytes at its end:
//
//   [magic u32 x 2][turn f64][length f64][check u32][0 u32]
//
// The bytes are flushed before the 32 are written, and these before the other slot is emptied: who has them has them all, and the higher turn
// is the newer. A slot half written is none. Emptied slots stay: to write an old file anew changes no folder.
import type { Access } from "./opfs-access.js";

export const SLOTS = [0, 1] as const;
const END_BYTES = 32;
const MAGIC = [0x6b736c76, 0x31746f6c];

export interface Slot {
  readonly which: 0 | 1;
  readonly turn: number;
  readonly length: number;
}

export const slotName = (name: string, which: number): string => `${name}~${which}`;

function endOf(turn: number, length: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(END_BYTES));
  for (const [i, word] of MAGIC.entries()) view.setUint32(4 * i, word, true);
  view.setFloat64(8, turn, true);
  view.setFloat64(16, length, true);
  const bytes = new Uint8Array(view.buffer);
  let check = 2166136261;
  for (const byte of bytes.subarray(0, 24)) check = Math.imul(check ^ byte, 16777619) >>> 0;
  view.setUint32(24, check, true);
  return bytes;
}

/** What a slot holds; undefined where that is nothing whole. */
export async function readSlot(access: Access, which: 0 | 1): Promise<Slot | undefined> {
  const length = (await access.size()) - END_BYTES;
  if (length < 0) return undefined;
  const end = await access.read(length, END_BYTES);
  if (end.length < END_BYTES) return undefined;
  const turn = new DataView(end.buffer).getFloat64(8, true);
  return endOf(turn, length).every((byte, i) => byte === end[i]) ? { which, turn, length } : undefined;
}

export async function writeSlot(access: Access, turn: number, bytes: Uint8Array): Promise<void> {
  await access.truncate(0);
  await access.write(0, bytes);
  await access.flush();
  await access.write(bytes.length, endOf(turn, bytes.length));
  await access.flush();
}
