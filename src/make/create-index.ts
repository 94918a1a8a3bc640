// The one-line entry: which index, from what is known about the vectors. Exact while a scan is fast on this machine, a
// graph beyond, with the codes of neighbours where there is room for them, and inverted lists of small codes where memory is short.

import { dimensionsOf, type IndexOptions, maxBytesOf, metricOf, open, ownState } from "../base/create.js";
import type { Opened } from "../base/seat.js";
import type { VectorIndex } from "../base/vector-index.js";
import { wrap } from "../family/classes.js";
import { Flat } from "../family/flat.js";
import type { CodecOption } from "../words/codec-option.js";
import { badOption } from "../words/errors.js";
import { CODECS, type Codec, canEstimate, KINDS, METRICS, type Metric } from "../words/kinds.js";
import { HNSW, IVF } from "../words/knobs.js";
import { LIMITS, POINTS_PER_CENTROID } from "../words/limits.js";
import { listsFor } from "../words/needs.js";
import { integer, known, real } from "../words/options.js";
import type { RerankOption } from "../words/rerank-option.js";

export interface CreateIndexOptions extends Pick<IndexOptions, "dimensions" | "metric" | "maxBytes" | "seed"> {
  /** About how many vectors there will be. Without it the index starts exact and becomes a graph when it has grown. */
  expected?: number;
  /**
   * Share of the true neighbours that searches should find, above 0 to 1: decides how hard they look. 1 is exact search;
   * otherwise it is a start and no promise, less so the fewer bytes there are. Default 0.95.
   */
  recall?: number;
}

/** A scan as long as this is fast enough. */
const FAST_MS = 1;
const LEAST_THRESHOLD = 1000;
const MOST_THRESHOLD = 200_000;
/** Rows that the scan is measured on, in bytes: more than fits the caches next to the core. */
const MEASURED_BYTES = 4 << 20;
const MEASURED_MS = 4;

const DEFAULT_RECALL = 0.95;
/** Beam width up to a recall; of lists a quarter as many are probed. */
const EFFORTS = [
  [0.95, 64],
  [0.98, 128],
  [0.995, 256],
  [1, 512],
] as const;

/** Bytes per vector beside its row: id and life stage; the table from ids to places; links of M = 16 and their upper layers. */
const SLOT_BYTES = 5;
const ID_BYTES = 11;
const LINK_BYTES = 142;
/** Under cosine the length is kept. */
const NORM_BYTES = 4;
/** Of rows in groups of one list: half a group of 32 is empty in each, and room for one more is kept. */
const LIST_SLACK = 48;
/** What an index has beside its vectors: first pages, scratch of searches, blocks not yet full. */
const FIXED_BYTES = 5 << 16;

const speeds = new Map<string, Promise<number>>();

/** Vectors that an exact scan looks at in a millisecond here. */
function scanSpeed(dimensions: number, metric: Metric): Promise<number> {
  const key = `${dimensions} ${metric}`;
  let speed = speeds.get(key);
  if (!speed) {
    speed = measure(dimensions, metric);
    speeds.set(key, speed);
    speed.catch(() => speeds.delete(key));
  }
  return speed;
}

async function measure(dimensions: number, metric: Metric): Promise<number> {
  const bits = METRICS[metric].packed;
  const width = bits ? (dimensions + 7) >> 3 : dimensions;
  const most = Math.min(Math.max(Math.floor(MEASURED_BYTES / (bits ? width : 4 * width)), 64), MOST_THRESHOLD);
  const index = await Flat.create({ dimensions, metric });
  const values = bits ? new Uint8Array(most * width) : new Float32Array(most * width);
  for (let i = 0; i < values.length; i++) values[i] = (i * 7919) % 251;
  index.add(values);
  const query = values.subarray(0, width);
  index.search(query);
  let scans = 0;
  let elapsedMs = 0;
  // All together: browsers round the clock to some tenths of a millisecond.
  for (const start = performance.now(); elapsedMs < MEASURED_MS; scans++) {
    index.search(query);
    elapsedMs = performance.now() - start;
  }
  index.close();
  return (scans * most) / elapsedMs;
}

/** A way to store vectors in little memory, and what a vector then takes. */
interface Code {
  readonly codec: CodecOption;
  readonly rerank: RerankOption;
  readonly bytes: number;
  /** Vectors that it must see to learn, and would like to. */
  readonly needs: number;
  readonly wants: number;
  readonly name: string;
}

