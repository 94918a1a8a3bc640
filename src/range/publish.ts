// An index or a collection becomes two files that any web server can serve: format.ts has their layout.

import type { VectorIndex } from "../base/vector-index.js";
import { keysOf } from "../collection/where/path.js";
import { xxh32 } from "../collection/xxh32.js";
import type { Flat } from "../family/flat.js";
import { inSlices } from "../input/slices.js";
import { copyAll, type Rows, rowsOf, type Vectors } from "../input/vectors.js";
import type { Bytes } from "../words/arrays.js";
import { badOption, show } from "../words/errors.js";
import { checkSignal, heed, integer, known, oneOf, real } from "../words/options.js";
import {
  AUX_BYTES,
  ENTRY_BYTES,
  HEAD_NAME,
  type Head,
  headOf,
  Places,
  partsOf,
  ROW_KINDS,
  type RowKind,
  readHead,
  rowBytes,
  SCALE_BYTES,
} from "./format.js";
import { type Learned, type LearnOptions, learnLists } from "./learning.js";
import { Lists } from "./lists.js";
import { type Effort, JUDGES, measureEffort } from "./measuring.js";
import { type Documents, readSource, type Tell } from "./source.js";
import { type Written, writeData } from "./writing.js";

/** An index; or what a Collection, a WorkerCollection and a SharedCollection have. */
export type PublishSource = VectorIndex | Documents;

type Step = "reading" | "learning" | "writing" | "measuring";

export interface PublishOptions {
  /** About how large a list is, its codes and records together, in KiB: 4 to 65536. Larger ones are fewer, and the head smaller. Default 64. */
  pageKib?: number;
  /** Bits of a value in the codes, 1 to 8. Default 1 from 256 dimensions on, else 2. */
  bits?: number;
  /** What rows decide by: "sq8" (default), a byte a value, or "f32", the vectors as they are. */
  rows?: RowKind;
  /** Of a collection: the members of its data that `where` can ask for. Default: those declared as fields; where none are, those that are short. */
  fields?: readonly string[];
  /** Of the ten nearest, what searches are to find that say nothing: 0.5 to 1. Default 0.96. */
  recall?: number;
  /** Queries as they will come, some hundred, to measure that with. Default: 200 of the vectors themselves, which is too few lists where queries lie elsewhere. */
  queries?: Vectors;
  /** The data in files of at most so many MiB, for hosts that limit them: 1 to 4095. Default: one file. */
  partMib?: number;
  /** Of what is drawn at random. Default 42. */
  seed?: number;
  signal?: AbortSignal;
  onProgress?: (progress: { step: Step; done: number; total: number }) => void;
}

export interface Published {
  /** The files by their names, the head last: it is to be written after the others. */
  files: Map<string, Bytes>;
  documents: number;
  lists: number;
  /** What is fetched by opening it, and what there is in all. */
  headBytes: number;
  dataBytes: number;
  /** What searches do that say nothing, and what that found when it was measured. */
  nprobe: number;
  candidates: number;
  recall: number;
  fields: string[];
}

const NAMES = ["pageKib", "bits", "rows", "fields", "recall", "queries", "partMib", "seed", "signal", "onProgress"];
/** Of centroids and table, in a head. */
const MOST_HEAD_BYTES = 500_000;
const MOST_PART_MIB = 4095;
const FEWER_BITS_FROM = 256;
/** Below it centroids are noise, and lists no shorter to read. */
const LEAST_PER_LIST = 32;

interface Checked {
  readonly pageBytes: number;
  readonly bits: number | undefined;
  readonly rows: RowKind;
  readonly fields: readonly string[] | undefined;
  readonly recall: number;
  readonly queries: Vectors | undefined;
  readonly partBytes: number;
  readonly seed: number;
}

