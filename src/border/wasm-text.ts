// Wasm inside JavaScript, as text that compresses like the bytes themselves: base64 takes 3 bytes to 4 letters, so that
// gzip no longer sees the repetitions, and a page would download 21.9 KB for what is 14.8 KB; this is 14.9 KB.
//
//   text: the 89 most frequent bytes in hex, then the bytes: one letter for a frequent one, two for any other
//
// Letters are "#" to "~" without the backslash, 91 digits: 0..88 a frequent byte, 89 and 90 the first of two, which
// count through the other bytes in ascending order. src/build/text.mjs writes it.

const FREQUENT = 89;
const DIGITS = 91;

export function decodeWasm(text: string): Uint8Array {
  const frequent = Array.from({ length: FREQUENT }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
  const others = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !frequent.includes(byte));
  const bytes = new Uint8Array(text.length);
  let n = 0;
  let at = 2 * FREQUENT;
  const digit = (): number => {
    const letter = text.charCodeAt(at++);
    return letter - 35 - (letter > 92 ? 1 : 0);
  };
  while (at < text.length) {
    const first = digit();
    bytes[n++] = first < FREQUENT ? frequent[first] : others[(first - FREQUENT) * DIGITS + digit()];
  }
  return bytes.subarray(0, n);
}
