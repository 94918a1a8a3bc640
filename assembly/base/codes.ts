// Numbers that cross the border to JS; src/words/ names the same ones, which src/build/twins.mjs compares.

export const METRIC_L2: u32 = 0;
export const METRIC_COSINE: u32 = 1;
export const METRIC_DOT: u32 = 2;
export const METRIC_HAMMING: u32 = 3;
export const METRIC_L1: u32 = 4;
export const METRICS: u32 = 5;

export const CODEC_F32: u32 = 0;
export const CODEC_SQ8: u32 = 1;
export const CODEC_BINARY: u32 = 2;
export const CODEC_F16: u32 = 3;
export const CODEC_BF16: u32 = 4;
export const CODEC_PQ: u32 = 5;
export const CODEC_RABITQ: u32 = 6;

export const KIND_FLAT: u32 = 0;
export const KIND_HNSW: u32 = 1;
export const KIND_IVF: u32 = 2;
export const KIND_KDTREE: u32 = 3;
export const KIND_FOREST: u32 = 4;
export const KIND_LSH: u32 = 5;

/** Exact rows beside the codes: none, kept in one of three codecs, or held by the caller (rerank.ts). */
export const RERANK_NONE: u32 = 0;
export const RERANK_F32: u32 = 1;
export const RERANK_F16: u32 = 2;
export const RERANK_SQ8: u32 = 3;
export const RERANK_CALLER: u32 = 4;

export const ROTATE_NONE: u32 = 0;
export const ROTATE_RANDOM: u32 = 1;
export const ROTATE_OPQ: u32 = 2;

// Four builds (asconfig.json): the core has Flat and Hnsw over f32, the graph build also f16, bf16, sq8 and bits, graphs that
// keep codes of neighbours or are built at once and scans that have a prefilter, the full one instead of these three every family and
// codec, and the whole one all of it.
export const ALL: bool = BUILD_ALL != 0;
export const GRAPH: bool = BUILD_GRAPH != 0;
/** Rows that are shorter than the vectors given, and vectors that are bits, are in all but the core. */
export const CODED: bool = ALL || GRAPH;
const WHOLE: bool = ALL && GRAPH;
/** 0 core, 1 graph, 2 full, 3 whole: the order of BUILDS in src/words/kinds.ts. */
export const BUILD: i32 = WHOLE ? 3 : ALL ? 2 : GRAPH ? 1 : 0;

/**
 * Whether asserts are compiled: in the build that tests alone run, which has everything. They stand as `if (CHECKED) assert(...)`,
 * since what an assert looks at would be loaded without it.
 */
export const CHECKED: bool = !ASC_NO_ASSERT;

/** How a search went; src/border/answers.ts has the words. */
export const PLAN_SCAN: u32 = 0;
export const PLAN_WALK: u32 = 1;
export const PLAN_WALK_THEN_SCAN: u32 = 2;
export const PLAN_LISTS: u32 = 3;
export const PLAN_MORE_LISTS: u32 = 4;
export const PLAN_TREES: u32 = 5;
export const PLAN_BUCKETS: u32 = 6;
export const PLAN_BUCKETS_THEN_SCAN: u32 = 7;
export const PLAN_TREES_THEN_SCAN: u32 = 8;

export const OK: i32 = 0;
export const E_MEMORY: i32 = -1;
export const E_NOT_FINITE: i32 = -2;
export const E_TOO_LARGE: i32 = -3;
export const E_BEYOND_F16: i32 = -4;

/** No slot, no id: the one u32 that is never an id. */
export const NONE: u32 = 0xffffffff;
