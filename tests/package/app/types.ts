// Compiled by TypeScript, as ESM and as CommonJS, under each module resolution; never run.
import {
  type BatchHits,
  type Bytes,
  type CodecOption,
  compareMetrics,
  createIndex,
  type Explanation,
  type FetchVectors,
  type FileInfo,
  type FilterSource,
  Flat,
  type Floats,
  Forest,
  type ForestOptions,
  factory,
  type Hit,
  Hnsw,
  type HnswOptions,
  type Ids,
  type IndexStats,
  type InitOptions,
  Ivf,
  type IvfOptions,
  init,
  inspect,
  KdTree,
  type KdTreeOptions,
  type Kind,
  Lsh,
  type LshOptions,
  load,
  type MetricComparison,
  type PreparedFilter,
  type RerankOption,
  type TrainReport,
  type Variant,
  VectorIndex,
  VicinalError,
  variant,
} from "vicinal";
import { Collection, type CollectionOptions, type WorkerCollection } from "vicinal/collection";
import { type HybridHit, hybrid, mmr } from "vicinal/hybrid";
import { openFile, saveFile } from "vicinal/node";
import { type Published, publish, type RangeHit, RangeIndex } from "vicinal/range";
import { Flat as StaticFlat, type VectorIndex as StaticIndex } from "vicinal/static";
import { indexedDb, memory, opfs, type Storage, type StoredFile } from "vicinal/storage";
import { folder } from "vicinal/storage/node";
import { SharedCollection } from "vicinal/tabs";
import { type Embedder, embedder } from "vicinal/transformers";

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

export async function families(query: Float32Array): Promise<IndexStats[]> {
  const codec: CodecOption = { type: "pq", m: 2, bits: 4, rotate: "opq" };
  const fetchVectors: FetchVectors = async (ids) => new Float32Array(3 * ids.length);
  const rerank: RerankOption = { codec: "f16", factor: "adaptive" };
  const lists: IvfOptions = { dimensions: 3, metric: "l2", codec, rerank, nlist: 4, nprobe: 2, coarse: "exact", trainAt: 100 };
  const tree: KdTreeOptions = { dimensions: 3, leafSize: 8, maxLeaves: 2 };
  const trees: ForestOptions = { dimensions: 3, codec: { type: "rabitq", bits: 2 }, rerank: { fetchVectors }, trees: 4 };
  const tables: LshOptions = { dimensions: 3, metric: "l2", tables: 4, bits: 8, probes: 2, width: 1 };
  const ivf: Ivf = await Ivf.create(lists);
  const report: TrainReport = await ivf.train([query], { onProgress: ({ total }) => total.toFixed() });
  const kdtree: KdTree = await KdTree.create(tree);
  const forest: Forest = await Forest.create(trees);
  const lsh: Lsh = await Lsh.create(tables);
  const described: VectorIndex = await factory("IVF16,PQ8", { dimensions: 32, metric: "dot", nprobe: 4 });
  const chosen: VectorIndex = await createIndex({ dimensions: report.nlist ?? 3, expected: 1000, recall: 0.9 });
  const { overlap }: MetricComparison = await compareMetrics([query], [query], "l2", "dot", { k: 1 });
  ivf.search(query, { nprobe: Math.ceil(overlap) });
  kdtree.search(query, { maxLeaves: Number.POSITIVE_INFINITY });
  lsh.search(query, { probes: 8, radius: 2 });
  await forest.searchAsync(query, { searchK: 100 });
  const kind: Kind = chosen.kind;
  // @ts-expect-error: no such codec
  await Ivf.create({ dimensions: 3, codec: { type: "pq", bits: 5 } });
  return [described.stats(), { ...chosen.stats(), kind }];
}

/** What callers hand on: to Blobs, workers, WebGPU, crypto. */
export function handedOn(index: VectorIndex, batch: BatchHits): ArrayBuffer[] {
  const vector = index.get(1);
  const own: ArrayBuffer[] = [index.toBytes().buffer, index.ids().buffer, batch.ids.buffer, batch.distances.buffer];
  const fetchVectors: FetchVectors = (ids) => {
    own.push(ids.buffer);
    return [];
  };
  const bytes: Bytes = index.toBytes();
  const [ids, distances]: [Ids, Floats] = [batch.ids, batch.distances];
  const plain: [Uint8Array, Uint32Array, Float32Array] = [bytes, ids, distances];
  if (vector) own.push(vector.buffer);
  return fetchVectors.length ? own : plain.map(() => new ArrayBuffer(0));
}

