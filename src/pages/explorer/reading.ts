// Files of vectors that were dropped on the page, read by what the command line reads them with.
import { parse } from "csv-parse/browser/esm/sync";
import type { Chunk } from "../../cli/read/chunk.js";
import { HEAD_BYTES, PARSING, type Parsed, rowsFrom, separatorOf, valuesOf } from "../../cli/read/csv-values.js";
import { F32, U8 } from "../../cli/read/elements.js";
import { readNpy } from "../../cli/read/npy.js";
import type { ByteSource } from "../../cli/read/source.js";
import { readVecs } from "../../cli/read/vecs.js";

const EXTENSIONS = [".npy", ".fvecs", ".bvecs", ".csv", ".tsv"];

/** As many values at most: 512 MiB of floats. */
export const MOST_VALUES = 2 ** 27;

class BlobSource implements ByteSource {
  readonly path: string;
  readonly #blob: Blob;
  #at = 0;

  constructor(path: string, blob: Blob) {
    this.path = path;
    this.#blob = blob;
  }

  get bytes(): number {
    return this.#blob.size;
  }

  async peek(count: number): Promise<Uint8Array> {
    return new Uint8Array(await this.#blob.slice(this.#at, this.#at + count).arrayBuffer());
  }

  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    this.#at += bytes.length;
    return bytes;
  }
}

async function* readText(source: BlobSource): AsyncGenerator<Chunk> {
  const { delimiter, from } = separatorOf(await source.peek(HEAD_BYTES));
  const text = new TextDecoder().decode(await source.take(source.bytes));
  // Its types do not know what `info` changes.
  const parsed = parse(text, { ...PARSING, delimiter, from_line: from }) as unknown as Parsed[];
  yield* valuesOf(source.path, rowsFrom(source.path, parsed), delimiter, {});
}

const READERS: Readonly<Record<string, (source: BlobSource) => AsyncGenerator<Chunk>>> = {
  ".npy": (source) => readNpy(source, false),
  ".fvecs": (source) => readVecs(source, F32, false),
  ".bvecs": (source) => readVecs(source, U8, false),
  ".csv": readText,
  ".tsv": readText,
};

async function unzipped(file: File): Promise<{ name: string; blob: Blob }> {
  if (!/\.gz$/i.test(file.name)) return { name: file.name, blob: file };
  const blob = await new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  return { name: file.name.slice(0, -3), blob };
}

/** The first `most` rows, and how many there are beyond them where the file tells. */
export async function readFile(file: File, most: number): Promise<{ values: Float32Array; dimensions: number; left: number }> {
  const { name, blob } = await unzipped(file);
  const read = READERS[/\.\w+$/.exec(name.toLowerCase())?.[0] ?? ""];
  if (!read) throw new Error(`${file.name} is none of ${EXTENSIONS.join(" ")}, each also .gz`);
  const chunks: Chunk[] = [];
  let [rows, dimensions, total] = [0, 0, 0];
  for await (const chunk of read(new BlobSource(file.name, blob))) {
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
