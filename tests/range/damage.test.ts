// Every flipped byte and every cut of what is published is an error that says what is wrong, or changes no answer.
import { VicinalError } from "vicinal";
import { Collection } from "vicinal/collection";
import { publish, RangeIndex } from "vicinal/range";
import { memory } from "vicinal/storage";
import { beforeAll, expect, it } from "vitest";
import { expectError } from "../support/errors.js";
import { often } from "../support/thorough.js";
import { DIMENSIONS, fetching, partsOf, randomOf, URL_OF, vectorsOf } from "./support/made.js";

const FLIPS = often(300, 3000);
const CUTS = often(60, 600);
const random = randomOf(Number(process.env.SEED ?? 11));
const below = (n: number): number => Math.floor(random() * n);

let files: Map<string, Uint8Array>;
let name: string;
let truth: string;

beforeAll(async () => {
  const docs = await Collection.open({ storage: memory(), dimensions: DIMENSIONS, metric: "cosine" });
  await docs.upsert(vectorsOf(160).map((vector, i) => ({ id: `d${i}`, vector, data: { n: i % 5, text: `text ${i}` } })));
  const published = await publish(docs, { pageKib: 4 });
  await docs.close();
  name = partsOf(published).name;
  files = new Map(published.files);
  truth = JSON.stringify(await answers(files));
});

/** What some searches answer: between them they read all that there is. */
async function answers(of: ReadonlyMap<string, Uint8Array>): Promise<unknown[]> {
  const index = await RangeIndex.open(URL_OF, { fetch: fetching(of).fetch });
  try {
    const [a, b] = vectorsOf(2, 3);
    return [
      await index.search(a, { k: 5 }),
      await index.search(b, { k: 3, where: { n: 2 } }),
      await index.search(a, { k: 160, exact: true, select: ["text"] }),
    ];
  } finally {
    index.close();
  }
}

async function expectRefusedOrSame(of: ReadonlyMap<string, Uint8Array>, what: string): Promise<boolean> {
  try {
    expect(JSON.stringify(await answers(of)), what).toBe(truth);
    return false;
  } catch (error) {
    if (!(error instanceof VicinalError)) throw error;
    expect(["BAD_FILE", "BAD_HOST", "MISSING"], `${what}: ${error.message}`).toContain(error.code);
    return true;
  }
}

it("a flipped bit", async () => {
  let refused = 0;
  for (let i = 0; i < FLIPS; i++) {
    const which = random() < 0.3 ? "head.bin" : name;
    const bytes = (files.get(which) as Uint8Array).slice();
    const at = below(bytes.length);
    bytes[at] ^= 1 << below(8);
    if (await expectRefusedOrSame(new Map([...files, [which, bytes]]), `byte ${at} of ${which}`)) refused++;
  }
  // All that is read; fields of lists that no search had to look at are not.
  expect(refused).toBeGreaterThan(0.9 * FLIPS);
});

it("a cut, and bytes behind the end", async () => {
  for (let i = 0; i < CUTS; i++) {
    const which = i % 2 ? "head.bin" : name;
    const bytes = files.get(which) as Uint8Array;
    const cut = bytes.slice(0, below(bytes.length));
    expect(await expectRefusedOrSame(new Map([...files, [which, cut]]), `${cut.length} bytes of ${which}`)).toBe(true);
  }
  for (const which of ["head.bin", name]) {
    const longer = Uint8Array.of(...(files.get(which) as Uint8Array), 0);
    expect(await expectRefusedOrSame(new Map([...files, [which, longer]]), `${which} and a zero`)).toBe(true);
  }
});

it("zeros, and pieces in each other's place", async () => {
  const data = files.get(name) as Uint8Array;
  for (let i = 0; i < CUTS; i++) {
    const bytes = data.slice();
    const [at, from] = [below(bytes.length), below(bytes.length)];
    if (i % 2) bytes.fill(0, at, at + below(400));
    else bytes.set(data.subarray(from, from + Math.min(400, bytes.length - at)), at);
    await expectRefusedOrSame(new Map([...files, [name, bytes]]), `${i % 2 ? "zeros" : `bytes of ${from}`} at ${at}`);
  }
});

it("what is no head is told apart", async () => {
  const opening = (text: string) => () =>
    RangeIndex.open(URL_OF, { fetch: fetching(new Map([["head.bin", new TextEncoder().encode(text)]])).fetch });
  await expectError(opening("<!doctype html>"), "BAD_FILE", "it looks like HTML");
  await expectError(opening("VICINAL\0"), "BAD_FILE", "it is a .vic file: `vicinal publish` makes a folder of it");
  await expectError(opening("version https://git-lfs"), "BAD_FILE", "Git LFS pointer");
  await expectError(opening(""), "BAD_FILE", "it is empty");
  const later = (files.get("head.bin") as Uint8Array).slice();
  later[8] = 9;
  await expectError(
    () => RangeIndex.open(URL_OF, { fetch: fetching(new Map([["head.bin", later]])).fetch }),
    "BAD_FILE",
    "its version is 9, this vicinal reads 1",
  );
});
