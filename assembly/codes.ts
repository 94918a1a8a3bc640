// Numbers that cross the border to JS; src/kinds.ts and src/memory.ts name the same ones.

export const METRIC_L2: u32 = 0;
export const METRIC_COSINE: u32 = 1;
export const METRIC_DOT: u32 = 2;
export const METRIC_HAMMING: u32 = 3;

export const CODEC_F32: u32 = 0;
export const CODEC_SQ8: u32 = 1;
export const CODEC_BINARY: u32 = 2;

export const KIND_FLAT: u32 = 0;
export const KIND_HNSW: u32 = 1;

export const OK: i32 = 0;
export const E_MEMORY: i32 = -1;
export const E_NOT_FINITE: i32 = -2;
export const E_TOO_LARGE: i32 = -3;

/** No slot, no id: the one u32 that is never an id. */
export const NONE: u32 = 0xffffffff;
