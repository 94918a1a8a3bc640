// Long work in slices, so that a page stays alive and other calls run in between.
import { badOption, show } from "../words/errors.js";
import { checkSignal } from "../words/options.js";

/** Work gives way to the event loop after this long. */
export const SLICE_MS = 8;

const FIRST_SLICE = 8;
const MOST_SLICE = 4096;

/** How many vectors to do at a time, by how long the last took. */
export class Pace {
  size = FIRST_SLICE;

  note(elapsedMs: number, sliceMs = SLICE_MS): void {
    if (elapsedMs < sliceMs / 4) this.size = Math.min(this.size * 2, MOST_SLICE);
    else if (elapsedMs > sliceMs) this.size = Math.max(this.size >> 1, 1);
  }
}

/** What a page or another runtime may have; its types may not. */
interface Ports {
  port1: { onmessage: (() => void) | null; close(): void };
  port2: { postMessage(message: unknown): void };
}
interface Turns {
  setImmediate?: (call: () => void) => unknown;
  MessageChannel?: new () => Ports;
}

/** Lets the event loop go round. Not by a timer where there is another way: pages hold back timers that follow each other by 4 ms. */
export function breath(): Promise<void> {
  const { setImmediate, MessageChannel } = globalThis as Turns;
  return new Promise((resolve) => {
    if (setImmediate) setImmediate(resolve);
    else if (MessageChannel) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(0);
    } else setTimeout(resolve, 0);
  });
}

/** Runs all steps; `between` hears of the progress after each slice, and may throw to end it. */
export async function inSlices<P, T>(steps: Generator<P, T, void>, between: (progress: P) => void): Promise<T> {
  for (let started = performance.now(); ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - started < SLICE_MS) continue;
    between(step.value);
    await breath();
    between(step.value);
    started = performance.now();
  }
}

/** The same without a pause. */
export function atOnce<T>(steps: Generator<unknown, T, void>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

export interface Watched<P> {
  /** Stops between two slices, or while it waits. */
  signal?: AbortSignal;
  /** Called after each slice. */
  onProgress?: (progress: P) => void;
}

export function checkWatched({ signal, onProgress }: Watched<never>): void {
  checkSignal(signal);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw badOption(`onProgress is ${show(onProgress)}; it must be a function`);
  }
}
