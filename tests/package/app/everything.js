// What the package can do, a task each; integers, so that all simd builds compute the same.
const DIMENSIONS = 16;
const L2 = { dimensions: DIMENSIONS, metric: "l2" };

function integers(rows) {
  let state = 4711;
  return Float32Array.from({ length: rows * DIMENSIONS }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 28) - 8;
  });
}

const rows = integers(700);
const row = (i) => rows.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
const found = (index) => index.search(row(5), { k: 5 });

/** What needs no part of vicinal that is imported later. */
function added(index) {
  index.add(rows);
  return found(index);
}
async function filled(index) {
  await index.addAll(rows);
  return found(index);
}
function filledAtOnce(index) {
  index.add(rows);
  return [index.trained, found(index)];
}

const TASKS = {
  flat: async ({ Flat }) => added(await Flat.create(L2)),
  hnsw: async ({ Hnsw }) => added(await Hnsw.create(L2)),
  ivf: async ({ Ivf }) => filledAtOnce(await Ivf.create({ ...L2, nlist: 4, trainAt: 300 })),
  pq: async ({ Flat }) => filled(await Flat.create({ ...L2, codec: { type: "pq", bits: 4, rotate: "opq" }, rerank: true })),
  rabitq: async ({ Hnsw }) => filledAtOnce(await Hnsw.create({ ...L2, codec: "rabitq", rerank: true })),
  lsh: async ({ Lsh }) => filled(await Lsh.create(L2)),
  kdtree: async ({ KdTree }) => added(await KdTree.create(L2)),
  forest: async ({ Forest }) => added(await Forest.create(L2)),
  fastScan: async ({ Hnsw }) => filledAtOnce(await Hnsw.create({ ...L2, fastScan: true })),
  prefilter: async ({ Flat }) => filled(await Flat.create({ ...L2, prefilter: true })),
  factory: async ({ factory }) => filled(await factory("IVF4,SQ8", L2)),
  createIndex: async ({ createIndex }) => filled(await createIndex(L2)),
  "load untrained": async ({ Ivf, load }) => {
    const index = await Ivf.create({ ...L2, nlist: 4, trainAt: 1000 });
    await index.addAll(rows);
    const again = await load(index.toBytes());
    const report = await again.train();
    return [again.trained, report.nlist, found(again)];
  },
  fetchVectors: async ({ Flat }) => {
    const fetchVectors = (ids) => [...ids].map(row);
    return filled(await Flat.create({ ...L2, codec: { type: "pq", bits: 4 }, rerank: { fetchVectors } }));
  },
  compact: async ({ Hnsw }) => {
    const index = await Hnsw.create(L2);
    index.add(rows);
    index.remove([1, 2, 3, 5]);
    await index.compact();
    return [index.size, index.deleted, found(index)];
  },
};

/** Per task what came of it, or the error. */
export async function everything(vicinal) {
  const report = {};
  for (const [name, task] of Object.entries(TASKS)) {
    report[name] = await task(vicinal).catch(({ name, code, message }) => ({ name, code, message }));
  }
  return { variant: vicinal.variant, report };
}
