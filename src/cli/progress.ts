import { SingleBar } from "cli-progress";

export interface Progress {
  /** Moves the bar; `note` is what stands behind it, such as a rate. */
  readonly update: (done: number, note?: string) => void;
  readonly stop: () => void;
}

const SILENT: Progress = { update() {}, stop() {} };

/** A bar on standard error, where that is a terminal; elsewhere nothing, so that logs stay readable. Without a total, no bar. */
export function progress(label: string, total: number | undefined): Progress {
  if (!process.stderr.isTTY) return SILENT;
  const bar = new SingleBar({
    format: total === undefined ? `${label}  {note}` : `${label} {bar} {percentage}%  {note}`,
    barCompleteChar: "\u2588",
    barIncompleteChar: "\u2591",
    barsize: 30,
    hideCursor: null,
    stream: process.stderr,
  });
  bar.start(total ?? 1, 0, { note: "" });
  return {
    update: (done, note = "") => bar.update(total === undefined ? 0 : Math.min(done, total), { note }),
    stop: () => bar.stop(),
  };
}
