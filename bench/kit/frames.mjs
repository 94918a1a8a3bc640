// Of a page: how far its frames are apart.

/** Milliseconds between frames while `work` runs. */
export async function framesDuring(work) {
  const gaps = [];
  let last = performance.now();
  let over = false;
  const note = () => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  };
  const frame = () => {
    if (over) return; // what comes after the work is not its doing
    note();
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  await work();
  over = true;
  note();
  return gaps;
}

/** n vectors around 200 points, by a generator that is the same everywhere (mulberry32). */
export function clustered(n, d) {
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
