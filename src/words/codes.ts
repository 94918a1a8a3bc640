// Numbers that wasm answers with in place of a sentence (assembly/base/codes.ts), and how many ids go in at a time.

/** Error codes of assembly/base/codes.ts. */
export const E_MEMORY = -1;

export const E_NOT_FINITE = -2;

export const E_BEYOND_F16 = -4;

/** Ids or slots handed over at a time, so that a full index has room for them. */
export const IDS_CHUNK = 8192;