/** Of a metric that no code is learned for: its rows, and those of fewer bytes. */
function rowsFor(dimensions: number, metric: Metric): Code[] {
  const plain: readonly [Codec, number][] = [
    [METRICS[metric].codecs[0], rowBytes(dimensions, metric)],
    ["f16", Math.ceil(dimensions / 8) * 16],
    ["sq8", Math.ceil(dimensions / 16) * 16 + 16],
  ];
  return plain
    .filter(([codec]) => METRICS[metric].codecs.includes(codec))
    .map(([codec, bytes]) => ({ codec, rerank: false, bytes, needs: 0, wants: 0, name: `rows of ${codec}` }));
}

/** From the largest to the smallest. */
function codesFor(dimensions: number): Code[] {
  const sq8 = Math.ceil(dimensions / 16) * 16 + 16;
  const bit = (bits: number): number => Math.ceil(dimensions / 16) * 2 * bits + 12;
  const rabitq = (bits: number, rerank: boolean): Code => ({
    codec: { type: "rabitq", bits },
    rerank: rerank ? { codec: "sq8" } : false,
    bytes: bit(bits) + (rerank ? sq8 : 0),
    needs: CODECS.rabitq.needs(bits),
    wants: CODECS.rabitq.wants(bits),
    name: `rabitq of ${bits} bits${rerank ? " with sq8 rows to re-score" : ""}`,
  });
  const pq = (share: number): Code[] => {
    const m = Math.floor(dimensions / share);
    const own = { needs: CODECS.pq.needs(8), wants: CODECS.pq.wants(8), name: `pq of ${m} bytes` };
    return m < 1 ? [] : [{ codec: { type: "pq", m }, rerank: false, bytes: m, ...own }];
  };
  return [
    ...[4, 2, 1].map((bits) => rabitq(bits, true)),
    ...[8, 7, 6, 5, 4, 3, 2, 1].map((bits) => rabitq(bits, false)),
    ...[8, 10, 12, 14, 16, 20, 24, 32, 48, 64].flatMap(pq),
  ].sort((a, b) => b.bytes - a.bytes);
}

const count = (n: number): string => Math.round(n).toLocaleString("en-US");
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function rowBytes(dimensions: number, metric: Metric): number {
  return Math.ceil(dimensions / (METRICS[metric].packed ? 128 : 4)) * 16;
}

/** Of a vector, beside its row. */
function besides(metric: Metric, graph: boolean): number {
  return SLOT_BYTES + (METRICS[metric].unit ? NORM_BYTES : 0) + (graph ? LINK_BYTES : 0);
}

/** Bytes of an index of plain rows. */
function rowsBytes(n: number, dimensions: number, metric: Metric, graph: boolean): number {
  return FIXED_BYTES + n * (rowBytes(dimensions, metric) + besides(metric, graph));
}

/** Of the codes of a node's 2m neighbours: a bit per dimension, padded to four, and two factors of each; and of layers above. */
function codesBytes(dimensions: number, m: number): number {
  return Math.ceil((2 * m * (Math.ceil(dimensions / 4) * 4 + 64) * (1 + 1 / m)) / 8);
}

/** What is known before the index is chosen. */
interface Known {
  readonly options: IndexOptions;
  readonly metric: Metric;
  readonly n: number;
  readonly limit: number;
  readonly graph: Readonly<Record<string, number>>;
}

