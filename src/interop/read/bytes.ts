import { concatenated } from "../../input/concatenated.js";
import { needed } from "../builtin.js";
import { type ByteSource, bodyOf, type FileLike, nameOf, openBytes, pathOf, piecesOf, responseOf } from "../bytes-of.js";
import { unreadable } from "../imported.js";
import { DAMAGED, gunzip } from "./gunzip.js";

const READ_BYTES = 256 * 1024;
const MAX_LINE_CHARS = 64 * 1024 * 1024;
const GZIP = [0x1f, 0x8b, 8];
const UTF16 = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

const beginsWith = (bytes: Uint8Array, start: readonly number[]): boolean => start.every((byte, i) => bytes[i] === byte);

/** Bytes as text, one character each. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** A file or pipe read front to back, unzipped on the way where it is gzip; never held whole in memory. */
export class ByteReader {
  /** As errors name it. */
  readonly path: string;
  /** Bytes of the file as it lies on disk; of a pipe nobody knows. */
  readonly fileBytes: number | undefined;
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** What is unzipped here. */
  readonly #zipped: ByteReader | undefined;
  #chunkBytes = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  private constructor(path: string, fileBytes: number | undefined, chunks: AsyncIterable<Uint8Array>, zipped?: ByteReader) {
    this.path = path;
    this.fileBytes = fileBytes;
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#zipped = zipped;
  }

  /** `name`: as errors are to say it; what ends in .gz is unzipped whatever it begins with. */
  static async of(name: string, fileBytes: number | undefined, chunks: AsyncIterable<Uint8Array>): Promise<ByteReader> {
    const plain = new ByteReader(name, fileBytes, chunks);
    const isZipped = /\.gz$/i.test(name) || beginsWith(await plain.peek(GZIP.length), GZIP);
    return isZipped ? new ByteReader(name, fileBytes, gunzip(plain.pieces()), plain) : plain;
  }

  static async open(file: FileLike): Promise<ByteReader> {
    const response = await responseOf(file);
    if (response) return ByteReader.of(nameOf(response), undefined, bodyOf(response));
    if (typeof file === "string" || file instanceof URL) return openPath(pathOf(file));
    const source = await openBytes(file);
    return ByteReader.of(source.name ?? "the file", source.size, wholeOf(source));
  }

  /** Bytes to be taken in all, where that is known. */
  get bytes(): number | undefined {
    return this.#zipped === undefined ? this.fileBytes : undefined;
  }

  /** Bytes of the file read so far: a measure of progress. */
  get fileBytesRead(): number {
    return this.#zipped?.fileBytesRead ?? this.#chunkBytes;
  }

  /** The next `count` bytes, or fewer where the file ends. */
  async take(count: number): Promise<Uint8Array> {
    const got = await this.peek(count);
    const rest = this.#pendingBytes - got.length;
    const whole = this.#pending[0];
    this.#pending = rest > 0 && whole !== undefined ? [whole.subarray(got.length)] : [];
    this.#pendingBytes = rest;
    return got;
  }

  /** As `take`, but the bytes stay to be read again. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#pendingBytes < count) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      this.#pending.push(chunk);
      this.#pendingBytes += chunk.length;
    }
    const whole = this.#pending.length === 1 ? this.#pending[0] : concatenated([new Uint8Array(), ...this.#pending]);
    this.#pending = [whole];
    return whole.subarray(0, count);
  }

  /** All that is left, piece by piece. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pendingBytes > 0 ? await this.take(this.#pendingBytes) : await this.#next();
      if (piece === undefined) return;
      yield piece;
    }
  }

  /** Refuses text that is not in UTF-8, as far as its first bytes tell. */
  async expectUtf8(): Promise<void> {
    const mark = await this.peek(2);
    if (UTF16.some((other) => beginsWith(mark, other))) throw unreadable(`${this.path}: this is UTF-16 text: save it as UTF-8`);
  }

  /** All that is left as lines of UTF-8 text, without their line ends. */
  async *lines(): AsyncGenerator<string> {
    await this.expectUtf8();
    const decoder = new TextDecoder();
    let rest = "";
    for await (const piece of this.pieces()) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split(/\r?\n/);
      rest = lines.pop() as string;
      if (rest.length > MAX_LINE_CHARS) {
        throw unreadable(`${this.path}: a line is longer than ${MAX_LINE_CHARS} characters: is this a text file?`);
      }
      yield* lines;
    }
    rest += decoder.decode();
    if (rest !== "") yield rest;
  }

  /** Reads no more; whoever has the file open closes it. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
    await this.#zipped?.close();
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      this.#chunkBytes += value.length;
      return value;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code?.startsWith(DAMAGED)) throw unreadable(`${this.path}: damaged or truncated gzip data (${message})`);
      throw error;
    }
  }
}

/** A file on disk, or a pipe of some name. */
async function openPath(path: string): Promise<ByteReader> {
  const info = await needed("node:fs/promises").stat(path);
  if (info.isDirectory()) throw unreadable(`${path}: is a folder, not a file`);
  const stream = needed("node:fs").createReadStream(path, { highWaterMark: READ_BYTES });
  return ByteReader.of(path, info.isFile() ? info.size : undefined, stream);
}

async function* wholeOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  try {
    yield* piecesOf(source, 0, source.size);
  } finally {
    await source.close();
  }
}
