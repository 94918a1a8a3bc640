// What the charts of the three axes draw.
import { steps } from "./choices.js";
import { recall, short } from "./format.js";
import type { ChartData } from "./messages.js";
import { type Ground, type Measured, type Standing, standingOf } from "./picks.js";

export const standings = (all: readonly Measured[], ground: Ground, to: number, wanted: number): Standing[] =>
  all.map((one) => standingOf(one, ground, to, wanted)).filter((one) => one !== undefined);

const withPoints = (all: readonly Measured[]): Measured[] => all.filter(({ points }) => points.length > 0);

/** Recall against latency, a curve for each index. */
export function byRecall(all: readonly Measured[], wanted: number, k: number): ChartData {
  return {
    title: "Recall against latency",
    x: { label: `recall@${k}`, unit: "recall", nines: true },
    y: { label: "time of a search", unit: "ms", log: true },
    series: withPoints(all).map(({ family, look, points }) => ({
      name: family.name,
      look,
      xs: points.map((one) => one.recall),
      ys: points.map(({ ms }) => ms),
      notes: points.map(({ effort, error }) => (effort === undefined ? "exact" : `effort ${effort}, ± ${error.toFixed(3)}`)),
    })),
    mark: { x: wanted, label: "wanted" },
  };
}

/** Memory against latency at the recall wanted. */
export function byMemory(all: readonly Standing[], wanted: number, k: number): ChartData {
  return {
    title: `Memory against latency, at recall@${k} ${recall(wanted)}`,
    x: { label: "memory", unit: "bytes", log: true },
    y: { label: "time of a search", unit: "ms", log: true },
    series: all.map(({ of, bytes, ms, computed, reached, recall: found }) => ({
      name: `${of.family.name}${reached ? "" : ` (${recall(found)} at most)`}`,
      look: of.look,
      xs: [bytes],
      ys: [ms],
      apart: true,
      dashed: computed,
    })),
  };
}

const MOST = 1e9;

/** What searches take, or indices hold, as vectors become more: measured where measured, beyond that by formulas. */
export function bySize(all: readonly Measured[], ground: Ground, wanted: number, axis: "ms" | "bytes"): ChartData {
  const sizes = [ground.n, ...steps(ground.n * 2, MOST).filter((_, i) => i % 2 === 0)];
  const series = withPoints(all).flatMap((one) => {
    const there = sizes.flatMap((size) => {
      const standing = standingOf(one, ground, size, wanted);
      return standing ? [{ size, value: standing[axis] }] : [];
    });
    const { look } = one;
    const measured = { name: one.family.name, look, xs: [ground.n], ys: [there[0].value], apart: true };
    if (there.length < 2) return [measured];
    const dashed = {
      name: `${one.family.name}, extrapolated`,
      look,
      xs: there.map(({ size }) => size),
      ys: there.map(({ value }) => value),
      dashed: true,
    };
    return [measured, dashed];
  });
  return {
    title: `${axis === "ms" ? "Latency" : "Memory"} by size, at recall@${ground.k} ${recall(wanted)}: beyond ${short(ground.n)} by formulas`,
    x: { label: "vectors", unit: "count", log: true },
    y: axis === "ms" ? { label: "time of a search", unit: "ms", log: true } : { label: "memory", unit: "bytes", log: true },
    series,
    mark: { x: ground.n, label: "measured" },
  };
}
