// The parts of the data file, and the table that finds them: format.ts has their layout.

import type { Data } from "../collection/reading.js";
import { xxh32 } from "../collection/xxh32.js";
import { concatenated } from "../input/concatenated.js";
import type { Bytes } from "../words/arrays.js";
import { badOption } from "../words/errors.js";
import { fieldsText } from "./fields.js";
import {
  type About,
  idAt,
  type ListEntry,
  PAYLOAD_BYTES,
  ROW_AT,
  type RowKind,
  viewOf,
  writePayload,
  writeScaled,
} from "./format.js";
import type { Learned } from "./learning.js";
import type { Source } from "./source.js";
import { zonesText } from "./zones.js";

const MOST_DATA_BYTES = 2 ** 32 - 1;

export interface Written {
  readonly data: Bytes;
  readonly entries: readonly ListEntry[];
  /** Of each place the number of its document in the source. */
  readonly numbers: Uint32Array;
  readonly about: Omit<About, "partBytes" | "nprobe" | "candidates" | "recall" | "judges">;
}

const encoder = new TextEncoder();
const bytesOf = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));
const hex = (value: number): string => value.toString(16).padStart(8, "0");

/** Yields how many lists have been written. */
export function* writeData(source: Source, learned: Learned, rows: RowKind): Generator<number, Written, void> {
  const { members } = learned;
  const names = Object.keys(source.fields);
  const { datas } = source;
  const numbers = Uint32Array.from(members.flat());
  const payloads = datas && Array.from(numbers, (number) => bytesOf(datas[number]));
  const codes = members.map((_, list) => learned.codes(list));
  const records = yield* recordsOf(source, members, payloads, rows);
  const inLists = (datas ? members.map((own) => own.map((number) => datas[number])) : []) as Data[][];
  const fields = names.length ? inLists.map((own) => encoder.encode(fieldsText(own, names))) : [];
  const zones = encoder.encode(names.length ? zonesText(inLists, names) : "{}");
  const data = dataOf([...codes, ...records, ...fields, zones].concat(payloads ?? []));
  const entries = members.map((own, list) => ({
    documents: own.length,
    codesChecksum: xxh32(codes[list]),
    recordBytes: own.length ? records[list].length / own.length : 0,
    fieldsBytes: fields[list]?.length ?? 0,
    fieldsChecksum: fields[list] ? xxh32(fields[list]) : 0,
  }));
  const about = {
    data: hex(xxh32(data)) + hex(xxh32(data, 1)),
    dataBytes: data.length,
    documents: numbers.length,
    rows,
    codeBytes: learned.codeBytes,
    payloads: payloads !== undefined,
    fields: source.fields,
    zones: { bytes: zones.length, checksum: xxh32(zones) },
  };
  return { data, entries, numbers, about };
}

/** Per list its records. `payloads`: of each place the document's data. */
function* recordsOf(
  { rows, ids }: Source,
  members: readonly (readonly number[])[],
  payloads: readonly Uint8Array[] | undefined,
  kind: RowKind,
): Generator<number, Uint8Array[], void> {
  const idFrom = idAt({ rows: kind, payloads: payloads !== undefined }, rows.dimensions);
  let place = 0;
  let payloadAt = 0;
  const records: Uint8Array[] = [];
  for (const own of members) {
    const names = own.map((number) => bytesOf(ids[number]));
    const recordBytes = names.reduce((most, { length }) => Math.max(most, idFrom + length), 0);
    const block = new Uint8Array(recordBytes * own.length);
    own.forEach((number, i) => {
      const record = block.subarray(i * recordBytes, (i + 1) * recordBytes);
      writeRow(rows.get(number) as Float32Array, kind, record);
      if (payloads) {
        const { length } = payloads[place];
        writePayload({ from: payloadAt, bytes: length, checksum: xxh32(payloads[place]) }, record, idFrom - PAYLOAD_BYTES);
        payloadAt += length;
      }
      record.set(names[i], idFrom);
      viewOf(record).setUint32(0, xxh32(record.subarray(ROW_AT), place++), true);
    });
    yield records.push(block);
  }
  return records;
}

function writeRow(vector: Float32Array, kind: RowKind, record: Uint8Array): void {
  if (kind === "sq8") writeScaled(vector, record, ROW_AT);
  else vector.forEach((value, i) => void viewOf(record).setFloat32(ROW_AT + 4 * i, value, true));
}

function dataOf(pieces: readonly Uint8Array[]): Bytes {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (bytes > MOST_DATA_BYTES)
    throw badOption(`the data would have ${bytes} bytes, more than ${MOST_DATA_BYTES}: publish several`);
  return concatenated(pieces);
}
