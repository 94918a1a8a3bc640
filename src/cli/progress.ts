import { SingleBar } from "cli-progress";

export interface Progress {
  /** Moves the bar; `note` is what stands behind it, such as a rate. */
  readonly update: (done: number, note?: string) => void;
  readonly stop: () => void;
}

const SILENT: Progress = { update() {}, stop() {} };

/** A bar on standard error, where that is a terminal; elsewhere nothing, so that logs stay readable. */
export function progress(label: string, total: number): Progress {
  if (!process.stderr.isTTY) return SILENT;
  const bar = new SingleBar({
    format: `${label} {bar} {percentage}%  {note}`,
    barCompleteChar: "\u2588",
    barIncompleteChar: "\u2591",
    barsize: 30,
    hideCursor: null,
    stream: process.stderr,
  });
  bar.start(total, 0, { note: "" });
  return {
    update: (done, note = "") => bar.update(Math.min(done, total), { note }),
    stop: () => bar.stop(),
  };
}