export function filters(index: VectorIndex, source: FilterSource): number {
  const filter: PreparedFilter = index.prepareFilter(source);
  const { plan, share, cost }: Explanation = index.explain([1, 2, 3], { filter });
  // @ts-expect-error: it is prepared already
  index.prepareFilter(filter);
  const dispose: () => void = filter[Symbol.dispose];
  dispose.call(filter);
  return plan === "scan" ? share : (cost.scan ?? filter.size);
}

export async function inOneFile(): Promise<Bytes> {
  const index: StaticIndex = await StaticFlat.create({ dimensions: 3 });
  return index.toBytes();
}

export function code(error: unknown): string {
  return error instanceof VicinalError ? error.code : "none";
}

export async function stored(): Promise<readonly StoredFile[]> {
  const places: Storage[] = [memory(), opfs("docs"), indexedDb("docs"), folder("docs"), folder(new URL("file:///docs"))];
  const release: () => Promise<void> = await places[0].lock();
  await places[0].append("log", new Uint8Array(8));
  const bytes: Bytes = await places[0].read("log", 0, 4);
  await places[0].swap("log", bytes);
  await release();
  return places[0].list();
}

export async function shared(): Promise<boolean> {
  const docs = await SharedCollection.open("docs", () => Collection.open({ storage: opfs("docs"), dimensions: 4 }));
  const stop: () => void = docs.onChange(() => {});
  await docs.upsert({ id: "a", vector: [1, 2, 3, 4], data: { lang: "en" } });
  for await (const { id } of docs.scan({ where: { lang: "en" } })) if (id === 1) stop();
  const [hit] = await docs.search("text", { k: 1, rescore: (hits) => hits.map(({ distance }) => -distance) });
  await docs.close();
  return docs.leads && hit.distance > 0;
}

export async function inWorker(options: CollectionOptions): Promise<boolean> {
  const docs: WorkerCollection = await Collection.open({ ...options, worker: true });
  const here: Collection = await Collection.open(options);
  const { state } = await docs.health;
  const served = await SharedCollection.open("docs", () => Collection.open({ storage: opfs("docs"), worker: true }));
  await Promise.all([served.close(), docs.close()]);
  return state === "ready" && (await docs.has("a")) === here.has("a");
}

export async function ranges(docs: Collection, shared: SharedCollection): Promise<RangeHit[]> {
  const published: Published = await publish(docs, {
    rows: "f32",
    fields: ["lang"],
    onProgress: ({ step, done }) => step + done,
  });
  for (const [name, bytes] of published.files) name.slice(bytes.length);
  await publish(shared, { queries: [[1, 2, 3]] });
  const open: RangeIndex = await RangeIndex.open("https://host/docs/", { cacheBytes: 0, signal: new AbortController().signal });
  const hits = await open.search(new Float32Array(3), { k: 1, where: { lang: "en" }, select: [] });
  const work: number = open.lastStats.requests + open.stats().bytes + hits[0].distance;
  open.close();
  return (await open.searchBatch([[1, 2, work]]))[0];
}

export async function together(storage: Storage): Promise<HybridHit<string | number>[]> {
  const embed: Embedder = await embedder("some/model", { pooling: "cls", pipeline: { dtype: "q8" } });
  const docs = await Collection.open({ storage, dimensions: embed.dimensions, embed });
  const index = await StaticFlat.create({ dimensions: 3 });
  const text = (query: string, { k }: { k: number }) => [{ id: query.length, score: k }];
  const numbered: HybridHit<number>[] = await hybrid({ vectors: index, text, embed }).search("a", {
    filter: new Set([1]),
    mmr: 0.5,
  });
  const [first] = mmr([new Float32Array(3), [1, 2, 3]], [0.5, 1], { k: numbered.length, lambda: 0.3 });
  const both = hybrid({
    vectors: docs,
    text: async () => ({ hits: [{ id: "a", score: first }] }),
    fuse: { vectors: 1, text: 2 },
  });
  return both.search("a", { k: 1, where: { lang: "en" }, groupBy: "lang", ef: 3 });
}
