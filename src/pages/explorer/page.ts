// The explorer's page. It computes nothing: workers do, so that nothing holds it up.
import { element } from "../element.js";
import { Worked } from "./jobs.js";
import { kernels } from "./kernel-tab.js";
import { stories } from "./stories.js";
import { tabs } from "./tabs.js";
import { themes } from "./theme.js";
import { trade } from "./trade.js";

const worked = new Worked("worker");
const tradeOff = trade(worked);
const experiments = stories(worked);
const redraw = (): void => {
  tradeOff.redraw();
  experiments.redraw();
};

kernels();
tabs(element("tabs", HTMLElement), redraw);
themes(redraw);

const drop = element("drop", HTMLElement);
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", () => drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const file = event.dataTransfer?.files[0];
  if (file) tradeOff.take(file);
});

/** A file that the command line serves beside the page. */
async function begin(): Promise<void> {
  const [, path, name] = /^#(given\/(.+))$/.exec(location.hash) ?? [];
  if (!path || !name) return tradeOff.run();
  const answer = await fetch(path);
  if (answer.ok) tradeOff.take(new File([await answer.blob()], decodeURIComponent(name)));
  else await tradeOff.run();
}

/** So that it also opens without a network the next time; a page from a disk has no use for that. */
function keepForLater(): void {
  if (location.protocol !== "file:") void navigator.serviceWorker?.register("offline.js").catch(() => {}); // private windows have none
}

requestAnimationFrame(() => void begin().finally(keepForLater));
