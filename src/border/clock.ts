// How long the steps of a graph's search take on this machine, for its planner (assembly/family/graph/costs.ts).

import type { Engine } from "./engine.js";

/** Steps of assembly/family/graph/costs.ts. */
const STEPS = [0, 1, 2, 3] as const;
/** A time is not taken for less, in microseconds: browsers' clocks tick every 100. */
const LEAST_US = 200;
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
  const us = (step: number, n: number): { all: number; each: number } => {
    const start = performance.now();
    const taken = practise(step, n);
    const all = 1000 * (performance.now() - start);
    return { all, each: taken ? all / taken : Number.NaN };
  };
  const costs = STEPS.map((step) => {
    let n = 64;
    while (n < MOST_STEPS && us(step, n).all < LEAST_US) n *= 2;
    return Math.min(...Array.from({ length: TIMES }, () => us(step, n).each));
  });
  if (costs.some(Number.isNaN)) return;
  const [row, met, hop, codes] = costs;
  setCosts(row, met, hop, codes / 32);
}
