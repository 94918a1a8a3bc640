// XXH32 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md): the checksum of what a collection writes beside its
// indices. In JavaScript, as most of it is short: some hundred bytes are hashed before a call of wasm has copied them.

const PRIME_1 = 0x9e3779b1 | 0;
const PRIME_2 = 0x85ebca77 | 0;
const PRIME_3 = 0xc2b2ae3d | 0;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

const turned = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
const round = (lane: number, word: number): number => Math.imul(turned((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);

/** Words from an address, little-endian, wherever it is. */
function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

export function xxh32(bytes: Uint8Array, seed = 0): number {
  const n = bytes.length;
  let at = 0;
  let hash: number;
  if (n >= 16) {
    let a = (seed + PRIME_1 + PRIME_2) | 0;
    let b = (seed + PRIME_2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME_1) | 0;
    for (const end = n - 16; at <= end; at += 16) {
      a = round(a, wordAt(bytes, at));
      b = round(b, wordAt(bytes, at + 4));
      c = round(c, wordAt(bytes, at + 8));
      d = round(d, wordAt(bytes, at + 12));
    }
    hash = (turned(a, 1) + turned(b, 7) + turned(c, 12) + turned(d, 18)) | 0;
  } else hash = (seed + PRIME_5) | 0;
  hash = (hash + n) | 0;
  for (; at + 4 <= n; at += 4) hash = Math.imul(turned((hash + Math.imul(wordAt(bytes, at), PRIME_3)) | 0, 17), PRIME_4);
  for (; at < n; at++) hash = Math.imul(turned((hash + Math.imul(bytes[at], PRIME_5)) | 0, 11), PRIME_1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
