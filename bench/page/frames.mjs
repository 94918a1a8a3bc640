// In a page: how far its frames are apart while many vectors are added, and posts that as { [layout]: [ms, ...] } to /result.
import { Hnsw } from "vicinal";

const how = await (await fetch("/how.json")).json();

/** Around 200 points, by a generator that is the same everywhere (mulberry32). */
function clustered(n, d) {
  let state = 7;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const points = Float32Array.from({ length: 200 * d }, next);
  return Float32Array.from({ length: n * d }, (_, i) => points[(Math.floor(i / d) % 200) * d + (i % d)] + 0.3 * next());
}

/** Milliseconds between its frames while `work` runs. */
async function framesDuring(work) {
  const gaps = [];
  let last = performance.now();
  let over = false;
  const frame = () => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
    if (!over) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  await work();
  over = true;
  return gaps;
}

const result = {};
for (const { name, n, d, options } of how) {
  const vectors = clustered(n, d);
  const index = await Hnsw.create({ dimensions: d, metric: "l2", ...options });
  await new Promise((resolve) => setTimeout(resolve, 500));
  result[name] = await framesDuring(() => index.addAll(vectors));
  if (index.size !== n) throw new Error(`${index.size} of ${n} were added`);
  index.close();
}
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