/** The largest code whose index fits the limit: as a scan, in lists, or as a graph under metrics that have no lists. */
async function small(of: Known, kind: "flat" | "ivf" | "hnsw", reason: string): Promise<Opened> {
  const { options, metric, n, limit, graph } = of;
  const { dimensions } = options;
  // While it has not learned, an index holds rows: no more of them than fill half the limit.
  const row = rowsBytes(1, dimensions, metric, false) - FIXED_BYTES;
  const most = Math.max(Math.floor((limit - FIXED_BYTES) / 2 / row), 0);
  const nlist = kind === "ivf" ? Math.min(listsFor(n, n), Math.floor(most / POINTS_PER_CENTROID)) : 0;
  const tables = FIXED_BYTES + nlist * 8 * dimensions + 256 * 4 * dimensions;
  const each = ID_BYTES + besides(metric, kind === "hnsw");
  const bytesOf = (code: Code): number => tables + (n + LIST_SLACK * nlist) * (code.bytes + each);
  const codes = METRICS[metric].codecs.includes("rabitq") ? codesFor(dimensions) : rowsFor(dimensions, metric);
  const code = codes.find((one) => bytesOf(one) <= limit && one.needs <= most);
  if (!code && kind === "hnsw") return small(of, "flat", reason);
  if (!code || (kind === "ivf" && nlist < 1)) {
    const least = bytesOf(codes[codes.length - 1]);
    throw badOption(`maxBytes is ${limit}; ${count(n)} vectors of ${dimensions} dimensions take ${count(least)} bytes at least`);
  }
  const { codec, rerank, needs, wants } = code;
  const own = {
    flat: () => ({}),
    ivf: () => ({ ...ownState("ivf", IVF, options), nlist, effort: graph.effort >> 2 }),
    hnsw: () => graph,
  }[kind]();
  const trainAt = Math.max(Math.min(most, n, Math.max(POINTS_PER_CENTROID * nlist, wants)), needs, nlist);
  const family = kind === "ivf" ? `Ivf of ${count(nlist)} lists` : KINDS[kind].family;
  const why = `${family}, ${code.name}, about ${megabytes(bytesOf(code))}: ${reason}, and maxBytes is ${megabytes(limit)}`;
  return open(kind, { ...options, codec, rerank, ...(wants && { trainAt }) }, own, why);
}

/** Creates an index that suits what is known; `index.why` says what was chosen, and why. */
export async function createIndex(options: CreateIndexOptions): Promise<VectorIndex> {
  known("createIndex", options, ["dimensions", "metric", "maxBytes", "seed", "expected", "recall"]);
  return wrap(await chosen(options));
}

async function chosen({ recall: share, expected, ...options }: CreateIndexOptions): Promise<Opened> {
  const dimensions = dimensionsOf(options);
  const metric = metricOf("flat", options);
  const limit = maxBytesOf(options);
  const recall = share === undefined ? DEFAULT_RECALL : real("recall", share, Number.MIN_VALUE, 1);
  const n = expected === undefined ? undefined : integer("expected", expected, ...LIMITS.trainAt);
  const ef = EFFORTS.find(([most]) => most >= recall)?.[1] as number;
  const speed = await scanSpeed(dimensions, metric);
  const threshold = Math.round(Math.min(Math.max(speed * FAST_MS, LEAST_THRESHOLD), MOST_THRESHOLD));
  const fact = `a scan looks at ${count(speed)} vectors of ${dimensions} dimensions a millisecond here`;
  const graph = { ...ownState("hnsw", HNSW, options), effort: ef };
  const coded = { ...graph, fastScan: 1 };
  const canScan = canEstimate(false, METRICS[metric].codecs[0], metric);
  const codes = codesBytes(dimensions, HNSW.m.usual);
  if (n === undefined) {
    if (recall === 1) return open("flat", options, {}, "Flat: a recall of 1 takes exact search");
    // Whoever sets a limit and no number wants as many vectors as it holds.
    const fast = canScan && options.maxBytes === undefined;
    const kind = fast ? "Hnsw with fastScan" : "Hnsw";
    const why = `${kind}, exact at first and a graph from ${count(threshold)} vectors on: ${fact}`;
    return open("hnsw", options, { ...(fast ? coded : graph), trainAt: threshold }, why);
  }
  const of: Known = { options, metric, n, limit, graph };
  const few = n <= threshold;
  const reason = few ? `${count(n)} vectors are few: ${fact}` : `${count(n)} vectors are too many to scan: ${fact}`;
  const bytes = rowsBytes(n, dimensions, metric, !few && recall < 1);
  const tight = `${reason}; with rows of f32 it would be ${megabytes(bytes)}`;
  if (few || recall === 1) {
    if (bytes > limit) return small(of, "flat", tight);
    return open("flat", options, {}, recall === 1 ? "Flat: a recall of 1 takes exact search" : `Flat: ${reason}`);
  }
  if (bytes > limit) return small(of, KINDS.ivf.metrics.includes(metric) ? "ivf" : "hnsw", tight);
  if (!canScan) return open("hnsw", options, graph, `Hnsw: ${reason}`);
  const whole = bytes + n * codes;
  if (whole <= limit) return open("hnsw", options, coded, `Hnsw with fastScan, about ${megabytes(whole)}: ${reason}`);
  const missed = `with fastScan it would be ${megabytes(whole)}, and maxBytes is ${megabytes(limit)}`;
  return open("hnsw", options, graph, `Hnsw: ${reason}; ${missed}`);
}
