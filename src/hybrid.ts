/** Words and meaning together. See README.md. */
export type { Fuse, Weights } from "./hybrid/fuse.js";
export { type Hybrid, type HybridHit, type HybridOptions, hybrid } from "./hybrid/hybrid.js";
export { cosine, type MmrOptions, mmr } from "./hybrid/mmr.js";
export type { HybridSearchOptions } from "./hybrid/options.js";
export type { TextAnswer, TextHit, TextIndex, TextSearch } from "./hybrid/text.js";
