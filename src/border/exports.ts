/** What the wasm exports. Addresses and counts are numbers; negative results are error codes (assembly/base/codes.ts). */
export interface Exports {
  readonly STATE: { readonly value: number };
  readonly WORK: { readonly value: number };
  /** Places in VARIANTS and BUILDS. */
  variant(): number;
  build(): number;
  open(pages: number): number;
  alloc(bytes: number): number;
  mark(): number;
  reset(to: number): void;
  queryAddress(): number;
  inputBytes(): number;

  roomToUse(): number;
  reserve(n: number, otherIds: boolean, chunk: number): number;
  tryReplace(n: number, gone: number, chunk: number): number;
  firstBad(vectors: number, n: number): number;
  whyBad(vector: number): number;
  addVectors(vectors: number, ids: number, lists: number, n: number): number;
  /** Of the graph builds: of n more vectors so many, the last, are to be stored first and then linked together; `all`: as many as can. */
  linkedTogether?(n: number, all: boolean): number;
  /** `vectors` 0: only slots are taken, the next n; their rows follow. */
  storeVectors?(vectors: number, ids: number, n: number): void;
  /** All that wait, or a short step towards it: 1 when none waits any more. */
  linkPending?(short: boolean): number;
  /** Before permanent memory is taken, or all is read: no scratch is in use any more, and what waits is found by scans. */
  stopLinking?(): void;
  /** For tests. */
  distancesOfLeaf?(slots: number, n: number, out: number): number;
  /** Of a worker's instance (workers.ts): builds along for ever. */
  serve?(worker: number): void;
  /** So many threads beside this one serve(). */
  setWorkers?(n: number): void;
  removeIds(ids: number, n: number): number;
  startSweep(): void;
  sweep(slots: number): number;
  compactSlots(): number;

  slotOfId(id: number): number;
  getVector(id: number, out: number): number;
  liveIds(first: number, n: number, filter: number, out: number): number;

  prepareQuery(): number;
  /** What the searches that follow are asked. */
  ask(k: number, effort: number, candidates: number, filter: number, bound: number, exact: boolean, given: boolean): void;
  search(): number;
  searchTogether(inputs: number, n: number): number;
  batchBytes(keep: number): number;
  sharesScans(): number;
  /** Of all builds but the core. */
  rescore?(vectors: number, ids: number, n: number, k: number, bound: number): number;
  scoreSlots(slots: number, n: number, out: number): void;
  /** Of one search, in scratch; of many, until it is closed. */
  openFilter(): number;
  keepFilter(): number;
  closeFilter(filter: number): void;
  /** Graph builds: takes at least n steps of a search, for a clock, and says how many: rows scanned, rows of a walk, nodes expanded, groups of 32 codes. */
  practise?(step: number, n: number): number;
  /** Microseconds of each; of a code, not of 32. */
  setCosts?(row: number, met: number, hop: number, code: number): void;
  /**
   * Graph builds: before a search by a filter that lasts, or by none (0), no scratch being in use. Takes so many microseconds at most, or
   * little more; 1 where codes were wanted, or are there.
   */
  readyFilter?(filter: number, microseconds: number): number;
  passIds(filter: number, ids: number, n: number): number;
  passBits(filter: number, bits: number, bytes: number): number;

  storeCount(store: number): number;
  columnRun(store: number, column: number): number;
  storeColumns(store: number): number;
  columnTag(store: number, column: number): number;
  columnStride(store: number, column: number): number;
  columnPacking(store: number, column: number): number;
  columnAt(store: number, column: number, slot: number): number;
  blobCount(): number;
  blobTag(i: number): number;
  blobAt(i: number): number;
  blobBytes(i: number): number;
  restore(slots: number, records: number): number;
  isValid(): number;
  checksumStart(): void;
  checksumAdd(address: number, bytes: number): void;
  checksumEnd(): bigint;

  slotsOnLevel(level: number): number;
  countLinks(): number;
  /** Live slots of a graph that no walk reaches; needs scratch. */
  countUnreachable(): number;
}

/** What the full builds export beside it. */
export interface FullExports extends Exports {
  rescore(vectors: number, ids: number, n: number, k: number, bound: number): number;
  ivfSearch(lists: number, n: number): number;
  treeLeaves(): number;
  treeDepth(): number;

  sampleStride(): number;
  residualStride(): number;
  prepareSample(vectors: number, rows: number, n: number): void;
  kmeansOpen(points: number, n: number, k: number): number;
  kmeansTake(kmeans: number, every: number): number;
  kmeansAssign(kmeans: number, from: number, to: number, short: boolean): void;
  kmeansUpdate(kmeans: number): number;
  takeCentres(kmeans: number): void;
  learnMean(rows: number, n: number): void;
  learnWidth(rows: number, n: number): number;
  finishTables(): void;
  takeResiduals(rows: number, n: number, out: number): number;
  residualError(residuals: number, n: number): number;
  pqStep(residuals: number, n: number, every: number, j: number, first: boolean): number;
  opqOpen(residuals: number, n: number): number;
  opqTurn(residuals: number, n: number, out: number): void;
  opqDecode(turned: number, n: number): void;
  opqGather(opq: number, residuals: number, decoded: number, n: number, first: boolean): void;
  opqBegin(opq: number): void;
  opqPolar(opq: number, from: number, to: number): void;
  opqStep(opq: number): number;
}

/** What the builds of shared memory export beside it, for threads that search it (assembly/index/share.ts). */
export interface SharedExports extends Exports {
  /** Bytes of a region for such a thread, and a region of so many: 0 where memory cannot grow. */
  regionBytes(): number;
  keepRegion(bytes: number): number;
  /** Of the thread's own instance, before it searches and after every change: 0 where the region is too small. */
  attach(region: number, bytes: number): number;
}