function checkOptions(options: PublishOptions): Checked {
  known("publish", options, NAMES);
  const { fields, bits } = options;
  checkSignal(options.signal);
  if (
    fields !== undefined &&
    !(Array.isArray(fields) && fields.every((name) => typeof name === "string" && !name.includes(".")))
  ) {
    throw badOption(
      `fields is ${show(fields)}; it must be an array of names of members of documents' data, such as ["lang", "year"]`,
    );
  }
  for (const name of fields ?? []) keysOf(name, "fields", "BAD_OPTION");
  const { queries, onProgress } = options;
  if (queries !== undefined && typeof (queries as ArrayLike<number> | null)?.length !== "number") {
    throw badOption(`queries is ${show(queries)}; it must be an array of vectors`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw badOption(`onProgress is ${show(onProgress)}; it must be a function`);
  }
  return {
    pageBytes: 1024 * integer("pageKib", options.pageKib ?? 64, 4, 65536),
    bits: bits === undefined ? undefined : integer("bits", bits, 1, 8),
    rows: oneOf("rows", options.rows ?? "sq8", ROW_KINDS),
    fields,
    recall: real("recall", options.recall ?? 0.96, 0.5, 1),
    queries: options.queries === undefined ? undefined : copyAll(options.queries),
    partBytes: 2 ** 20 * integer("partMib", options.partMib ?? MOST_PART_MIB, 1, MOST_PART_MIB),
    seed: integer("seed", options.seed ?? 42, 0, Number.MAX_SAFE_INTEGER),
  };
}

/**
 * Makes the files of a published index. Takes memory for all vectors as f32 and for the files. Of an index that keeps
 * codes alone they are what those say, and so is the recall that is measured. Errors: BAD_OPTION, also where there is nothing to
 * publish, or the metric is l1 or hamming; those of the source; the signal's reason.
 */
export async function publish(source: PublishSource, options: PublishOptions = {}): Promise<Published> {
  const checked = checkOptions(options);
  const { signal, onProgress } = options;
  const tell = (step: Step): Tell => {
    return (done, total) => onProgress?.({ step, done, total });
  };
  const between = (step: Step, total: number) => (done: number) => {
    heed(signal);
    tell(step)(done, total);
  };
  const read = await readSource(source, checked.fields, tell("reading"), signal);
  try {
    const { rows } = read;
    const queries = checked.queries && queriesOf(checked.queries, rows.dimensions);
    const learned = await learnLists(rows, listsOf(rows, checked), tell("learning"), signal);
    try {
      const writing = between("writing", learned.members.length);
      writing(0);
      const whole = await inSlices(writeData(read, learned, checked.rows), writing);
      const written = { ...whole, about: { ...whole.about, data: named(whole.about.data, checked) } };
      const unmeasured = headWith(written, learned, checked, { nprobe: 1, candidates: 1, recall: 0, judges: 0 });
      const judging = between("measuring", queries?.n ?? Math.min(JUDGES, rows.size));
      judging(0);
      const effort = await effortOf(readHead(unmeasured), written, rows, checked.recall, queries, judging);
      return published(written, headWith(written, learned, checked, effort), checked, effort);
    } finally {
      learned.close();
    }
  } finally {
    read.rows.close();
  }
}

/** Parts of another size are other files. */
function named(data: string, { partBytes }: Checked): string {
  if (partBytes === MOST_PART_MIB * 2 ** 20) return data;
  return (
    data.slice(0, 8) +
    xxh32(new TextEncoder().encode(data + partBytes))
      .toString(16)
      .padStart(8, "0")
  );
}

function queriesOf(queries: Vectors, dimensions: number): Rows {
  const rows = rowsOf(queries, { dimensions, packed: undefined }, "queries");
  if (rows.n === 0) throw badOption("queries is empty; it must have some hundred");
  return rows;
}

/** How many lists, as large as is wanted, as far as the head has room for them; and what their codes are. */
function listsOf({ size: n, dimensions }: Flat, { bits: given, pageBytes, rows, seed }: Checked): LearnOptions {
  if (n === 0) throw badOption("there is nothing to publish: the source is empty");
  const bits = given ?? (dimensions < FEWER_BITS_FROM ? 2 : 1);
  const vectorBytes = (dimensions * bits) / 8 + AUX_BYTES + rowBytes(rows, dimensions);
  const wanted = Math.round((n * vectorBytes) / pageBytes);
  const most = Math.floor(MOST_HEAD_BYTES / (SCALE_BYTES + dimensions + ENTRY_BYTES));
  return { lists: Math.max(Math.min(wanted, most, Math.ceil(n / LEAST_PER_LIST)), 1), bits, seed };
}

function headWith({ about, entries }: Written, { state, centroids }: Learned, { partBytes }: Checked, effort: Effort): Bytes {
  return headOf({ ...about, partBytes, ...effort }, state, centroids, entries);
}

async function effortOf(
  head: Head,
  { data, numbers }: Written,
  rows: Flat,
  recall: number,
  queries: Rows | undefined,
  judging: (done: number) => void,
): Promise<Effort> {
  const places = new Places(head);
  const lists = await Lists.open(head, places.first);
  try {
    const blocks = head.lists.map((_, list) => {
      const { from, to } = places.codes(list);
      return { list, bytes: data.subarray(from, to) };
    });
    lists.arrive(blocks);
    return await inSlices(measureEffort({ head, places, lists, rows, numbers, data }, recall, queries), judging);
  } finally {
    lists.close();
  }
}

function published({ about, data, entries }: Written, head: Bytes, { partBytes }: Checked, effort: Effort): Published {
  const { nprobe, candidates, recall } = effort;
  const parts = partsOf({ ...about, partBytes }, { from: 0, to: data.length });
  const files = parts.map(({ name, bytes }, i) => [name, data.subarray(i * partBytes, i * partBytes + bytes)] as const);
  return {
    files: new Map([...files, [HEAD_NAME, head]]),
    documents: about.documents,
    lists: entries.length,
    headBytes: head.length,
    dataBytes: data.length,
    ...{ nprobe, candidates, recall },
    fields: Object.keys(about.fields),
  };
}
