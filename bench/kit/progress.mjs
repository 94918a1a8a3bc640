// How far a run is: a bar where standard error is a terminal, elsewhere a line per bench.
import { SingleBar } from "cli-progress";

const NOTE_WIDTH = 40;
const TICK_MS = 1000;

/**
 * Seconds that are left: `expected` of all benches, `spent` on those that are done, and `running` on the one at hand. This
 * run is taken to go on as much faster or slower than expected as it was so far.
 */
export function secondsLeft(expected, spent, running) {
  const sum = (values) => values.reduce((total, one) => total + one, 0);
  const pace = spent.length ? sum(spent) / sum(expected.slice(0, spent.length)) : 1;
  const [now = 0, ...later] = expected.slice(spent.length).map((seconds) => seconds * pace);
  return Math.max(now - running, 0) + sum(later);
}

function clock(time) {
  const seconds = Math.round(time);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export class Progress {
  /** Whether there is a bar, which must not be written over. */
  bar = process.stderr.isTTY === true;
  #names;
  #expected;
  #spent = [];
  #start = performance.now();
  #began = 0;
  #drawn;
  #ticks;
  #note = "";

  constructor(names, expected) {
    this.#names = names;
    this.#expected = expected;
  }

  get elapsed() {
    return (performance.now() - this.#start) / 1000;
  }

  /** The next bench begins. */
  begin() {
    this.#began = this.elapsed;
    this.#note = "";
    if (!this.bar) {
      const { step, elapsed, left } = this.#now();
      console.error(`\n${step}, ${elapsed} so far, about ${left} left`);
      return;
    }
    this.#drawn = new SingleBar({
      format: "{bar} {step}  {elapsed} so far, about {left} left  {note}",
      barCompleteChar: "\u2588",
      barIncompleteChar: "\u2591",
      barsize: 24,
      hideCursor: null,
      clearOnComplete: true,
      stream: process.stderr,
    });
    const now = this.#now();
    this.#drawn.start(1, now.share, now);
    this.#ticks = setInterval(() => this.#draw(), TICK_MS);
  }

  /** What the bench at hand is doing. */
  note(line) {
    this.#note = line.slice(0, NOTE_WIDTH);
    this.#draw();
  }

  /** The bench at hand has ended; the bar is gone until the next begins. */
  end() {
    this.#spent.push(this.elapsed - this.#began);
    clearInterval(this.#ticks);
    this.#drawn?.stop();
  }

  #draw() {
    const now = this.#now();
    this.#drawn?.update(now.share, now);
  }

  #now() {
    const done = this.#spent.length;
    const left = secondsLeft(this.#expected, this.#spent, this.elapsed - this.#began);
    return {
      step: `[${done + 1}/${this.#names.length}] ${this.#names[done]}`,
      share: this.elapsed / (this.elapsed + left),
      elapsed: clock(this.elapsed),
      left: clock(left),
      note: this.#note,
    };
  }
}
