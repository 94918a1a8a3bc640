// What web servers do wrong: a sentence that says what to set there, and never a wrong answer.
import { type ErrorCode, VicinalError } from "vicinal";
import { publish, type RangeHit, RangeIndex } from "vicinal/range";
import { beforeAll, expect, it } from "vitest";
import { expectError } from "../support/errors.js";
import { type Host, hosted, WRONGS } from "./support/host.js";
import { flatOf, randomOf, vectorsOf } from "./support/made.js";

const queries = vectorsOf(12, 3);
let host: Host;
let truth: RangeHit[][];

beforeAll(async () => {
  const { files } = await publish(await flatOf(vectorsOf(2500)), { pageKib: 4 });
  host = await hosted(files);
  truth = await answers();
});

async function answers(): Promise<RangeHit[][]> {
  const index = await RangeIndex.open(host.url);
  try {
    return await index.searchBatch(queries);
  } finally {
    index.close();
  }
}

const SENTENCES: Record<string, [code: ErrorCode, saying: RegExp]> = {
  ignores: ["BAD_HOST", /answers a range with the whole file \(200\): it must support byte ranges/],
  etag: ["BAD_HOST", /\.bin has changed since it was opened: it was "\d+" and is "other"\. .*copy the folder again/],
  modified: ["BAD_HOST", /has changed since it was opened: it was Mon, .* and is Tue, /],
  length: ["BAD_HOST", /has changed since it was opened: it has \d+ bytes, and had \d+/],
  elsewhere: ["BAD_HOST", /was asked for bytes \d+ to \d+ and sent \d+ to \d+: a proxy/],
  silently: ["BAD_FILE", /the checksum of codes \d+ at \d+ does not match/],
  short: ["BAD_HOST", /was asked for \d+ bytes from \d+ on and sent \d+: the file is cut short/],
  breaks: ["IO_ERROR", /the host ended before all was there/],
  gzip: ["BAD_HOST", /compresses on the fly \(Content-Encoding: gzip\).*application\/octet-stream/],
  gzipped: ["BAD_FILE", /the checksum of codes \d+ at \d+ does not match.*no Content-Encoding/],
  gone: ["MISSING", /is not there \(404\): another index has been published in its place, open it again/],
  shrunk: ["BAD_HOST", /it is shorter than the \d+ bytes it had \(416\)/],
  forbidden: ["BAD_HOST", /does not allow it \(403\): let it be read/],
  busy: ["IO_ERROR", /answered with status 503, 3 times/],
};

it.each(Object.keys(WRONGS))("%s", async (how) => {
  host.asked.length = 0;
  host.misbehave = WRONGS[how];
  const [code, saying] = SENTENCES[how];
  await expectError(answers, code, saying);
  host.misbehave = undefined;
  expect(await answers()).toEqual(truth);
});

it("an index that met a bad answer goes on once the host is well", async () => {
  const index = await RangeIndex.open(host.url);
  host.misbehave = WRONGS.short;
  await expectError(() => index.search(queries[0]), "BAD_HOST", "sent");
  host.misbehave = undefined;
  expect(await index.searchBatch(queries)).toEqual(truth);
  index.close();
});

it("the same bytes under other tags are the same: another copy, or another server behind the same name", async () => {
  let n = 0;
  host.misbehave = ({ request, response, file, from, to, headers }) => {
    if (!request.headers.range) return false;
    const { etag: _, ...rest } = headers;
    const tags = n++ % 3 ? { etag: `W/"${n}"`, "last-modified": new Date(1e12 + n * 1e6).toUTCString() } : {};
    response.writeHead(206, { ...rest, ...tags }).end(file.subarray(from, to));
    return true;
  };
  expect(await answers()).toEqual(truth);
  host.misbehave = undefined;
});

