// Compiled by TypeScript, as ESM and as CommonJS, under each module resolution; never run.
import {
  type BatchHits,
  type FileInfo,
  Flat,
  type Hit,
  Hnsw,
  type HnswOptions,
  type InitOptions,
  init,
  inspect,
  load,
  type Variant,
  VectorIndex,
  VicinalError,
  variant,
} from "vicinal";
import { openFile, saveFile } from "vicinal/node";

export async function lifeCycle(path: string, module: InitOptions["module"]): Promise<Hit[]> {
  const options: HnswOptions = { dimensions: 3, metric: "cosine", codec: "sq8", rerank: 2, m: 8 };
  const index: Hnsw = await Hnsw.create(options);
  index.add(new Float32Array(6), [1, 2]);
  await index.addAll([[1, 2, 3]], { ids: [3], signal: new AbortController().signal, onProgress: ({ done }) => done.toFixed() });
  const hits: Hit[] = index.search([1, 2, 3], { k: 1, ef: 10, filter: new Set([1]) });
  const batch: BatchHits = index.searchBatch(new Float32Array(3), { k: 1 });
  const ids: Uint32Array = batch.ids;
  const vector: Float32Array | undefined = index.get(ids[0] ?? 0);
  await saveFile(index, path);
  const again: VectorIndex = await openFile(path);
  const loaded = await load(again.toBytes());
  if (!(loaded instanceof VectorIndex)) throw new Error("not an index");
  const info: FileInfo = await inspect(loaded.toBytes());
  const chosen: Variant = await init({ module });
  const current: Variant | undefined = variant;
  const flat = await Flat.create({ dimensions: vector?.length ?? info.dimensions });
  flat.close();
  // @ts-expect-error: no such metric
  await Flat.create({ dimensions: 3, metric: "manhattan" });
  // @ts-expect-error: only create() makes one
  new Hnsw();
  return chosen === current ? hits : [];
}

export function code(error: unknown): string {
  return error instanceof VicinalError ? error.code : "none";
}
