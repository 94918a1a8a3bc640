// What a tab computes when asked, until it is stopped or asked again.

export interface Stoppable {
  /** Ends what is under way, and begins anew; whether it was not itself ended so. */
  start(): Promise<boolean>;
}

/**
 * `work` tells of itself in `status` and `progress`, and comes to a sentence. The button `stop` ends it; while it is enabled, `run` begins anew.
 */
export function stoppable(
  {
    run,
    stop,
    status,
    progress,
  }: Record<"run" | "stop", HTMLButtonElement> & { status: HTMLElement; progress: HTMLProgressElement },
  work: (signal: AbortSignal) => Promise<string>,
): Stoppable {
  let current = new AbortController();
  const end = (): void => current.abort(new Error("stopped"));
  stop.onclick = end;
  async function start(): Promise<boolean> {
    end();
    current = new AbortController();
    const { signal } = current;
    stop.disabled = false;
    status.ariaBusy = "true";
    const sentence = await work(signal).catch((error: Error) =>
      signal.aborted ? "Stopped. What was measured stays." : error.message,
    );
    if (signal !== current.signal) return false;
    status.textContent = sentence;
    status.ariaBusy = "false";
    progress.value = 0;
    // What is disabled loses the focus.
    if (document.activeElement === stop) run.focus();
    stop.disabled = true;
    return true;
  }
  return { start };
}
