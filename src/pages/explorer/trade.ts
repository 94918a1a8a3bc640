// The tab of the three axes: what is asked, measured, picked and drawn.
import type { Metric } from "../../words/kinds.js";
import { element } from "../element.js";
import { chart } from "./chart.js";
import { slider, steps } from "./choices.js";
import { inTurn, make, scrolled, tableOf } from "./elements.js";
import { FAMILIES, familyOf, METRICS_OFFERED } from "./families.js";
import { bytes, count, recall, short, time } from "./format.js";
import type { Worked } from "./jobs.js";
import { type DataAsked, type MeasuringAsked, type MeasuringTold, SHAPES, type ShapeName } from "./messages.js";
import { type Ground, type Measured, type Picks, picksOf, type Standing } from "./picks.js";
import { stoppable } from "./stoppable.js";
import { byMemory, byRecall, bySize, standings } from "./views.js";

const MOST_VECTORS = 200_000;
const MOST_SIZE = 1e9;
const RECALLS = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.999];

const inParts = (parts: number): string => (parts > 1 ? ` in ${count(parts)} indices` : "");

export interface Trade {
  /** Measures a file. */
  take(file: File): void;
  run(): Promise<void>;
  redraw(): void;
}

export function trade(worked: Worked): Trade {
  const status = element("status", HTMLElement);
  const progress = element("progress", HTMLProgressElement);
  const source = element("source", HTMLSelectElement);
  const metric = element("metric", HTMLSelectElement);
  const kInput = element("k", HTMLInputElement);
  const runButton = element("run", HTMLButtonElement);
  const stopButton = element("stop", HTMLButtonElement);
  const fileInput = element("file", HTMLInputElement);

  let file: File | undefined;
  let ground: Ground = { n: 10_000, dimensions: 64, metric: "cosine", k: 10 };
  let measured: Measured[] = [];
  const skipped = new Map<string, string>();

  const show = inTurn(draw);
  const n = slider("n", steps(1000, MOST_VECTORS), 10_000, count, () => {});
  const dimensions = slider("dimensions", [2, 4, 8, 16, 32, 64, 128, 256, 384, 512, 768, 1024], 64, String, () => {});
  const wanted = slider("recall", RECALLS, 0.95, recall, show);
  const size = slider("size", steps(1000, MOST_SIZE), 10_000, count, show);

  source.append(...Object.entries(SHAPES).map(([name, text]) => new Option(text, name)));
  metric.append(...METRICS_OFFERED.map((name) => new Option(name, name)));
  metric.value = "l2";
  const boxes = FAMILIES.map(({ id, name }) =>
    make("input", { type: "checkbox", name: "family", value: id, checked: true, title: name }),
  );
  element("families", HTMLElement).append(
    ...boxes.map((box, i) => make("label", { className: "choice" }, box, FAMILIES[i].name)),
  );

  // A reader who has no pointer scrolls it.
  const table = element("table", HTMLElement);
  scrolled(table, "All indices");
  const charts = [chart(), chart(), chart(), chart()];
  element("charts", HTMLElement).append(...charts.map(({ host }) => host));

  function asked(): MeasuringAsked {
    const shape = source.value as ShapeName;
    const data: DataAsked =
      file && source.value === "file"
        ? { from: "file", file, most: MOST_VECTORS }
        : { from: "made", shape, n: n.value, dimensions: dimensions.value, seed: 1 };
    const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
    return {
      data,
      metric: metric.value as Metric,
      k: Math.min(Math.max(Math.round(Number(kInput.value)) || 10, 1), 100),
      families: chosen,
    };
  }

  const running = stoppable({ run: runButton, stop: stopButton, status, progress }, async (signal) => {
    const question = asked();
    measured = [];
    skipped.clear();
    show();
    const { seconds } = await worked.run<MeasuringTold, { seconds: number }>(
      "measure",
      question,
      (told) => hear(told, question),
      signal,
    );
    const without = [...skipped].map(([id, why]) => ` Without ${familyOf(id).name}: ${why}.`).join("");
    return `Measured ${measured.length} indices of ${count(ground.n)} vectors in ${seconds.toFixed(1)} s.${without}`;
  });

  async function run(): Promise<void> {
    if (await running.start()) show();
  }

  function hear(told: MeasuringTold, { metric: by, k, families }: MeasuringAsked): void {
    if (told.told === "data") {
      ground = { n: told.n, dimensions: told.dimensions, metric: by, k };
      const left = told.left > 0 ? `; ${count(told.left)} more are in the file` : "";
      element("grounds", HTMLElement).dataset.data = `${told.name}: ${count(told.n)} × ${told.dimensions}, ${by}${left}`;
      size.offer([told.n, ...steps(told.n + 1, MOST_SIZE)]);
      size.set(told.n);
    } else if (told.told === "doing") {
      status.textContent = told.what;
      progress.value = (measured.length + told.part) / (families.length + 1);
    } else if (told.told === "built") {
      const look = FAMILIES.findIndex(({ id }) => id === told.family);
      measured = [...measured, { ...told, family: FAMILIES[look], look, points: [] }];
    } else if (told.told === "point") {
      measured = measured.map((one) => (one.family.id === told.family ? { ...one, points: [...one.points, told.point] } : one));
    } else skipped.set(told.family, told.why);
    show();
  }

  function draw(): void {
    const [target, at] = [wanted.value, size.value];
    const all = standings(measured, ground, at, target);
    const computed = at !== ground.n;
    element("grounds", HTMLElement).textContent = [
      element("grounds", HTMLElement).dataset.data ?? "",
      computed
        ? `At ${count(at)} vectors nothing was measured: times and bytes are extrapolated from here by the formulas of vicinal/guide's plan, dashed in the charts; where one index has no room, several are searched one after the other. kd-tree, forest and LSH have none.`
        : "",
    ]
      .filter(Boolean)
      .join(". ");
    showPicks(picksOf(all, target), at);
    charts[0].show(byRecall(measured, target, ground.k));
    charts[1].show(byMemory(all, target, ground.k));
    charts[2].show(bySize(measured, ground, target, "ms"));
    charts[3].show(bySize(measured, ground, target, "bytes"));
    table.replaceChildren(tableFor(all, at));
  }

  function tableFor(all: readonly Standing[], at: number): HTMLTableElement {
    const columns = ["index", "description", "recall", "effort", "a search", "memory", "a vector", "build"];
    const rows = measured.map((one) => {
      const found = all.find(({ of }) => of === one);
      const name = [one.family.name, one.factory];
      const build = `${one.buildSeconds.toFixed(2)} s for ${short(ground.n)}`;
      if (!found) {
        const why = one.points.length > 0 ? "no formula" : "–";
        return [...name, "–", "–", why, why, "–", build];
      }
      const { recall: found_, effort, ms, bytes: held, reached, parts } = found;
      return [
        ...name,
        `${recall(found_)}${reached ? "" : " at most"}`,
        effort === undefined ? "–" : String(effort),
        time(ms),
        `${bytes(held)}${inParts(parts)}`,
        bytes(held / at),
        build,
      ];
    });
    return tableOf(`At recall@${ground.k} ${recall(wanted.value)} and ${count(at)} vectors`, columns, rows);
  }

  function showPicks(picks: Picks | undefined, at: number): void {
    const host = element("picks", HTMLElement);
    if (!picks) {
      host.replaceChildren(make("p", {}, "Nothing measured yet."));
      return;
    }
    const names: readonly [keyof Picks, string, (one: Standing) => string][] = [
      ["recallAndLatency", "Recall and latency", ({ bytes: held }) => `pays in memory: ${bytes(held)}`],
      ["recallAndMemory", "Recall and memory", ({ ms }) => `pays in latency: ${time(ms)}`],
      ["latencyAndMemory", "Latency and memory", ({ recall: found }) => `pays in recall: ${recall(found)}`],
    ];
    const none = picks.recallAndLatency.reached
      ? []
      : [make("p", {}, `Nothing that was measured finds ${recall(wanted.value)}.`)];
    host.replaceChildren(...none, ...names.map(([key, title, pays]) => pickOf(title, picks[key], pays(picks[key]), at)));
  }

  function pickOf(title: string, one: Standing, pays: string, at: number): HTMLElement {
    const figures = `recall ${recall(one.recall)}, ${time(one.ms)}, ${bytes(one.bytes)}${inParts(one.parts)}`;
    const made = make(
      "article",
      { className: "pick" },
      make("h3", {}, title),
      make("strong", {}, one.of.family.name),
      make("p", {}, `${figures}${one.computed ? `, extrapolated to ${short(at)}` : ""}`),
      make("p", {}, pays),
    );
    made.style.setProperty("--of", `var(--series-${one.of.look})`);
    return made;
  }

  function take(given: File): void {
    file = given;
    let option = [...source.options].find(({ value }) => value === "file");
    if (!option) {
      option = new Option("", "file");
      source.append(option);
    }
    option.text = given.name;
    source.value = "file";
    element("file-name", HTMLElement).textContent = `${given.name}, ${bytes(given.size)}: in this browser alone`;
    void run();
  }

  element("ask", HTMLFormElement).onsubmit = (event) => {
    event.preventDefault();
    void run();
  };
  fileInput.onchange = () => {
    const given = fileInput.files?.[0];
    if (given) take(given);
  };
  show();
  return { take, run, redraw: () => charts.forEach((one) => void one.redraw()) };
}
