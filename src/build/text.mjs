// Wasm as text that compresses like the bytes themselves: the other half of src/border/wasm-text.ts, which has the layout.

const FREQUENT = 89;
const DIGITS = 91;

const letter = (digit) => String.fromCharCode(digit + 35 + (digit >= 57 ? 1 : 0));

export function textOf(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const order = counts.map((count, byte) => [count, byte]).sort(([a, x], [b, y]) => b - a || x - y);
  const frequent = order.slice(0, FREQUENT).map(([, byte]) => byte);
  const others = order
    .slice(FREQUENT)
    .map(([, byte]) => byte)
    .sort((a, b) => a - b);
  const codes = [];
  for (const [digit, byte] of frequent.entries()) codes[byte] = letter(digit);
  for (const [i, byte] of others.entries()) codes[byte] = letter(FREQUENT + Math.floor(i / DIGITS)) + letter(i % DIGITS);
  return Buffer.from(frequent).toString("hex") + Array.from(bytes, (byte) => codes[byte]).join("");
}
