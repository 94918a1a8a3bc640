// A collection in a worker of its own, by one option: it needs chunks and wasm that only the page can import.
import { Collection } from "vicinal/collection";
import { memory } from "vicinal/storage";

export async function documents() {
  const embed = async (texts) => texts.map((text) => [text.length, 0]);
  const docs = await Collection.open({ storage: memory(), dimensions: 2, metric: "l2", embed, worker: true });
  await docs.upsert(Array.from({ length: 300 }, (_, i) => ({ id: i, vector: [i, 0], data: { even: i % 2 === 0 } })));
  await docs.reindex({ kind: "ivf", nlist: 4 });
  const found = await docs.search("four", { k: 2, where: { even: false }, nprobe: 4 });
  const { main } = await docs.stats();
  await docs.close();
  return { kind: main.kind, found };
}
