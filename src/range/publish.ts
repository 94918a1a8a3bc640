// An index or a collection becomes two files that any web server can serve: format.ts has their layout.
import type { VectorIndex } from "../base/vector-index.js";
import type { Data } from "../collection/reading.js";
import { keysOf } from "../collection/where/path.js";
import { xxh32 } from "../collection/xxh32.js";
import { copyAll, type Vectors } from "../input/vectors.js";
import { badOption, show } from "../words/errors.js";
import { checkSignal, heed, integer, known, oneOf, real } from "../words/options.js";
import { fieldsText } from "./fields.js";
import {
  type About,
  HEAD_NAME,
  type Head,
  headOf,
  type ListEntry,
  PAYLOAD_BYTES,
  Places,
  ROW_AT,
  ROW_KINDS,
  type RowKind,
  readHead,
  rowBytes,
  SCALE_BYTES,
  viewOf,
  writeScaled,
} from "./format.js";
import { type Learned, learnLists, listCount } from "./learning.js";
import { Lists } from "./lists.js";
import { measureEffort } from "./measuring.js";
import { type Documents, readSource, type Source } from "./source.js";
import { zonesText } from "./zones.js";

/** An index; or what a Collection, a WorkerCollection and a SharedCollection have. */
export type PublishSource = VectorIndex | Documents;

export interface PublishOptions {
  /** About how large a list is, its codes and records together, in KiB: 4 to 65536. Larger ones are fewer, and the head smaller. Default 64. */
  pageKib?: number;
  /** Bits of a value in the codes, 1 to 8. Default 1 from 256 dimensions on, else 2. */
  bits?: number;
  /** What rows decide by: "sq8" (default), a byte a value, or "f32", the vectors as they are. */
  rows?: RowKind;
  /** Of a collection: the members of its data that `where` can ask for. Default: those declared as fields; where none are, those that are short. */
  fields?: readonly string[];
  /** Of the ten nearest, what searches are to find that say nothing: 0.5 to 1. Default 0.97. */
  recall?: number;
  /** Queries as they will come, some hundred, to measure that with. Default: 200 of the vectors themselves, which is too few lists where queries lie elsewhere. */
  queries?: Vectors;
  /** Of what is drawn at random. Default 42. */
  seed?: number;
  signal?: AbortSignal;
  onProgress?: (progress: { step: "reading" | "learning" | "writing" | "measuring"; done: number; total: number }) => void;
}

