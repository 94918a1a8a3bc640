// One signal of two.

/**
 * A signal that is aborted when one of two is, until its end. Not AbortSignal.any(), which browsers of 2023 and Node 20.0 lack.
 */
export function either(a: AbortSignal, b: AbortSignal | undefined): { signal: AbortSignal; end: () => void } {
  const both = new AbortController();
  const stops = [a, b].flatMap((signal) => {
    if (!signal) return [];
    const abort = (): void => both.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    return [() => signal.removeEventListener("abort", abort)];
  });
  return {
    signal: both.signal,
    end: () => {
      for (const stop of stops) stop();
    },
  };
}
