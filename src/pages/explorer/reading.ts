// Files of vectors that were dropped on the page, read by what the command line reads them with.
import { parse } from "csv-parse/browser/esm/sync";
import { HEAD_BYTES, PARSING, type Parsed, rowsFrom, separatorOf, valuesOf } from "../../cli/read/csv-values.js";
import { concatenated } from "../../input/concatenated.js";
import { ByteReader } from "../../interop/read/bytes.js";
import type { Chunk } from "../../interop/read/chunk.js";
import { F32, U8 } from "../../interop/read/elements.js";
import { readNpy } from "../../interop/read/npy.js";
import { readVecs } from "../../interop/read/vecs.js";

const EXTENSIONS = [".npy", ".fvecs", ".bvecs", ".csv", ".tsv"];

/** As many values at most: 512 MiB of floats. */
export const MOST_VALUES = 2 ** 27;

async function* readText(reader: ByteReader): AsyncGenerator<Chunk> {
  const { delimiter, from } = separatorOf(await reader.peek(HEAD_BYTES));
  const pieces: Uint8Array[] = [new Uint8Array()];
  for await (const piece of reader.pieces()) pieces.push(piece);
  const text = new TextDecoder().decode(concatenated(pieces));
  // Its types do not know what `info` changes.
  const parsed = parse(text, { ...PARSING, delimiter, from_line: from }) as unknown as Parsed[];
  yield* valuesOf(reader.path, rowsFrom(reader.path, parsed), delimiter, {});
}

const READERS: Readonly<Record<string, (reader: ByteReader) => AsyncGenerator<Chunk>>> = {
  ".npy": (reader) => readNpy(reader, false),
  ".fvecs": (reader) => readVecs(reader, F32, false),
  ".bvecs": (reader) => readVecs(reader, U8, false),
  ".csv": readText,
  ".tsv": readText,
};

/** The first `most` rows, and how many there are beyond them where the file tells. */
export async function readFile(file: File, most: number): Promise<{ values: Float32Array; dimensions: number; left: number }> {
  const read = READERS[/\.\w+$/.exec(file.name.toLowerCase().replace(/\.gz$/, ""))?.[0] ?? ""];
  if (!read) throw new Error(`${file.name} is none of ${EXTENSIONS.join(" ")}, each also .gz`);
  const chunks: Chunk[] = [];
  let [rows, dimensions, total] = [0, 0, 0];
  for await (const chunk of read(await ByteReader.open(file))) {
    chunks.push(chunk);
    rows += chunk.rows;
    dimensions = chunk.dimensions;
    total = Math.max(chunk.total ?? 0, rows);
    if (rows >= most || rows * dimensions >= MOST_VALUES) break;
  }
  if (rows === 0) throw new Error(`${file.name} holds no vectors`);
  const taken = Math.min(rows, most, Math.floor(MOST_VALUES / dimensions));
  const values = new Float32Array(taken * dimensions);
  let at = 0;
  for (const { vectors } of chunks) {
    values.set(vectors.subarray(0, values.length - at), at);
    at += Math.min(vectors.length, values.length - at);
  }
  return { values, dimensions, left: total - taken };
}
