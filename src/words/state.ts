// The 256 bytes of assembly/memory/state.ts: options and persistent numbers, in memory and in the file alike.

/** In the order of the file: append, never reorder. */
const LAYOUT = {
  seed: "u64",
  nextId: "u64",
  kind: "u32",
  metric: "u32",
  codec: "u32",
  dimensions: "u32",
  rerank: "u32",
  m: "u32",
  efConstruction: "u32",
  mips: "u32",
  effort: "u32",
  rerankFactor: "f32",
  maxSquaredNorm: "f32",
  live: "u32",
  dead: "u32",
  doomed: "u32",
  freeHead: "u32",
  identity: "u32",
  entry: "u32",
  topLevel: "u32",
  sweepCursor: "u32",
  sharp: "u32",
  watched: "f64",
  blurred: "f64",
  trained: "u32",
  nlist: "u32",
  pqM: "u32",
  codeBits: "u32",
  rotate: "u32",
  symmetric: "u32",
  trees: "u32",
  leafSize: "u32",
  hashBits: "u32",
  width: "f32",
  reconstruction: "f64",
  coarseGraph: "u32",
  trainAt: "u32",
  residual: "u32",
  treeFree: "u32",
  fastScan: "u32",
  prefilter: "u32",
  twins: "u32",
  unsought: "u32",
  rooted: "u32",
  atOnce: "u32",
  pending: "u32",
  filling: "u32",
  learnedOn: "u32",
} as const;

export const STATE_BYTES = 256;
/** Of a file of format 1, which ends with `blurred`. */
export const STATE_BYTES_1 = 128;
/** No slot, no id. */
export const NONE = 0xffffffff;

export type State = { -readonly [name in keyof typeof LAYOUT]: number };

/** Where each number begins: as in a class of AssemblyScript, at the next multiple of its size. */
const OFFSETS = ((): State => {
  const offsets = {} as State;
  let end = 0;
  for (const [name, type] of Object.entries(LAYOUT)) {
    const bytes = type.endsWith("64") ? 8 : 4;
    offsets[name as keyof State] = Math.ceil(end / bytes) * bytes;
    end = offsets[name as keyof State] + bytes;
  }
  return offsets;
})();

export function offsetOf(name: keyof State): number {
  return OFFSETS[name];
}

/** One number of the state at byte `at` of a memory, which is little-endian as every machine with wasm. */
export function readField(memory: Uint32Array, at: number, name: keyof State): number {
  const type = LAYOUT[name];
  const word = (at + OFFSETS[name]) >>> 2;
  const value = memory[word];
  if (type === "u32") return value;
  const high = memory[word + 1];
  if (type === "u64") return value + high * 2 ** 32;
  const bytes = Uint32Array.of(value, high).buffer;
  return type === "f64" ? new Float64Array(bytes)[0] : new Float32Array(bytes)[0];
}

/** The state in 256 bytes of a file. */
export function readState(bytes: Uint8Array): State {
  const words = new Uint32Array(new Uint8Array(bytes).buffer);
  const state = {} as State;
  for (const name in LAYOUT) state[name as keyof State] = readField(words, 0, name as keyof State);
  return state;
}

export function writeField(view: DataView, name: keyof State, value: number): void {
  const type = LAYOUT[name];
  const offset = OFFSETS[name];
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

/** What a file of either format says, as format 2 does: of format 1 nothing there had to learn, and most of the new numbers are 0. */
export function upgraded(bytes: Uint8Array): Uint8Array {
  if (bytes.length === STATE_BYTES) return bytes;
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
  twins: 0,
  unsought: 0,
  rooted: 0,
  pending: 0,
  filling: 0,
  learnedOn: 0,
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
  atOnce: 0,
} as const;
