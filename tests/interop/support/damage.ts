// Files damaged at random, by a seed: each is refused with a sentence, or read as something that can be searched.
import { VicinalError } from "vicinal";
import { expect } from "vitest";
import { random } from "../../support/data.js";

/** What counts and offsets may be made of. */
const WORDS = [0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Mutation number i of a file: bytes and words changed, most of them near the front, a cut, or bytes more. */
export function damaged(file: Uint8Array, i: number, seed = 1): Uint8Array {
  const next = random(seed * 1_000_003 + i);
  const below = (n: number): number => Math.floor(next() * n);
  const kind = below(10);
  if (kind === 0) return file.slice(0, below(file.length));
  if (kind === 1) return Uint8Array.of(...file, ...Array.from({ length: 1 + below(64) }, () => below(256)));
  const bytes = file.slice();
  const view = new DataView(bytes.buffer);
  for (let change = 0, changes = 1 + below(4); change < changes; change++) {
    const front = next() < 0.6 ? Math.min(160, bytes.length) : bytes.length;
    const at = below(front);
    if (kind < 5 || at + 8 > bytes.length) bytes[at] ^= 1 << below(8);
    else view.setUint32(at, WORDS[below(WORDS.length)], true);
    if (kind === 9 && at + 8 <= bytes.length) view.setUint32(at + 4, WORDS[below(WORDS.length)], true);
  }
  return bytes;
}

/** Reads mutations from..to of a file; returns how many were refused. */
export async function readDamaged(
  file: Uint8Array,
  from: number,
  to: number,
  read: (bytes: Uint8Array) => Promise<unknown>,
): Promise<number> {
  let refused = 0;
  for (let i = from; i < to; i++) {
    try {
      await read(damaged(file, i));
    } catch (error) {
      expect(error, `mutation ${i}: ${error instanceof Error ? error.stack : error}`).toBeInstanceOf(VicinalError);
      expect(["BAD_FILE", "BAD_OPTION", "OUT_OF_MEMORY"], `mutation ${i}`).toContain((error as VicinalError).code);
      refused++;
    }
  }
  return refused;
}
