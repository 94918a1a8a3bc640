// Arrays of a number a slot, as narrow as what they hold.

export type Codes = Uint8Array | Uint16Array | Uint32Array;
export type Numbers = Int16Array | Int32Array | Float64Array;

/** A quarter more than is needed, so that growing costs the same for each slot in the long run. */
function roomFor(slots: number): number {
  return Math.ceil(slots * 1.25) + 64;
}

/** With room for so many slots; the new ones are 0. */
export function grown<T extends Codes | Numbers>(lane: T, slots: number): T {
  if (slots <= lane.length) return lane;
  const next = new (lane.constructor as new (length: number) => T)(roomFor(slots));
  next.set(lane);
  return next;
}

/** One that can hold the code. */
export function codesFor(lane: Codes, code: number): Codes {
  if (lane.BYTES_PER_ELEMENT === 1 && code > 0xff) return code > 0xffff ? Uint32Array.from(lane) : Uint16Array.from(lane);
  return lane.BYTES_PER_ELEMENT === 2 && code > 0xffff ? Uint32Array.from(lane) : lane;
}

/** One that can hold the number. */
export function numbersFor(lane: Numbers, number: number): Numbers {
  if (lane instanceof Float64Array) return lane;
  if (number !== number >> 0) return Float64Array.from(lane);
  return lane.BYTES_PER_ELEMENT === 2 && number !== (number << 16) >> 16 ? Int32Array.from(lane) : lane;
}