it("a body that breaks off is asked for again", async () => {
  let n = 0;
  host.misbehave = ({ request, response, file, from, to, headers }) => {
    if (!request.headers.range || n++ % 4) return false;
    response.writeHead(206, { ...headers, "content-length": to - from });
    response.write(file.subarray(from, from + 1), () => response.destroy());
    return true;
  };
  expect(await answers()).toEqual(truth);
  host.misbehave = undefined;
});

it("what a url has after ? goes with every request; a fetch of one's own is called as it is, and need not hear a signal", async () => {
  const asked: string[] = [];
  const own = function (this: unknown, url: string, init: object): Promise<Response> {
    if (this !== undefined) throw new TypeError("Illegal invocation");
    asked.push(url);
    return fetch(url, init);
  };
  const index = await RangeIndex.open(`${host.url}?sig=abc`, { fetch: own as never });
  expect(await index.search(queries[0])).toEqual(truth[0]);
  expect(asked.every((url) => url.endsWith("?sig=abc"))).toBe(true);
  index.close();
  const deaf = await RangeIndex.open(host.url, {
    fetch: ((url: string, init: { headers?: object }) => (init.headers ? new Promise(() => {}) : fetch(url))) as never,
  });
  const abort = new AbortController();
  const waiting = deaf.search(queries[0], { signal: abort.signal }).catch((error) => error);
  abort.abort(new Error("enough"));
  expect(await waiting).toEqual(new Error("enough"));
  deaf.close();
  for (const url of ["localhost:8080/docs", "mailto:a@b", "::"]) {
    await expectError(() => RangeIndex.open(url), "BAD_OPTION", "is none");
  }
});

it("a busy host is asked again, twice", async () => {
  const times = new Map<string, number>();
  host.misbehave = ({ response, request }) => {
    const range = request.headers.range ?? "";
    const before = times.get(range) ?? 0;
    times.set(range, before + 1);
    if (range === "" || before === 2) return false;
    response.writeHead(before ? 503 : 500).end();
    return true;
  };
  const index = await RangeIndex.open(host.url);
  expect(await index.search(queries[0])).toEqual(truth[0]);
  expect([...times.values()].every((count) => count === 3 || count === 1)).toBe(true);
  host.misbehave = undefined;
  index.close();
});

it("whatever mix of them: the answer, or an error", async () => {
  const random = randomOf(3);
  const wrongs = Object.entries(WRONGS)
    .filter(([how]) => how !== "busy")
    .map(([, wrong]) => wrong);
  let right = 0;
  for (let i = 0; i < 60; i++) {
    host.asked.length = 0;
    host.misbehave = (answer) => random() < 0.04 && wrongs[Math.floor(random() * wrongs.length)](answer);
    try {
      expect(await answers()).toEqual(truth);
      right++;
    } catch (error) {
      if (!(error instanceof VicinalError)) throw error;
    }
  }
  host.misbehave = undefined;
  expect(right).toBeLessThan(60);
});

it("nobody answers", async () => {
  await expectError(() => RangeIndex.open("http://127.0.0.1:9/"), "IO_ERROR", /cannot be fetched: the host cannot be reached/);
  await expectError(
    () => RangeIndex.open(`${host.url}nowhere`),
    "MISSING",
    /nowhere\/head\.bin is not there \(404\): publish writes a folder/,
  );
  const index = await RangeIndex.open(`${host.url}head.bin`);
  expect(index.size).toBe(2500);
  index.close();
});

it("is published again in its place: those who have it open are told", async () => {
  const index = await RangeIndex.open(host.url);
  const before = host.files;
  const { files } = await publish(await flatOf(vectorsOf(1000, 9)), { pageKib: 4 });
  host.files = files;
  await expectError(() => index.search(queries[0]), "MISSING", "another index has been published in its place");
  host.files = new Map([...before, ...files]); // where the old data stays, it goes on
  expect(await index.searchBatch(queries)).toEqual(truth);
  host.files = before;
  index.close();
});
