// What every runtime does with the installed package: build, search, save, load, search again. The data are small
// integers, on which every variant and runtime computes the same to the bit, the saved bytes included.
const DIMENSIONS = 23;
const ROWS = 400;
const QUERIES = [7, 123];

const INDEXES = [
  ["Flat", { metric: "l2" }],
  ["Flat", { metric: "hamming" }],
  ["Hnsw", { metric: "l2" }],
  ["Hnsw", { metric: "dot", mips: "native" }],
  ["Hnsw", { metric: "l2", codec: "sq8", rerank: true }],
];

/** Integers from -8 to 7. */
function integers(count) {
  let state = 12345;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 28) - 8;
  });
}

function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** `vicinal` is the package's namespace, `options` are for its `init`; the answer is plain JSON. */
export async function roundTrip(vicinal, options) {
  await vicinal.init(options);
  const data = integers(ROWS * DIMENSIONS);
  const queries = QUERIES.map((row) => data.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS));
  const answers = [];
  for (const [family, own] of INDEXES) {
    const index = await vicinal[family].create({ dimensions: DIMENSIONS, ...own });
    index.add(data.subarray(0, 100 * DIMENSIONS));
    await index.addAll(data.subarray(100 * DIMENSIONS));
    const hits = queries.map((query) => index.search(query, { k: 5 }));
    const bytes = index.toBytes();
    index.close();
    const again = await vicinal.load(bytes);
    const hitsAgain = queries.map((query) => again.search(query, { k: 5 }));
    again.close();
    answers.push({ index: `${family} ${JSON.stringify(own)}`, hits, hitsAgain, bytes: base64(bytes) });
  }
  return { variant: vicinal.variant, answers };
}
