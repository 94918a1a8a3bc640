// How times are taken; in turn and by medians as the pages take them.
export { interleave, median } from "../../src/pages/kernels/timing.mjs";

/** Seconds that `work` took. */
export async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
