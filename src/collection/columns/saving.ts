// Columns of a moment as bytes, in slices, and back: bytes.ts has how they lie there.
import type { Bytes } from "../../words/arrays.js";
import type { Fields } from "../where/fields.js";
import { Writer } from "../writer.js";
import { damaged, pack, type Unpacked, unpack } from "./bytes.js";
import { Column } from "./column.js";
import { Columns, type ColumnsCopy } from "./columns.js";
import type { DictionaryCopy } from "./dictionary.js";
import type { Codes, Numbers } from "./lanes.js";
import { packed } from "./lists.js";

/** Bytes of an element and elements, of each part. */
type Extent = readonly [width: number, length: number];

/** What the head says of a column. */
interface ColumnHead {
  readonly path: string;
  readonly of: "values" | "wholes";
  /** Bytes of the dictionary, and its limit. */
  readonly values: readonly [bytes: number, limit: number];
  readonly codes: Extent;
  readonly numbers: Extent;
  readonly pool: Extent;
}

const CODES = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
const NUMBERS = { 2: Int16Array, 4: Int32Array, 8: Float64Array };

/** Values of a dictionary that are written between two yields. */
const SLICE = 1 << 14;

const extentOf = ({ BYTES_PER_ELEMENT, length }: Codes | Numbers): Extent => [BYTES_PER_ELEMENT, length];

/** What `columnsFrom` takes. */
export function* columnsBytes({ alive, columns }: ColumnsCopy): Generator<undefined, Bytes, void> {
  const heads: ColumnHead[] = [];
  const parts: (Codes | Numbers)[] = [];
  for (const column of columns) {
    const { path, of, codes, numbers, dictionary } = column;
    const pool = (yield* packed(column.lists)).subarray(1);
    const values = yield* bytesOf(dictionary);
    parts.push(codes, numbers, pool, values);
    heads.push({
      ...{ path, of, values: [values.length, dictionary.slots] },
      ...{ codes: extentOf(codes), numbers: extentOf(numbers), pool: extentOf(pool) },
    });
  }
  return yield* pack({ words: alive.length, columns: heads }, [alive, ...parts]);
}

/** All of a dictionary, or of ids, a slice at a time. */
export function* bytesOf(table: DictionaryCopy): Generator<undefined, Uint8Array, void> {
  const to = new Writer(table.slots);
  for (let from = 0; from < table.slots; from += SLICE) {
    to.raw(table.toBytes(from, Math.min(from + SLICE, table.slots)));
    yield;
  }
  return to.done();
}

function codesOf(saved: Unpacked, [width, length]: Extent): Codes {
  return saved.next<Codes>(CODES[width as 1], length);
}

function numbersOf(saved: Unpacked, [width, length]: Extent): Numbers {
  return saved.next<Numbers>(NUMBERS[width as 2], length);
}

/**
 * Columns as they were saved. Fields may be declared otherwise than they were: a column that is not there is built when a condition
 * asks for it. Errors: BAD_FILE, where a byte is missing or is another; BAD_OPTION, where fields are declared wrongly.
 */
export function columnsFrom(bytes: Uint8Array, fields?: Fields): Columns {
  const saved = unpack(bytes);
  const { words, columns } = saved.head as { readonly words: number; readonly columns: readonly ColumnHead[] };
  const alive = saved.next(Uint32Array, words);
  const restored = columns.map((head) => {
    const column = new Column(head.path, head.of);
    const [length, limit] = head.values;
    const codes = codesOf(saved, head.codes);
    const numbers = numbersOf(saved, head.numbers);
    const pool = codesOf(saved, head.pool);
    const values = saved.next(Uint8Array, length);
    if (!column.restore({ codes, numbers, pool, values, limit }, alive))
      throw damaged(`the column of ${head.path} does not fit the documents`);
    return column;
  });
  saved.end();
  return new Columns(fields, { alive, columns: restored });
}