export interface Published {
  /** The files by their names, the head last: it is to be written after the other. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
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

const NAMES = ["pageKib", "bits", "rows", "fields", "recall", "queries", "seed", "signal", "onProgress"];
/** Of centroids and table, in a head. */
const MOST_HEAD_BYTES = 500_000;
const TABLE_ENTRY_BYTES = 20;
const FEWER_BITS_FROM = 256;
const MOST_DATA_BYTES = 2 ** 32 - 1;

interface Checked {
  readonly pageBytes: number;
  readonly bits: number | undefined;
  readonly rows: RowKind;
  readonly fields: readonly string[] | undefined;
  readonly recall: number;
  readonly queries: Vectors | undefined;
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
  return {
    pageBytes: 1024 * integer("pageKib", options.pageKib ?? 64, 4, 65536),
    bits: bits === undefined ? undefined : integer("bits", bits, 1, 8),
    rows: oneOf("rows", options.rows ?? "sq8", ROW_KINDS),
    fields,
    recall: real("recall", options.recall ?? 0.97, 0.5, 1),
    queries: options.queries === undefined ? undefined : copyAll(options.queries),
    seed: integer("seed", options.seed ?? 42, 0, Number.MAX_SAFE_INTEGER),
  };
}

/**
 * Makes the files of a published index. Takes memory for all vectors as f32 and for the files. Errors: BAD_OPTION, also where there is nothing to
 * publish, or the metric is l1 or hamming; those of the source; the signal's reason.
 */
export async function publish(source: PublishSource, options: PublishOptions = {}): Promise<Published> {
  const checked = checkOptions(options);
  const { signal, onProgress } = options;
  const tell = (step: "reading" | "learning" | "writing" | "measuring") => (done: number, total: number) =>
    onProgress?.({ step, done, total });
  const read = await readSource(source, checked.fields, tell("reading"), signal);
  const { rows } = read;
  try {
    const n = rows.size;
    if (n === 0) throw badOption("there is nothing to publish: the source is empty");
    const { dimensions } = rows;
    const bits = checked.bits ?? (dimensions < FEWER_BITS_FROM ? 2 : 1);
    const vectorBytes = (dimensions * bits) / 8 + 8 + rowBytes(checked.rows, dimensions);
    const lists = listCount(n, checked.pageBytes, vectorBytes, MOST_HEAD_BYTES, SCALE_BYTES + dimensions + TABLE_ENTRY_BYTES);
    const learned = await learnLists(rows, { lists, bits, seed: checked.seed }, tell("learning"), signal);
    try {
      return await written(read, learned, checked, signal, tell);
    } finally {
      learned.close();
    }
  } finally {
    rows.close();
  }
}

type Teller = (step: "writing" | "measuring") => (done: number, total: number) => void;

async function written(
  source: Source,
  learned: Learned,
  { rows: kind, recall, queries }: Checked,
  signal: AbortSignal | undefined,
  tell: Teller,
): Promise<Published> {
  const { rows, datas } = source;
  const names = Object.keys(source.fields);
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  const order: number[] = [];
  const entries: ListEntry[] = [];
  for (const [list, slots] of learned.members.entries()) {
    pieces.push(learned.codes(list));
    order.push(...slots);
    entries.push({
      documents: slots.length,
      codesChecksum: xxh32(pieces[list]),
      recordBytes: 0,
      fieldsBytes: 0,
      fieldsChecksum: 0,
    });
  }
  const payloads = datas && order.map((number) => encoder.encode(JSON.stringify(datas[number])));
  let place = 0;
  let payloadAt = 0;
  for (const [list, slots] of learned.members.entries()) {
    heed(signal);
    tell("writing")(list, learned.members.length);
    const ids = slots.map((number) => encoder.encode(JSON.stringify(source.ids[number])));
    const idFrom = ROW_AT + rowBytes(kind, rows.dimensions) + (payloads ? PAYLOAD_BYTES : 0);
    const recordBytes = idFrom + Math.max(0, ...ids.map(({ length }) => length));
    const block = new Uint8Array(recordBytes * slots.length);
    const view = viewOf(block);
    for (const [i, number] of slots.entries()) {
      const at = i * recordBytes;
      const vector = rows.get(number) as Float32Array;
      if (kind === "sq8") writeScaled(vector, block, at + ROW_AT);
      else for (const [j, value] of vector.entries()) view.setFloat32(at + ROW_AT + 4 * j, value, true);
      if (payloads) {
        const payload = payloads[place];
        const parts = [Math.floor(payloadAt / 2 ** 32), payloadAt >>> 0, payload.length, xxh32(payload)];
        for (const [j, value] of parts.entries()) view.setUint32(at + idFrom - PAYLOAD_BYTES + 4 * j, value, true);
        payloadAt += payload.length;
      }
      block.set(ids[i], at + idFrom);
      view.setUint32(at, xxh32(block.subarray(at + ROW_AT, at + recordBytes), place++), true);
    }
    pieces.push(block);
    entries[list] = { ...entries[list], recordBytes };
  }
  const inLists = (datas ? learned.members.map((slots) => slots.map((number) => datas[number])) : []) as Data[][];
  for (const [list, own] of names.length ? inLists.entries() : []) {
    const text = encoder.encode(fieldsText(own, names));
    pieces.push(text);
    entries[list] = { ...entries[list], fieldsBytes: text.length, fieldsChecksum: xxh32(text) };
  }
  const zones = encoder.encode(names.length ? zonesText(inLists, names) : "{}");
  pieces.push(zones, ...(payloads ?? []));
  const data = joinedBytes(pieces);
  const about: About = {
    data: `${hex(xxh32(data))}${hex(xxh32(data, 1))}.bin`,
    dataBytes: data.length,
    documents: order.length,
    rows: kind,
    codeBytes: learned.codeBytes,
    payloads: payloads !== undefined,
    fields: source.fields,
    zones: { bytes: zones.length, checksum: xxh32(zones) },
    ...{ nprobe: 1, candidates: 10, recall: 0, judges: 0 },
  };
  const headWith = (more: Partial<About>): Uint8Array<ArrayBuffer> =>
    headOf({ ...about, ...more }, learned.state, learned.centroids, entries);
  tell("measuring")(0, 1);
  const effort = await effortOf(readHead(headWith({})), data, source, Uint32Array.from(order), recall, queries);
  const head = headWith(effort);
  return {
    files: new Map([
      [about.data, data],
      [HEAD_NAME, head],
    ]),
    documents: order.length,
    lists: entries.length,
    headBytes: head.length,
    dataBytes: data.length,
    ...{ nprobe: effort.nprobe, candidates: effort.candidates, recall: effort.recall },
    fields: names,
  };
}

async function effortOf(
  head: Head,
  data: Uint8Array,
  { rows }: Source,
  numbers: Uint32Array,
  recall: number,
  queries: Vectors | undefined,
) {
  const places = new Places(head);
  const lists = await Lists.open(head, places.first);
  try {
    const blocks = head.lists.map((_, list) => {
      const { from, to } = places.codes(list);
      return { list, bytes: data.subarray(from, to) };
    });
    lists.arrive(blocks);
    return measureEffort(head, places, lists, rows, numbers, recall, queries);
  } finally {
    lists.close();
  }
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");

function joinedBytes(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (bytes > MOST_DATA_BYTES)
    throw badOption(
      `the data would have ${bytes} bytes, more than the ${MOST_DATA_BYTES} that can be written at once: publish it in parts`,
    );
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
