// A published collection of format version 1, and what it answers: `node tests/range/golden/golden.mjs` after a build writes it, where there is
// none of this version yet. It must be read for ever.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DIMENSIONS = 8;
const vector = (i) => Array.from({ length: DIMENSIONS }, (_, j) => ((i * i * 7 + j * 13 + i * j * 5) % 41) - 20);

/** What an index of it answers. */
export async function golden(index) {
  const answers = [];
  for (const i of [0, 57, 200]) {
    answers.push(await index.search(vector(i), { k: 4 }));
    answers.push(await index.search(vector(i), { k: 3, where: { even: true, n: { $lt: 60 } }, exact: true, select: ["n"] }));
  }
  return answers;
}

const folder = fileURLToPath(new URL("v1", import.meta.url));
if (process.argv[1] === fileURLToPath(import.meta.url) && !existsSync(folder)) {
  const { Collection } = await import("vicinal/collection");
  const { memory } = await import("vicinal/storage");
  const { publish, RangeIndex } = await import("vicinal/range");
  const docs = await Collection.open({ storage: memory(), dimensions: DIMENSIONS, metric: "l2" });
  await docs.upsert(Array.from({ length: 120 }, (_, i) => ({ id: i % 2 ? `d${i}` : i, vector: vector(i), data: { n: i, even: i % 2 === 0, text: "x".repeat(i % 9) } })));
  const { files } = await publish(docs, { rows: "f32", pageKib: 4, bits: 2 });
  mkdirSync(folder);
  for (const [name, bytes] of files) writeFileSync(`${folder}/${name}`, bytes);
  const fetch = async (url, { headers }) => {
    const file = files.get(new URL(url).pathname.slice(1));
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers?.Range ?? "") ?? [];
    return from === undefined ? new Response(file) : new Response(file.slice(Number(from), Number(to) + 1), { status: 206 });
  };
  const index = await RangeIndex.open("https://host/", { fetch });
  const [[data]] = files;
  writeFileSync(`${folder}.json`, `${JSON.stringify({ data, answers: await golden(index) }, null, 1)}\n`);
}
