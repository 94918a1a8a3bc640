// Files of vectors as others write them: forty rows, with ids where the format has them.
import {
  Field,
  FixedSizeList,
  Float32,
  Float64,
  type LargeList,
  List,
  makeBuilder,
  Table,
  tableToIPC,
  Uint32,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import type { SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { Writer } from "./bytes.js";

export const D = 6;
export const ROWS = Array.from({ length: 40 }, (_, i) => Float32Array.from({ length: D }, (_, j) => (i * D + j) / 8 - 3));
export const PLAIN = ROWS.map((row) => Array.from(row));
export const WHOLE = PLAIN.map((row) => row.map((value) => 8 * (value + 3)));
export const IDS = ROWS.map((_, i) => 1000 + 3 * i);

export function npy(
  rows: readonly ArrayLike<number>[],
  descr = "<f4",
  shape = `(${rows.length}, ${rows[0].length})`,
): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117).concat("\n");
  const w = new Writer().u8(0x93).text("NUMPY").u8(1).u8(0).u16(header.length).text(header);
  for (const row of rows) for (const value of Array.from(row)) descr === "|u1" ? w.u8(value) : w.f32(value);
  return w.done();
}

export function vecs(kind: "f" | "b" | "i"): Uint8Array {
  const w = new Writer();
  for (const row of ROWS) {
    w.u32(D);
    for (const value of row) kind === "f" ? w.f32(value) : kind === "b" ? w.u8(8 * (value + 3)) : w.u32(8 * (value + 3));
  }
  return w.done();
}

/** A required INT64, and an optional list of FLOAT in the three levels that Parquet has for it. */
export const SCHEMA = [
  { name: "root", num_children: 2 },
  { name: "id", type: "INT64", repetition_type: "REQUIRED" },
  { name: "embedding", repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", type: "FLOAT", repetition_type: "OPTIONAL" },
] satisfies SchemaElement[];

export const parquet = (): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      schema: SCHEMA,
      columnData: [
        { name: "id", data: IDS.map(BigInt) },
        { name: "embedding", data: ROWS.map((row) => Array.from(row)) },
      ],
      rowGroupSize: 20,
    }),
  );

export function lists(fixed: boolean): Vector {
  const type = fixed ? new FixedSizeList(D, new Field("item", new Float32())) : new List(new Field("item", new Float64()));
  const builder = makeBuilder({ type: type as FixedSizeList<Float32> });
  for (const row of PLAIN) builder.append(row as never);
  return builder.finish().toVector();
}

export const arrow = (form: "file" | "stream", fixed = true): Uint8Array =>
  tableToIPC(new Table({ id: vectorFromArray(IDS, new Uint32()), vector: lists(fixed) }) as never, form);

/** Rows of any length, a batch each list of them; null is a row that is not there. */
export const arrowBatches = (
  batches: readonly (readonly (readonly number[] | null)[])[],
  type: typeof List | typeof LargeList,
): Uint8Array => {
  const column = (rows: readonly (readonly number[] | null)[]): Vector => {
    const builder = makeBuilder({ type: new type(new Field("item", new Float32(), true)) as List, nullValues: [null] });
    for (const row of rows) builder.append(row as never);
    return builder.finish().toVector();
  };
  return tableToIPC(new Table(batches.flatMap((rows) => new Table({ vector: column(rows) }).batches)) as never, "stream");
};

export async function hdf5(path: string): Promise<string> {
  const h5 = (await import("h5wasm/node")).default;
  await h5.ready;
  const file = new h5.File(path, "w");
  const data = Float32Array.from(ROWS.flatMap((row) => [...row]));
  file.create_dataset({ name: "train", data, shape: [ROWS.length, D], dtype: "<f4", chunks: [8, D], compression: 4 } as never);
  file.create_dataset({ name: "test", data: data.slice(0, 2 * D), shape: [2, D], dtype: "<f4" } as never);
  file.create_dataset({ name: "neighbors", data: Int32Array.of(1, 2, 3, 4), shape: [2, 2], dtype: "<i4" } as never);
  file.close();
  return path;
}
