// How long the steps of a graph's search take on this machine, for its planner (assembly/family/graph/costs.ts).

import type { Engine } from "../border/engine.js";

/** Steps of assembly/family/graph/costs.ts. */
const STEPS = [0, 1, 2, 3] as const;
/** Each is taken for as long, in milliseconds: many times what a browser's clock is coarse. */
const LEAST_MS = 0.3;
const MOST_STEPS = 1 << 13;
/** With fewer vectors any plan is a good one. */
const LEAST_VECTORS = 1000;

/** Measured once for an engine, in about 2 ms. */
export function measureSteps(engine: Engine): void {
  if (engine.timed || engine.busy || engine.live < LEAST_VECTORS) return;
  engine.timed = true;
  const { practise, setCosts } = engine.exports;
  const [row, met, hop, codes] = STEPS.map((step) => {
    practise(step, 64);
    for (let n = 128; ; n *= 2) {
      const start = performance.now();
      if (!practise(step, n)) return 0;
      const ms = performance.now() - start;
      if (ms >= LEAST_MS || n >= MOST_STEPS) return (1000 * ms) / n;
    }
  });
  if (row && met && hop) setCosts(row, met, hop, codes / 32);
}
