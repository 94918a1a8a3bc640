// In a page: how far its frames are apart while a worker adds many vectors and is searched, one search after the other, and how long each of
// these takes. Posts { frames: [ms, ...], searches: [ms, ...], seconds } to /result.
import { remote } from "vicinal/pool";
import { clustered, framesDuring } from "../kit/frames.mjs";

const { n, d, options } = await (await fetch("/how.json")).json();
const vectors = clustered(n, d);
const pool = await remote({ dimensions: d, metric: "l2", ...options });
await pool.addAll(vectors.subarray(0, 1000 * d));
await new Promise((resolve) => setTimeout(resolve, 500));
const searches = [];
let adding = true;
const start = performance.now();
const frames = await framesDuring(async () => {
  const added = pool.addAll(vectors.subarray(1000 * d)).then(() => {
    adding = false;
  });
  for (let i = 0; adding; i = (i + 7919) % n) {
    const asked = performance.now();
    await pool.search(vectors.subarray(i * d, (i + 1) * d), { k: 10 });
    searches.push(performance.now() - asked);
    // As somebody types: not all that a worker can answer.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await added;
});
const seconds = (performance.now() - start) / 1000;
if (pool.size !== n) throw new Error(`${pool.size} of ${n} were added`);
await fetch("/result", { method: "POST", body: JSON.stringify({ frames, searches, seconds }) });
