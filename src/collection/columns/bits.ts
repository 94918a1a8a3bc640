// Sets of slots: bit b of word w is slot 32 w + b.

export function wordsFor(slots: number): number {
  return (slots + 31) >>> 5;
}

export function has(words: Uint32Array, slot: number): boolean {
  const w = slot >>> 5;
  return w < words.length && ((words[w] >>> (slot & 31)) & 1) === 1;
}

/** Bits that are set. */
export function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

export function countOf(words: Uint32Array): number {
  let count = 0;
  for (let w = 0; w < words.length; w++) count += ones(words[w]);
  return count;
}

/** Calls for each slot of the set, in order. */
export function eachSlot(words: Uint32Array, call: (slot: number) => void): void {
  for (let w = 0; w < words.length; w++) {
    for (let left = words[w]; left !== 0; left &= left - 1) call((w << 5) + 31 - Math.clz32(left & -left));
  }
}
