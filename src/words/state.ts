// The 256 bytes of assembly/memory/state.ts: options and persistent numbers, in memory and in the file alike.

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
  effort: [48, "u32"],
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
  sharp: [92, "u32"],
  watched: [96, "f64"],
  blurred: [104, "f64"],
  trained: [112, "u32"],
  nlist: [116, "u32"],
  pqM: [120, "u32"],
  codeBits: [124, "u32"],
  rotate: [128, "u32"],
  symmetric: [132, "u32"],
  trees: [136, "u32"],
  leafSize: [140, "u32"],
  hashBits: [144, "u32"],
  width: [148, "f32"],
  reconstruction: [152, "f64"],
  coarseGraph: [160, "u32"],
  trainAt: [164, "u32"],
  residual: [168, "u32"],
  treeFree: [172, "u32"],
  fastScan: [176, "u32"],
  prefilter: [180, "u32"],
} as const;

export const STATE_BYTES = 256;
/** Of a file of format 1, which ends with `blurred`. */
export const STATE_BYTES_1 = 128;
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

/** The state in 256 bytes of a file. */
export function readState(bytes: Uint8Array): State {
  const words = new Uint32Array(bytes.slice().buffer);
  const state = {} as State;
  for (const name in LAYOUT) state[name as keyof State] = readField(words, 0, name as keyof State);
  return state;
}

export function writeField(view: DataView, name: keyof State, value: number): void {
  const [offset, type] = LAYOUT[name];
  if (type === "u64") view.setBigUint64(offset, BigInt(value), true);
  else if (type === "f64") view.setFloat64(offset, value, true);
  else if (type === "f32") view.setFloat32(offset, value, true);
  else view.setUint32(offset, value, true);
}

export function stateBytes(state: State): Uint8Array {
  const bytes = new Uint8Array(STATE_BYTES);
  const view = new DataView(bytes.buffer);
  for (const name in LAYOUT) writeField(view, name as keyof State, state[name as keyof State]);
  return bytes;
}

/** What a file of format 1 says, as format 2 would: nothing there had to learn, and most of the new numbers are 0. */
export function upgraded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(STATE_BYTES);
  whole.set(bytes.subarray(0, offsetOf("trained")));
  const view = new DataView(whole.buffer);
  writeField(view, "trained", 1);
  writeField(view, "treeFree", NONE);
  return whole;
}

/** The content of an empty index. */
export const FRESH = {
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
  sharp: 1,
  watched: 0,
  blurred: 0,
  trained: 1,
  reconstruction: 0,
  treeFree: NONE,
} as const;

/** Options that a family or codec does not have. */
export const EMPTY = {
  m: 2,
  efConstruction: 1,
  mips: 0,
  effort: 1,
  nlist: 0,
  pqM: 0,
  codeBits: 0,
  rotate: 0,
  symmetric: 0,
  residual: 0,
  trees: 0,
  leafSize: 0,
  hashBits: 0,
  width: 0,
  coarseGraph: 0,
  trainAt: 0,
  fastScan: 0,
  prefilter: 0,
} as const;
