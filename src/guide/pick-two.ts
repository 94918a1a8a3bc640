// "Pick two": what is best by two of recall, latency and memory; the third axis pays.

/** Where each stands; of time and bytes less is better. */
export interface ThreeAxes<T> {
  readonly recall: (one: T) => number;
  readonly ms: (one: T) => number;
  readonly bytes: (one: T) => number;
}

export interface TwoOfThree<T> {
  recallAndLatency: T;
  recallAndMemory: T;
  latencyAndMemory: T;
}

const least = <T>(of: readonly T[], axis: (one: T) => number): T => of.reduce((a, b) => (axis(b) < axis(a) ? b : a));

/** Of some, one at least. Recall is what `wanted` is reached by, or the most there is where nothing reaches it. */
export function pickTwo<T>(all: readonly T[], wanted: number, { recall, ms, bytes }: ThreeAxes<T>): TwoOfThree<T> {
  const reached = all.filter((one) => recall(one) >= wanted);
  const finding = reached.length > 0 ? reached : [least(all, (one) => -recall(one))];
  return {
    recallAndLatency: least(finding, ms),
    recallAndMemory: least(finding, bytes),
    latencyAndMemory: least(all, (one) => ms(one) * bytes(one)),
  };
}
