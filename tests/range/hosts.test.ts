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
