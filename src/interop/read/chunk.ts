import { MAX_ID } from "../../input/vectors.js";
import { unreadable } from "../imported.js";

/** Some rows of a file of vectors, as the core takes them. */
export interface Chunk {
  readonly rows: number;
  readonly dimensions: number;
  /** rows x dimensions values, or rows x dimensions / 8 bytes of packed bits. */
  readonly vectors: Float32Array | Uint8Array;
  /** One id per row, when the file carries ids. */
  readonly ids?: Uint32Array;
  /** Rows of the whole file, where its format or length tells. */
  readonly total?: number;
}

/** Wide enough for any embedding; a larger value in a binary header means that the file is something else. */
export const MAX_DIMENSIONS = 1 << 20;

const CHUNK_VALUES = 1 << 18;
const CHUNK_ROWS = 1024;

/** Rows per chunk: about a megabyte of float32, so that progress moves and memory stays small. */
export function rowsPerChunk(dimensions: number): number {
  return Math.max(1, Math.min(CHUNK_ROWS, Math.floor(CHUNK_VALUES / dimensions)));
}

/** Gathers the rows of a text file into chunks, holding them to one length and to having ids all or none. */
export class RowGatherer {
  #dimensions = 0;
  #hasIds = false;
  #values = new Float32Array(0);
  #ids = new Uint32Array(0);
  #rows = 0;

  /** Adds a row; returns a chunk when one is full. `where` names the row in errors: "data.csv: line 17". */
  push(where: string, values: readonly number[], id: number | undefined): Chunk | undefined {
    if (this.#dimensions === 0) this.#begin(where, values.length, id !== undefined);
    const dimensions = this.#dimensions;
    if (values.length !== dimensions) {
      throw unreadable(`${where} has ${values.length} values, the first row has ${dimensions}`);
    }
    if ((id !== undefined) !== this.#hasIds) {
      throw unreadable(`${where} has ${this.#hasIds ? "no id, the first row has one" : "an id, the first row has none"}`);
    }
    const start = this.#rows * dimensions;
    for (let i = 0; i < dimensions; i++) {
      const value = Math.fround(values[i] as number);
      if (!Number.isFinite(value)) throw unreadable(notFinite(where, i, values[i] as number));
      this.#values[start + i] = value;
    }
    if (id !== undefined) this.#ids[this.#rows] = id;
    this.#rows++;
    return start + dimensions === this.#values.length ? this.flush() : undefined;
  }

  /** The rows gathered since the last chunk, if any. */
  flush(): Chunk | undefined {
    const rows = this.#rows;
    if (rows === 0) return undefined;
    this.#rows = 0;
    const vectors = this.#values.slice(0, rows * this.#dimensions);
    const chunk = { rows, dimensions: this.#dimensions, vectors };
    return this.#hasIds ? { ...chunk, ids: this.#ids.slice(0, rows) } : chunk;
  }

  #begin(where: string, dimensions: number, hasIds: boolean): void {
    if (dimensions === 0) throw unreadable(`${where} has no values`);
    const rows = rowsPerChunk(dimensions);
    this.#dimensions = dimensions;
    this.#hasIds = hasIds;
    this.#values = new Float32Array(rows * dimensions);
    this.#ids = new Uint32Array(hasIds ? rows : 0);
  }
}

/** The complaint about a value that is NaN, infinite, or too large for float32. */
export function notFinite(where: string, column: number, value: number): string {
  const why = Number.isFinite(value) ? "too large for float32" : "not a finite number";
  return `${where}, value ${column + 1} is ${value}: ${why}`;
}

/** An id as a file spells it, as 7 or, where a program took it for a float, as 7.0; undefined when the core cannot hold it. */
export function parseId(spelling: unknown): number | undefined {
  const text = typeof spelling === "number" ? String(spelling) : spelling;
  if (typeof text !== "string" || !/^\d{1,10}(\.0+)?$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

/** The complaint about an id that `parseId` refuses. */
export function badId(where: string, spelling: unknown): string {
  return (
    `${where}: the id ${JSON.stringify(spelling)} is not a whole number from 0 to ${MAX_ID}, ` +
    "the only ids an index holds: number the rows, and keep your own names beside them"
  );
}
