// The hot loops: which of some slots pass a probe. One for each form that columns mostly have, and one for all forms.
import { countOf, ones } from "./bits.js";
import { CODE, type Column } from "./column.js";
import { type Numeric, type Probe, settle, UNASKED } from "./probe.js";

/** Slots by words: bit b of word w is slot 32 w + b; or 32 at[w] + b, where only some words are asked. */
export interface Slots {
  readonly words: Uint32Array;
  readonly at?: Uint32Array;
}

/** Whether a slot passes, as 0 or 1. */
type Test = (slot: number) => number;

/** Those of the slots that pass. All of them hold documents. */
export function refine(column: Column, probe: Probe, { words, at }: Slots): Uint32Array {
  const { marks, dictionary } = column;
  const out = new Uint32Array(words.length);
  const asked = countOf(words);
  if (probe.ask && dictionary.limit <= asked) settle(probe, column);
  const isSettled = probe.ask === undefined || dictionary.limit <= asked;
  const numeric = probe.numeric.flatMap((range, i) => (marks[CODE.NUMBER + i] > 0 ? [{ code: CODE.NUMBER + i, range }] : []));
  const [only] = numeric;
  if (!isSettled || at !== undefined || numeric.length > 1 || (only && (marks[CODE.SEVERAL] > 0 || only.range.some))) {
    const passes = testOf(column, probe);
    for (let w = 0; w < words.length; w++) out[w] = oneByOne(words[w], (at ? at[w] : w) << 5, passes);
  } else if (only) numbers(column, probe.table, only.code, only.range, words, out);
  else if (marks[CODE.SEVERAL] > 0) lists(column, probe.table, words, out);
  else singles(column, probe.table, words, out);
  return out;
}

/** What a slot takes in these loops, as measured at 100,000 documents, `singles` being 1. */
export function costOf({ marks }: Column, { numeric }: Probe): number {
  const kinds = numeric.filter((_, i) => marks[CODE.NUMBER + i] > 0);
  if (marks[CODE.SEVERAL] > 0) return 6;
  return kinds.length > 1 || kinds[0]?.some ? 4 : 1 + kinds.length;
}

function oneByOne(word: number, base: number, passes: Test): number {
  let found = 0;
  for (let left = word | 0; left !== 0; left &= left - 1) {
    const b = 31 - Math.clz32(left & -left);
    found |= passes(base + b) << b;
  }
  return found;
}

/** Of a word with more slots than this all 32 are looked at, which is faster for each. */
const CROWDED = 6;

/** The column has no lists and no numbers. */
function singles({ codes }: Column, table: Uint8Array, words: Uint32Array, out: Uint32Array): void {
  for (let w = 0; w < words.length; w++) {
    const word = words[w];
    if (word === 0) continue;
    const base = w << 5;
    if (ones(word) > CROWDED && base + 32 <= codes.length) {
      let found = 0;
      for (let b = 0; b < 32; b++) found |= table[codes[base + b]] << b;
      out[w] = found & word;
    } else out[w] = oneByOne(word, base, (slot) => table[codes[slot]]);
  }
}

/** The column has lists, and no numbers but in them. */
function lists({ codes, lists: { starts, pool } }: Column, table: Uint8Array, words: Uint32Array, out: Uint32Array): void {
  for (let w = 0; w < words.length; w++) {
    const base = w << 5;
    let found = 0;
    for (let left = words[w] | 0; left !== 0; left &= left - 1) {
      const b = 31 - Math.clz32(left & -left);
      const code = codes[base + b];
      if (code !== CODE.SEVERAL) found |= table[code] << b;
      else {
        const start = starts[base + b];
        for (let i = start + pool[start]; i > start; i--) {
          if (table[pool[i]] === 1) {
            found |= 1 << b;
            break;
          }
        }
      }
    }
    out[w] = found;
  }
}

/** The column has single values, and numbers of one kind, which are asked for between two bounds. */
function numbers(
  { codes, numbers: lane }: Column,
  table: Uint8Array,
  kind: number,
  { low, high }: Numeric,
  words: Uint32Array,
  out: Uint32Array,
): void {
  for (let w = 0; w < words.length; w++) {
    const word = words[w];
    if (word === 0) continue;
    const base = w << 5;
    let found = 0;
    if (ones(word) > CROWDED && base + 32 <= codes.length && base + 32 <= lane.length) {
      for (let b = 0; b < 32; b++) {
        const code = codes[base + b];
        const x = lane[base + b];
        found |= (code === kind ? (x >= low && x <= high ? 1 : 0) : table[code]) << b;
      }
      out[w] = found & word;
    } else {
      out[w] = oneByOne(word, base, (slot) => {
        const x = lane[slot];
        return codes[slot] === kind ? (x >= low && x <= high ? 1 : 0) : table[codes[slot]];
      });
    }
  }
}

/** Of any column. */
function testOf({ codes, numbers: lane, lists: { starts, pool }, dictionary }: Column, probe: Probe): Test {
  const { table, ask } = probe;
  const passes = (code: number): number => {
    if (table[code] !== UNASKED) return table[code];
    const value = dictionary.valueOf(code - CODE.FIRST);
    return (table[code] = value !== undefined && ask?.(value) ? 1 : 0);
  };
  return (slot) => {
    const code = codes[slot];
    if (code >= CODE.NUMBER && code < CODE.FALSE) {
      const { low, high, some, except } = probe.numeric[code - CODE.NUMBER];
      const x = lane[slot];
      return x >= low && x <= high && (some === undefined || some.has(x) !== (except === true)) ? 1 : 0;
    }
    if (code !== CODE.SEVERAL) return passes(code);
    const start = starts[slot];
    for (let i = start + pool[start]; i > start; i--) if (passes(pool[i]) === 1) return 1;
    return 0;
  };
}
