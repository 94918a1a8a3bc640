// How long the steps of a graph's search take on this machine, for its planner (assembly/family/graph/costs.ts).

import type { Engine } from "./engine.js";

/** Steps of assembly/family/graph/costs.ts. */
const STEPS = [0, 1, 2, 3] as const;
/** A time is not taken for less, in milliseconds: browsers' clocks tick every 0.1. */
const LEAST_MS = 0.2;
const MOST_STEPS = 1 << 13;
/** The shortest of so many times: whatever else the machine does only makes it longer. */
const TIMES = 5;
/** With fewer vectors any plan is a good one. */
const LEAST_VECTORS = 1000;

/** Measured once for an engine, in about 5 ms. */
export function measureSteps(engine: Engine): void {
  if (engine.timed || engine.busy || engine.live < LEAST_VECTORS || !engine.state("trained")) return;
  engine.timed = true;
  const { practise, setCosts } = engine.exports;
  if (!practise || !setCosts) return;
  const ms = (step: number, n: number): number => {
    const start = performance.now();
    practise(step, n);
    return performance.now() - start;
  };
  const [row, met, hop, codes] = STEPS.map((step) => {
    let n = 64;
    while (n < MOST_STEPS && ms(step, n) < LEAST_MS) n *= 2;
    return (1000 * Math.min(...Array.from({ length: TIMES }, () => ms(step, n)))) / n;
  });
  setCosts(row, met, hop, codes / 32);
}
