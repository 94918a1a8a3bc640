import { createReadStream, fstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import { InputError } from "../errors.js";
import { gunzip } from "./gunzip.js";

const READ_BYTES = 256 * 1024;
const MAX_LINE_CHARS = 64 * 1024 * 1024;
const GZIP = Buffer.from([0x1f, 0x8b, 8]);
const UTF16 = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/** What stands for standard input. As a path the second fails where another program made it a socket. */
const STDIN = ["-", "/dev/stdin"];

/** A file or pipe read front to back, unzipped on the way where it is gzip; never held whole in memory. */
export class ByteReader {
  /** As errors name it. */
  readonly path: string;
  /** Bytes of the file as it lies on disk; of a pipe nobody knows. */
  readonly fileBytes: number | undefined;
  readonly #chunks: AsyncIterator<Buffer>;
  /** What is unzipped here. */
  readonly #zipped: ByteReader | undefined;
  #chunkBytes = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  private constructor(path: string, fileBytes: number | undefined, chunks: AsyncIterable<Buffer>, zipped?: ByteReader) {
    this.path = path;
    this.fileBytes = fileBytes;
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#zipped = zipped;
  }

  static async open(path: string): Promise<ByteReader> {
    const isStdin = STDIN.includes(path);
    const info = isStdin ? fstatSync(0) : await stat(path);
    if (info.isDirectory()) throw new InputError(`${path}: is a folder, not a file`);
    const stream = isStdin ? process.stdin : createReadStream(path, { highWaterMark: READ_BYTES });
    const name = isStdin ? "standard input" : path;
    const plain = new ByteReader(name, info.isFile() ? info.size : undefined, stream);
    const isZipped = /\.gz$/i.test(path) || (await plain.peek(GZIP.length)).equals(GZIP);
    return isZipped ? new ByteReader(name, plain.fileBytes, gunzip(plain.pieces()), plain) : plain;
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
  async take(count: number): Promise<Buffer> {
    const got = await this.peek(count);
    const rest = this.#pendingBytes - got.length;
    const whole = this.#pending[0];
    this.#pending = rest > 0 && whole !== undefined ? [whole.subarray(got.length)] : [];
    this.#pendingBytes = rest;
    return got;
  }

  /** As `take`, but the bytes stay to be read again. */
  async peek(count: number): Promise<Buffer> {
    while (this.#pendingBytes < count) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      this.#pending.push(chunk);
      this.#pendingBytes += chunk.length;
    }
    const whole = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending);
    this.#pending = [whole];
    return whole.subarray(0, count);
  }

  /** All that is left, piece by piece. */
  async *pieces(): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = this.#pendingBytes > 0 ? await this.take(this.#pendingBytes) : await this.#next();
      if (piece === undefined) return;
      yield piece;
    }
  }

  /** Refuses text that is not in UTF-8, as far as its first bytes tell. */
  async expectUtf8(): Promise<void> {
    const mark = await this.peek(2);
    if (UTF16.some((other) => other.equals(mark))) {
      throw new InputError(`${this.path}: this is UTF-16 text: save it as UTF-8`);
    }
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
        throw new InputError(`${this.path}: a line is longer than ${MAX_LINE_CHARS} characters: is this a text file?`);
      }
      yield* lines;
    }
    rest += decoder.decode();
    if (rest !== "") yield rest;
  }

  async #next(): Promise<Buffer | undefined> {
    try {
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      this.#chunkBytes += value.length;
      return value;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code?.startsWith("Z_")) throw new InputError(`${this.path}: damaged or truncated gzip data (${message})`);
      throw error;
    }
  }
}
