// The build finds what is said differently in two places: on copies of the sources, each with one word changed.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkExports, checkTwins } from "../../src/build/twins.mjs";

const WASM = "dist/wasm";
const EXPORTS = "src/border/exports.ts";

/** The sources, but for one place. */
function changed(file: string, from: string, to: string): (file: string) => string {
  const text = readFileSync(file, "utf8");
  expect(text.split(from)).toHaveLength(2);
  return (name) => (name === file ? text.replace(from, to) : readFileSync(name, "utf8"));
}

it("finds nothing in the sources as they are", () => {
  checkTwins();
  checkExports(WASM);
});

/** The last two: a word that is gone is no twin that agrees. */
const CASES: readonly [file: string, from: string, to: string, says: string][] = [
  [
    "assembly/base/codes.ts",
    "METRIC_DOT: u32 = 2",
    "METRIC_DOT: u32 = 4",
    'METRIC_* "dot" is 4 in assembly/base/codes.ts, but METRIC_NAMES "dot" is 2 in src/words/kinds.ts',
  ],
  [
    "assembly/base/codes.ts",
    "export const CODEC_PQ: u32 = 5;\n",
    "",
    'CODEC_* "pq" is missing in assembly/base/codes.ts, but CODEC_NAMES "pq" is 5 in src/words/kinds.ts',
  ],
  [
    "assembly/base/codes.ts",
    "KIND_LSH: u32 = 5",
    "KIND_LSH: u32 = 6",
    'KIND_* "lsh" is 6 in assembly/base/codes.ts, but KIND_NAMES "lsh" is 5 in src/words/kinds.ts',
  ],
  [
    "assembly/base/codes.ts",
    "RERANK_SQ8: u32 = 3",
    "RERANK_SQ8: u32 = 2",
    'RERANK_* "sq8" is 2 in assembly/base/codes.ts, but RERANK_NAMES "sq8" is 3 in src/words/kinds.ts',
  ],
  [
    "assembly/base/codes.ts",
    "ROTATE_OPQ: u32 = 2",
    "ROTATE_OPQ: u32 = 3",
    'ROTATE_* "opq" is 3 in assembly/base/codes.ts, but ROTATE_NAMES "opq" is 2 in src/words/kinds.ts',
  ],
  [
    "assembly/base/codes.ts",
    "E_NOT_FINITE: i32 = -2",
    "E_NOT_FINITE: i32 = -5",
    'E_* "not_finite" is -5 in assembly/base/codes.ts, but E_* "not_finite" is -2 in src/words/codes.ts',
  ],
  [
    "assembly/base/codes.ts",
    "NONE: u32 = 0xffffffff",
    "NONE: u32 = 1",
    "NONE is 1 in assembly/base/codes.ts, but NONE is 4294967295 in src/words/state.ts",
  ],
  [
    "src/input/vectors.ts",
    "MAX_ID = 0xfffffffe",
    "MAX_ID = 0xffffffff",
    "NONE + -1 is 4294967294 in assembly/base/codes.ts, but MAX_ID is 4294967295 in src/input/vectors.ts",
  ],
  [
    "assembly/base/codes.ts",
    "GRAPH ? 1 : 0",
    "GRAPH ? 3 : 0",
    'BUILD "graph" is 3 in assembly/base/codes.ts, but BUILDS "graph" is 1 in src/words/kinds.ts',
  ],
  [
    "assembly/base/simd.ts",
    "RELAXED ? 2",
    "RELAXED ? 4",
    'VARIANT "relaxed" is 4 in assembly/base/simd.ts, but VARIANTS "relaxed" is 2 in src/border/variants.ts',
  ],
  [
    "src/words/kinds.ts",
    '"forest", "lsh"]',
    '"forest", "lsh", "vamana"]',
    'KIND_* "vamana" is missing in assembly/base/codes.ts, but KIND_NAMES "vamana" is 6 in src/words/kinds.ts',
  ],
  [
    "assembly/memory/state.ts",
    "MIPS_AUGMENT: u32 = 1",
    "MIPS_AUGMENT: u32 = 2",
    'MIPS_* "augment" is 2 in assembly/memory/state.ts, but MIPS_NAMES "augment" is 1 in src/words/knobs.ts',
  ],
  [
    "assembly/memory/state.ts",
    "  watched: f64;",
    "  watched: f32;",
    'class State "watched" is f32 at 96 in assembly/memory/state.ts, but LAYOUT "watched" is f64 at 96 in src/words/state.ts',
  ],
  [
    "assembly/memory/state.ts",
    "  dead: u32;\n  doomed: u32;\n",
    "  doomed: u32;\n  dead: u32;\n",
    'class State "dead" is u32 at 68 in assembly/memory/state.ts, but LAYOUT "dead" is u32 at 64 in src/words/state.ts',
  ],
  [
    "src/words/state.ts",
    '  prefilter: "u32",\n',
    "",
    'class State "prefilter" is u32 at 180 in assembly/memory/state.ts, but LAYOUT "prefilter" is missing in src/words/state.ts',
  ],
  [
    "assembly/memory/arena.ts",
    "STATE_BYTES: usize = 256",
    "STATE_BYTES: usize = 512",
    "STATE_BYTES is 512 in assembly/memory/arena.ts, but STATE_BYTES is 256 in src/words/state.ts",
  ],
  [
    "assembly/memory/arena.ts",
    "STATIC: usize = 4096",
    "STATIC: usize = 8192",
    "STATIC is 8192 in assembly/memory/arena.ts, but memoryBase is 4096 in asconfig.json",
  ],
  [
    "assembly/memory/arena.ts",
    "PAGE: usize = 65536",
    "PAGE: usize = 4096",
    "PAGE is 4096 in assembly/memory/arena.ts, but PAGE_BYTES is 65536 in src/words/needs.ts",
  ],
  [
    "asconfig.json",
    '"threads-graph": {',
    '"threads-all": {',
    'targets "threads-all" is listed in asconfig.json, but RARE "threads-all" is missing in src/border/builds-rare.ts',
  ],
  [
    "src/words/needs.ts",
    "MAX_PAGES = 65536",
    "MAX_PAGES = 32768",
    "maximumMemory is 65536 in asconfig.json, but MAX_PAGES is 32768 in src/words/needs.ts",
  ],
  [
    "src/words/training-needs.ts",
    "WIDTH_POINTS = 256",
    "WIDTH_POINTS = 128",
    "WIDTH_SAMPLE is 256 in assembly/family/lsh/lsh.ts, but WIDTH_POINTS is 128 in src/words/training-needs.ts",
  ],
  [
    "src/border/engine.ts",
    "  found,\n",
    "  again,\n  found,\n",
    'class Work "found" is 9 in assembly/search/work.ts, but enum Work "found" is 10 in src/border/engine.ts',
  ],
  [
    "assembly/search/work.ts",
    "  found: u32;",
    "  again: u32;\n  found: u32;",
    'class Work "found" is 10 in assembly/search/work.ts, but enum Work "found" is 9 in src/border/engine.ts',
  ],
  [
    "src/border/engine.ts",
    "GROUP = 32",
    "GROUP = 64",
    "GROUP is 32 in assembly/memory/store.ts, but GROUP is 64 in src/border/engine.ts",
  ],
  [
    "src/words/limits.ts",
    "2 ** 26 - 1",
    "2 ** 26",
    "MAX_SLOTS is 67108863 in assembly/base/key.ts, but MAX_SLOTS is 67108864 in src/words/limits.ts",
  ],
  [
    "assembly/family/graph/bulk/team.ts",
    "MOST_WORKERS: u32 = 31",
    "MOST_WORKERS: u32 = 15",
    "MOST_WORKERS + 1 is 16 in assembly/family/graph/bulk/team.ts, but KNOBS threads is 32 in src/words/knobs.ts",
  ],
  [
    "src/base/coarse-graph.ts",
    '"cent"',
    '"cell"',
    "TAG_CELLS is cent in assembly/kernel/centres.ts, but CENTROIDS is cell in src/base/coarse-graph.ts",
  ],
  [
    "src/border/copies.ts",
    '"twin"',
    '"twig"',
    "TAG_TWIN is twin in assembly/family/graph/twins.ts, but TWINS is twig in src/border/copies.ts",
  ],
  [
    "src/file/format.ts",
    '"uppr"',
    '"up  "',
    "TAG_UPPER is uppr in assembly/family/graph/graph.ts, but UPPER_TAG is up   in src/file/format.ts",
  ],
  [
    "src/build/text.mjs",
    "FREQUENT = 89",
    "FREQUENT = 88",
    "FREQUENT is 88 in src/build/text.mjs, but FREQUENT is 89 in src/border/wasm-text.ts",
  ],
  [
    "assembly/table/lists.ts",
    "0x72656e77",
    "0x72656e78",
    'TAG_OWNER of assembly/table/lists.ts is "xner", and says of itself that it is "wner"',
  ],
  ["src/border/engine.ts", "const GROUP =", "const SLOTS =", "src/border/engine.ts has no GROUP any more"],
  ["src/words/state.ts", "const LAYOUT =", "const FIELDS =", "src/words/state.ts has no LAYOUT any more"],
];

it.each(CASES)("%s: %j", (file, from, to, says) => {
  const read = changed(file, from, to);
  expect(() => checkTwins(read)).toThrow(says);
});

describe("exports", () => {
  const cases: readonly [from: string, to: string, says: RegExp][] = [
    ["  isValid(): number;\n", "", /^scalar-core\.wasm .* differ: isValid is exported only\nscalar-graph/],
    ["  isValid(): number;\n", "  isValid(): number;\n  isSound(): number;\n", /scalar-core\.wasm .* isSound is declared only/],
    [
      "  linkPending?(short",
      "  linkPending(short",
      /^scalar-core\.wasm .* linkPending is declared only\nscalar\.wasm .* linkPending is declared only$/,
    ],
    [
      "  treeDepth(): number;\n",
      "",
      /^scalar\.wasm .* treeDepth is exported only\nscalar-whole\.wasm .* treeDepth is exported only$/,
    ],
    ["firstBad(vectors: number, n: number)", "firstBad(vectors: number)", /firstBad takes 2 arguments, 1 are declared/],
  ];
  it.each(cases)("%j", (from, to, says) => {
    const read = changed(EXPORTS, from, to);
    expect(() => checkExports(WASM, read)).toThrow(says);
  });
});
