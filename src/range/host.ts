// Bytes of files on a web server that does no more than answer ranges of them. Whatever else it does is told in a sentence that says what
// to set there; what comes is believed only once its checksum has been looked at, by those who ask.
import { baseHere } from "../input/base-here.js";
import { unlessAborted } from "../input/unless-aborted.js";
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

/** How a server tells one state of a file from another. */
interface Tags {
  readonly etag: string | null;
  readonly modified: string | null;
}

export class Host {
  /** Its url. */
  readonly folder: string;
  readonly #fetch: Fetch;
  /** Of its url, which goes with every request: a signature, perhaps. */
  readonly #query: string;
  /** What each file was when it was first and last asked for. If its bytes are right that is no matter: another copy of them may have been put there. */
  readonly #seen = new Map<string, { readonly first: Tags; last: Tags }>();

  /** `url`: of the folder, or of the head in it. */
  constructor(url: string | URL, fetch: Fetch) {
    try {
      const whole = new URL(url, baseHere());
      if (!whole.pathname.endsWith("/") && !whole.pathname.endsWith(`/${HEAD_NAME}`)) whole.pathname += "/";
      this.folder = new URL(".", whole).href;
      this.#query = whole.search;
    } catch {
      throw new VicinalError(
        "BAD_OPTION",
        `the url ${JSON.stringify(String(url))} is none; outside of a page it must be whole, as https://host/docs/`,
      );
    }
    this.#fetch = fetch;
  }

  /** All of the head. */
  async head(signal?: AbortSignal): Promise<Uint8Array> {
    const url = this.folder + HEAD_NAME;
    const { response, body } = await unlessAborted(
      signal,
      this.#asked(url, { cache: "no-cache", signal }, ({ ok }) => ok),
    );
    if (response.status === 404) {
      throw new VicinalError(
        "MISSING",
        `${url} is not there (404): publish writes a folder that has it, all of which is to be copied`,
      );
    }
    if (!body) throw wrong(`${url}: the host answered with status ${response.status}`);
    return body;
  }

  /** Bytes of a file of the data. */
  async read({ name, bytes, span: { from, to } }: Part, signal?: AbortSignal): Promise<Uint8Array> {
    const url = this.folder + name;
    const encodingOf = ({ headers }: FetchAnswer): string | undefined =>
      [headers.get("content-encoding")].find((encoding) => encoding && encoding !== "identity") ?? undefined;
    const { response, body } = await this.#asked(
      url,
      { headers: { Range: `bytes=${from}-${to - 1}` }, signal },
      (answer) => answer.status === 206 && !encodingOf(answer),
    );
    const answered = `${url}: the host`;
    if (response.status !== 206) throw this.#refused(url, bytes, response.status);
    const encoding = encodingOf(response);
    if (!body) {
      throw wrong(
        `${answered} compresses on the fly (Content-Encoding: ${encoding}), and ranges are then of other bytes: have it send .bin files as application/octet-stream, uncompressed`,
      );
    }
    this.#note(name, response);
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
    if (range) {
      const total = range[3] === "*" ? bytes : Number(range[3]);
      if (total !== bytes) throw this.#changed(url, `it has ${total} bytes, and had ${bytes}`);
      if (Number(range[1]) !== from || Number(range[2]) !== to - 1) {
        throw wrong(
          `${answered} was asked for bytes ${from} to ${to - 1} and sent ${range[1]} to ${range[2]}: a proxy in between may not pass Range on`,
        );
      }
    }
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

  #note(name: string, { headers }: FetchAnswer): void {
    const now = { etag: headers.get("etag"), modified: headers.get("last-modified") };
    const seen = this.#seen.get(name);
    if (seen) seen.last = now;
    else this.#seen.set(name, { first: now, last: now });
  }

  /** Of bytes that are not what they were: the file has become another, where the server says so. */
  changeOf(name: string): VicinalError | undefined {
    const seen = this.#seen.get(name);
    if (!seen) return undefined;
    for (const tag of ["etag", "modified"] as const) {
      const [was, is] = [seen.first[tag], seen.last[tag]];
      if (was !== null && is !== null && was !== is) return this.#changed(this.folder + name, `it was ${was} and is ${is}`);
    }
    return undefined;
  }

  /** The answer, and its body where that is wanted, asked for again where the host is busy or ends early. */
  async #asked(
    url: string,
    init: FetchInit,
    wants: (response: FetchAnswer) => boolean,
  ): Promise<{ response: FetchAnswer; body: Uint8Array | undefined }> {
    const { signal } = init;
    const fetch = this.#fetch;
    for (let turn = 0; ; turn++) {
      heed(signal);
      let response: FetchAnswer | undefined;
      let why: unknown;
      try {
        response = await fetch(url + this.#query, init);
        if (wants(response)) return { response, body: new Uint8Array(await response.arrayBuffer()) };
        await response.body?.cancel();
        if (!BUSY.includes(response.status)) return { response, body: undefined };
      } catch (error) {
        heed(signal);
        why = error;
      }
      if (turn === AGAIN_MS.length) throw this.#failed(url, response, why);
      await pause(AGAIN_MS[turn], signal);
    }
  }

  #failed(url: string, response: FetchAnswer | undefined, why: unknown): VicinalError {
    if (!response) return unreachable(url, why);
    if (BUSY.includes(response.status)) return this.#busy(url, response.status);
    return new VicinalError("IO_ERROR", `${url}: the host ended before all was there: ${reasonOf(why)}`);
  }

  #busy(url: string, status: number): VicinalError {
    return new VicinalError("IO_ERROR", `${url}: the host answered with status ${status}, ${AGAIN_MS.length + 1} times`);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
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
