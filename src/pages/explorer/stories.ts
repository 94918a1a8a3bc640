// The tab of experiments: each is run when asked, in the worker, and says what it has measured.

import { element } from "../element.js";
import { type Chart, chart } from "./chart.js";
import { make } from "./elements.js";
import type { Worked } from "./jobs.js";
import { type WalkView, walkView } from "./map.js";
import type { Finding, StoryTold } from "./messages.js";
import { ABOUT } from "./stories/all.js";
import type { About } from "./stories/story.js";

interface Card {
  run(): Promise<void>;
  redraw(): void;
}

export interface Stories {
  redraw(): void;
}

export function stories(worked: Worked): Stories {
  const cards = ABOUT.map((about) => cardOf(about, worked));
  const all = make("button", { type: "button", textContent: "Run all" });
  all.onclick = () => cards.forEach(({ card }) => void card.run());
  const intro = make(
    "p",
    { className: "asks" },
    "Each is computed in this browser when you ask for it, in a few seconds, on vectors made there. ",
    all,
  );
  element("stories", HTMLElement).append(intro, ...cards.map(({ host }) => host));
  return { redraw: () => cards.forEach(({ card }) => void card.redraw()) };
}

function cardOf({ id, title, asks }: About, worked: Worked): { host: HTMLElement; card: Card } {
  const heading = make("h2", { id: `story-${id}`, textContent: title });
  const button = make("button", { type: "button", className: "main", textContent: "Run" });
  button.setAttribute("aria-describedby", heading.id);
  const progress = make("progress", { max: 1, value: 0, hidden: true });
  progress.setAttribute("aria-labelledby", heading.id);
  const status = make("p", { className: "finding" });
  status.setAttribute("role", "status");
  const results = make("div", { className: "charts" });
  const host = make("article", { className: "card story", id: `card-${id}` });
  host.setAttribute("aria-labelledby", heading.id);
  host.append(
    heading,
    make("p", { className: "asks" }, asks),
    make("div", { className: "buttons" }, button, progress),
    status,
    results,
  );
  let charts: Chart[] = [];
  let view: WalkView | undefined;

  function show({ charts: found, map, sentence }: Finding): void {
    for (const one of charts) one.close();
    charts = found.map((data) => {
      const made = chart();
      made.show(data);
      return made;
    });
    view?.close();
    view = map && walkView(map);
    results.replaceChildren(...charts.map((one) => one.host), ...(view ? [view.host] : []));
    for (const one of charts) one.redraw();
    view?.redraw();
    status.textContent = sentence;
  }

  let running = false;
  async function run(): Promise<void> {
    if (running) return;
    running = true;
    button.ariaDisabled = "true";
    status.ariaBusy = "true";
    progress.hidden = false;
    status.textContent = "Waits for what is being measured";
    const told = ({ what, part }: StoryTold): void => {
      status.textContent = what;
      progress.value = part;
    };
    try {
      show(await worked.run<StoryTold, Finding>(id, undefined, told, new AbortController().signal));
      button.textContent = "Run again";
    } catch (error) {
      status.textContent = `It has failed: ${(error as Error).message}`;
    }
    progress.hidden = true;
    status.ariaBusy = "false";
    button.ariaDisabled = "false";
    running = false;
  }
  button.onclick = () => void run();
  const redraw = (): void => {
    for (const one of charts) one.redraw();
    view?.redraw();
  };
  return { host, card: { run, redraw } };
}
