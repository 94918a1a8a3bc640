// A web server for a folder of published files, as good or as bad as a test wants it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll } from "vitest";

export type Files = Map<string, Uint8Array>;

/** What one request is answered with in place of what it should be; false where it is to be as it should. */
export type Misbehaviour = (answer: Answer) => boolean;

export interface Answer {
  readonly path: string;
  readonly file: Uint8Array;
  /** Of a range. */
  readonly from: number;
  readonly to: number;
  /** Of requests for ranges, how many there were before. */
  readonly ranges: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Headers of a proper answer. */
  readonly headers: Record<string, string | number>;
}

export interface Host {
  readonly url: string;
  /** What it serves from now on. */
  files: Files;
  misbehave: Misbehaviour | undefined;
  /** Ranges that were asked for. */
  readonly asked: { path: string; from: number; to: number }[];
}

/** Serves until the tests of the suite are done. */
export async function hosted(files: Files, headers: Record<string, string> = {}): Promise<Host> {
  const host: { -readonly [name in keyof Host]: Host[name] } = { url: "", files, misbehave: undefined, asked: [] };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname.slice(1);
    const file = host.files.get(path);
    if (!file) return response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const own = { "content-type": "application/octet-stream", etag: `"${file.length}"`, ...headers };
    const [from, to] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, file.length];
    const all = range ? { ...own, "content-range": `bytes ${from}-${to - 1}/${file.length}` } : own;
    const ranges = host.asked.length;
    if (range) host.asked.push({ path, from, to });
    if (host.misbehave?.({ path, file, from, to, ranges, request, response, headers: all })) return undefined;
    if (range && from >= file.length) return response.writeHead(416, { "content-range": `bytes */${file.length}` }).end();
    const end = Math.min(to, file.length);
    const length = { "content-length": end - from };
    return response.writeHead(range ? 206 : 200, { ...all, ...length }).end(file.subarray(from, end));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  return host;
}

/** Of another file of the same length: from the second range on. */
const otherBytes = ({ file, from, to, ranges }: Answer): Uint8Array =>
  ranges > 0 ? file.subarray(from, to).map((byte) => byte ^ 1) : file.subarray(from, to);

const isRange = ({ request }: Answer): boolean => request.headers.range !== undefined;
const from2nd = (answer: Answer): boolean => isRange(answer) && answer.ranges > 0;

/** What hosts do wrong, by what it is called. */
export const WRONGS: Record<string, Misbehaviour> = {
  ignores: (answer) => {
    if (!isRange(answer)) return false;
    answer.response.writeHead(200).end(answer.file);
    return true;
  },
  etag: (answer) => {
    if (!from2nd(answer)) return false;
    answer.response.writeHead(206, { ...answer.headers, etag: '"other"' }).end(otherBytes(answer));
    return true;
  },
  modified: (answer) => {
    if (!isRange(answer)) return false;
    const { etag: _, ...rest } = answer.headers;
    const when = answer.ranges > 0 ? "Tue, 02 Jan 2024 00:00:00 GMT" : "Mon, 01 Jan 2024 00:00:00 GMT";
    answer.response.writeHead(206, { ...rest, "last-modified": when }).end(otherBytes(answer));
    return true;
  },
  length: (answer) => {
    if (!from2nd(answer)) return false;
    const { from, to, file } = answer;
    answer.response
      .writeHead(206, { ...answer.headers, "content-range": `bytes ${from}-${to - 1}/${file.length + 7}` })
      .end(file.subarray(from, to));
    return true;
  },
  elsewhere: (answer) => {
    if (!isRange(answer)) return false;
    const { from, to, file } = answer;
    answer.response
      .writeHead(206, { ...answer.headers, "content-range": `bytes ${from + 1}-${to}/${file.length}` })
      .end(file.subarray(from + 1, to + 1));
    return true;
  },
  silently: (answer) => {
    if (!isRange(answer)) return false;
    const { "content-range": _, ...rest } = answer.headers;
    answer.response.writeHead(206, rest).end(answer.file.subarray(answer.from + 1, answer.to + 1));
    return true;
  },
  short: (answer) => {
    if (!isRange(answer)) return false;
    answer.response.writeHead(206, answer.headers).end(answer.file.subarray(answer.from, answer.to - 1));
    return true;
  },
  breaks: (answer) => {
    if (!isRange(answer)) return false;
    const { from, to, response } = answer;
    response.writeHead(206, { ...answer.headers, "content-length": to - from });
    response.write(answer.file.subarray(from, from + 1));
    setTimeout(() => response.destroy(), 20);
    return true;
  },
  gzip: (answer) => {
    if (!isRange(answer)) return false;
    const body = gzipSync(answer.file.subarray(answer.from, answer.to));
    answer.response.writeHead(206, { ...answer.headers, "content-encoding": "gzip" }).end(body);
    return true;
  },
  gzipped: (answer) => {
    if (!isRange(answer)) return false;
    const body = gzipSync(answer.file).subarray(answer.from, answer.to);
    answer.response.writeHead(206, { ...answer.headers, "content-range": `bytes ${answer.from}-${answer.to - 1}/*` }).end(body);
    return true;
  },
  gone: (answer) => {
    if (!isRange(answer)) return false;
    answer.response.writeHead(404).end();
    return true;
  },
  shrunk: (answer) => {
    if (!isRange(answer)) return false;
    answer.response.writeHead(416, { "content-range": `bytes */5` }).end();
    return true;
  },
  forbidden: (answer) => {
    if (!isRange(answer)) return false;
    answer.response.writeHead(403).end();
    return true;
  },
  busy: (answer) => {
    if (!isRange(answer)) return false;
    answer.response.writeHead(503).end();
    return true;
  },
};
