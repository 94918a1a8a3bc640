// The hot loop: which of some slots pass a probe.
import { CODE, type Column } from "./column.js";
import { type Probe, UNASKED } from "./probe.js";

/** Those of the slots that pass. All of them hold documents. */
export function refine(column: Column, probe: Probe, among: Uint32Array): Uint32Array {
  const { table, numbers, instants } = probe;
  const { codes, numbers: lane, lists, dictionary } = column;
  const { starts, pool } = lists;

  const asked = (code: number): number => {
    const value = dictionary.valueOf(code - CODE.FIRST);
    return (table[code] = value !== undefined && probe.ask?.(value) ? 1 : 0);
  };
  const passes = (slot: number): number => {
    const code = codes[slot];
    if (code >= CODE.FIRST || code < CODE.SEVERAL) {
      const known = table[code];
      return known === UNASKED ? asked(code) : known;
    }
    if (code === CODE.SEVERAL) {
      const start = starts[slot];
      for (let at = start + pool[start]; at > start; at--) {
        const one = pool[at];
        if (table[one] === 1 || (table[one] === UNASKED && asked(one) === 1)) return 1;
      }
      return 0;
    }
    const { low, high, some, except } = code === CODE.NUMBER ? numbers : instants;
    const x = lane[slot];
    return x >= low && x <= high && (some === undefined || some.has(x) !== (except === true)) ? 1 : 0;
  };

  const out = new Uint32Array(among.length);
  for (let w = 0; w < among.length; w++) {
    const base = w << 5;
    let word = 0;
    if (among[w] === 0xffffffff) {
      for (let b = 0; b < 32; b++) word |= passes(base + b) << b;
    } else {
      for (let left = among[w] | 0; left !== 0; left &= left - 1) {
        const b = 31 - Math.clz32(left & -left);
        word |= passes(base + b) << b;
      }
    }
    out[w] = word;
  }
  return out;
}
