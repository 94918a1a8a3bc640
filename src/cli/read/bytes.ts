import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError } from "../errors.js";

const READ_BYTES = 256 * 1024;
const MAX_LINE_CHARS = 64 * 1024 * 1024;

/** A file read front to back, unzipped on the way when its name ends in .gz; never held whole in memory. */
export class ByteReader {
  readonly path: string;
  /** Bytes of the file as it lies on disk. */
  readonly fileBytes: number;
  readonly isZipped: boolean;
  readonly #file: ReturnType<typeof createReadStream>;
  readonly #chunks: AsyncIterator<Buffer>;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  private constructor(path: string, fileBytes: number) {
    this.path = path;
    this.fileBytes = fileBytes;
    this.isZipped = /\.gz$/i.test(path);
    this.#file = createReadStream(path, { highWaterMark: READ_BYTES });
    let stream: Readable = this.#file;
    if (this.isZipped) {
      const gunzip = createGunzip({ chunkSize: READ_BYTES });
      // An error of either side reaches the reader through `gunzip`; the callback only keeps it from being "unhandled".
      pipeline(this.#file, gunzip, () => {});
      stream = gunzip;
    }
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  static async open(path: string): Promise<ByteReader> {
    const info = await stat(path);
    if (info.isDirectory()) throw new InputError(`${path}: is a folder, not a file`);
    return new ByteReader(path, info.size);
  }

  /** Bytes of the file read so far: a measure of progress. */
  get fileBytesRead(): number {
    return this.#file.bytesRead;
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

  /** All that is left as lines of UTF-8 text, without their line ends. */
  async *lines(): AsyncGenerator<string> {
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
      return done ? undefined : value;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code?.startsWith("Z_")) throw new InputError(`${this.path}: damaged or truncated gzip data (${message})`);
      throw error;
    }
  }
}
