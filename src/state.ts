// The 128 bytes of assembly/state.ts: options and persistent numbers, in memory and in the file alike.

const LAYOUT = {
  seed: [0, "u64"],
  nextId: [8, "u64"],
  kind: [16, "u32"],
  metric: [20, "u32"],
  codec: [24, "u32"],
  dimensions: [28, "u32"],
  rerank: [32, "u32"],
  m: [36, "u32"],
  efConstruction: [40, "u32"],
  mips: [44, "u32"],
  ef: [48, "u32"],
  rerankFactor: [52, "f32"],
  maxSquaredNorm: [56, "f32"],
  live: [60, "u32"],
  dead: [64, "u32"],
  doomed: [68, "u32"],
  freeHead: [72, "u32"],
  identity: [76, "u32"],
  entry: [80, "u32"],
  topLevel: [84, "u32"],
  sweepCursor: [88, "u32"],
  coarse: [92, "u32"],
  watched: [96, "f64"],
  blurred: [104, "f64"],
} as const;

export const STATE_BYTES = 128;
/** No slot, no id. */
export const NONE = 0xffffffff;

export type State = { -readonly [name in keyof typeof LAYOUT]: number };

export function offsetOf(name: keyof State): number {
  return LAYOUT[name][0];
}

/** One number of the state at byte `at` of a memory, which is little-endian as every machine with wasm. */
export function readField(memory: Uint32Array, at: number, name: keyof State): number {
  const [offset, type] = LAYOUT[name];
  const value = memory[(at + offset) >>> 2];
  if (type === "u32") return value;
  const high = memory[((at + offset) >>> 2) + 1];
  if (type === "u64") return value + high * 2 ** 32;
  const bytes = Uint32Array.of(value, high).buffer;
  return type === "f64" ? new Float64Array(bytes)[0] : new Float32Array(bytes)[0];
}

/** The state in 128 bytes of a file. */
export function readState(bytes: Uint8Array): State {
  const words = new Uint32Array(bytes.slice().buffer);
  const state = {} as State;
  for (const name in LAYOUT) state[name as keyof State] = readField(words, 0, name as keyof State);
  return state;
}

export function writeState(view: DataView, state: State): void {
  for (const key in LAYOUT) {
    const name = key as keyof State;
    const [offset, type] = LAYOUT[name];
    if (type === "u64") view.setBigUint64(offset, BigInt(state[name]), true);
    else if (type === "f64") view.setFloat64(offset, state[name], true);
    else if (type === "f32") view.setFloat32(offset, state[name], true);
    else view.setUint32(offset, state[name], true);
  }
}

/** What an empty index begins with, beside its options. */
export const EMPTY = {
  nextId: 0,
  maxSquaredNorm: 0,
  live: 0,
  dead: 0,
  doomed: 0,
  freeHead: NONE,
  identity: 1,
  entry: NONE,
  topLevel: 0,
  sweepCursor: 0,
  coarse: 1,
  watched: 0,
  blurred: 0,
} as const;
