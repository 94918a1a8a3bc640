// Bytes of files on a web server that does no more than answer ranges of them. Whatever else it does is told in a sentence that says what
// to set there; what comes is believed only once its checksum has been looked at, by those who ask.
import { VicinalError } from "../words/errors.js";
import { heed } from "../words/options.js";
import { HEAD_NAME, type Part } from "./format.js";

/** A request that fails as those of busy servers do is made again after so long, in milliseconds. */
const AGAIN_MS = [100, 400];
const BUSY = [408, 425, 429, 500, 502, 503, 504];

/** What is asked of fetch, and what is wanted of its answer: of the global types, which a user's project may not know. */
export interface FetchInit {
  readonly headers?: Record<string, string>;
  readonly cache?: "no-cache";
  readonly signal?: AbortSignal;
}
export interface FetchAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: { get(name: string): string | null };
  readonly body: { cancel(): Promise<void> } | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

function wrong(message: string): VicinalError {
  return new VicinalError("BAD_HOST", message);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

export class Host {
  /** Its url. */
  readonly folder: string;
  readonly #fetch: Fetch;
  /** What each file was when it was first asked for: it is not to become another. */
  readonly #pinned = new Map<string, { readonly etag: string | null; readonly modified: string | null }>();

  /** `url`: of the folder, or of the head in it. */
  constructor(url: string | URL, fetch: Fetch) {
    const base = (globalThis as { location?: { href: string } }).location?.href;
    let whole: URL;
    try {
      whole = new URL(url, base);
    } catch {
      throw new VicinalError(
        "BAD_OPTION",
        `the url ${JSON.stringify(String(url))} is none${base ? "" : "; outside of a page it must be whole, as https://host/docs/"}`,
      );
    }
    if (!whole.pathname.endsWith("/") && !whole.pathname.endsWith(`/${HEAD_NAME}`)) whole.pathname += "/";
    this.folder = new URL(".", whole).href;
    this.#fetch = fetch;
  }

  /** All of the head. */
  async head(signal?: AbortSignal): Promise<Uint8Array> {
    const url = this.folder + HEAD_NAME;
    const response = await this.#asked(url, { cache: "no-cache", signal });
    if (response.status === 404) {
      throw new VicinalError(
        "MISSING",
        `${url} is not there (404): publish writes a folder that has it, all of which is to be copied`,
      );
    }
    if (!response.ok) throw wrong(`${url}: the host answered with status ${response.status}`);
    return this.#body(url, response, signal);
  }

  /** Bytes of a file of the data. */
  async read({ name, bytes, span: { from, to } }: Part, signal?: AbortSignal): Promise<Uint8Array> {
    const url = this.folder + name;
    const response = await this.#asked(url, { headers: { Range: `bytes=${from}-${to - 1}` }, signal });
    const answered = `${url}: the host`;
    if (response.status !== 206) {
      await response.body?.cancel();
      throw this.#refused(url, bytes, response.status);
    }
    const encoding = response.headers.get("content-encoding");
    if (encoding && encoding !== "identity") {
      await response.body?.cancel();
      throw wrong(
        `${answered} compresses on the fly (Content-Encoding: ${encoding}), and ranges are then of other bytes: have it send .bin files as application/octet-stream, uncompressed`,
      );
    }
    this.#checkSame(url, response);
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
    if (range) {
      const total = range[3] === "*" ? bytes : Number(range[3]);
      if (total !== bytes) throw this.#changed(url, `it has ${total} bytes, and had ${bytes}`);
      if (Number(range[1]) !== from || Number(range[2]) !== to - 1) {
        await response.body?.cancel();
        throw wrong(
          `${answered} was asked for bytes ${from} to ${to - 1} and sent ${range[1]} to ${range[2]}: a proxy in between may not pass Range on`,
        );
      }
    }
    const body = await this.#body(url, response, signal);
    if (body.length === to - from) return body;
    throw wrong(
      `${answered} was asked for ${to - from} bytes from ${from} on and sent ${body.length}: the file is cut short, or something in between compresses or changes it (no Content-Encoding and no transformation of .bin files)`,
    );
  }

  #refused(url: string, bytes: number, status: number): VicinalError {
    if (status === 200) {
      return wrong(
        `${url}: the host answers a range with the whole file (200): it must support byte ranges (Accept-Ranges: bytes), as nginx, Apache, S3 and most CDNs do; a proxy before it must pass Range on`,
      );
    }
    if (status === 404 || status === 410) {
      return new VicinalError(
        "MISSING",
        `${url} is not there (${status}): another index has been published in its place, open it again; or it was not copied with ${HEAD_NAME}`,
      );
    }
    if (status === 416) return this.#changed(url, `it is shorter than the ${bytes} bytes it had (416)`);
    if (status === 401 || status === 403)
      return wrong(`${url}: the host does not allow it (${status}): let it be read by all who may search`);
    return wrong(`${url}: the host answered with status ${status}`);
  }

  #changed(url: string, how: string): VicinalError {
    return wrong(
      `${url} has changed since it was opened: ${how}. A published file never changes: copy the folder again, whole, and open it anew`,
    );
  }

  #checkSame(url: string, { headers }: FetchAnswer): void {
    const now = { etag: headers.get("etag"), modified: headers.get("last-modified") };
    const before = this.#pinned.get(url) ?? now;
    this.#pinned.set(url, before);
    if (before.etag !== null && now.etag !== null ? before.etag === now.etag : before.modified === now.modified) return;
    const [was, is] = before.etag !== null && now.etag !== null ? [before.etag, now.etag] : [before.modified, now.modified];
    throw this.#changed(url, `it was ${was} and is ${is}`);
  }

  /** The answer, asked for again where the host is busy. */
  async #asked(url: string, init: FetchInit): Promise<FetchAnswer> {
    const { signal } = init;
    for (let turn = 0; ; turn++) {
      heed(signal);
      let response: FetchAnswer | undefined;
      let why: unknown;
      try {
        response = await this.#fetch(url, init);
      } catch (error) {
        heed(signal);
        why = error;
      }
      if (response && !BUSY.includes(response.status)) return response;
      await response?.body?.cancel();
      if (turn === AGAIN_MS.length) throw response ? this.#busy(url, response.status) : unreachable(url, why);
      await pause(AGAIN_MS[turn], signal);
    }
  }

  #busy(url: string, status: number): VicinalError {
    return new VicinalError("IO_ERROR", `${url}: the host answered with status ${status}, ${AGAIN_MS.length + 1} times`);
  }

  async #body(url: string, response: FetchAnswer, signal: AbortSignal | undefined): Promise<Uint8Array> {
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      heed(signal);
      throw new VicinalError("IO_ERROR", `${url}: the host ended before all was there: ${reasonOf(error)}`);
    }
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}, ${cause.message}` : message;
}

function unreachable(url: string, error: unknown): VicinalError {
  const here = (globalThis as { location?: { origin: string } }).location?.origin;
  const other = here !== undefined && new URL(url).origin !== here;
  const cors = `, or it does not let ${here} read it: it must send Access-Control-Allow-Origin, and Access-Control-Expose-Headers: Content-Range, ETag`;
  return new VicinalError(
    "IO_ERROR",
    `${url} cannot be fetched: the host cannot be reached${other ? cors : ""} (${reasonOf(error)})`,
  );
}
