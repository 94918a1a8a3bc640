// A chart and the same as a table. Axes and scales are uPlot's; what is drawn between them is not one value for each x, as its own series
// are: curves here turn, and crowds of points have no order.
import uPlot from "uplot";
import { inTurn, make, scrolled, tableOf } from "./elements.js";
import { onAxis } from "./format.js";
import { type Colours, colours, mark, swatch } from "./looks.js";
import type { Axis, ChartData, Series } from "./messages.js";

const HEIGHT = 300;
const MARK = 4;
/** A pointer is at a point within so many pixels. */
const NEAR = 30;

export interface Chart {
  readonly host: HTMLElement;
  show(data: ChartData): void;
  /** In the colours of a new theme. */
  redraw(): void;
  close(): void;
}

export function chart(): Chart {
  const heading = make("h3");
  const box = make("div", { className: "plot" });
  box.setAttribute("role", "img");
  const legend = make("ul", { className: "legend" });
  const reading = make("p", { className: "reading" });
  reading.setAttribute("aria-hidden", "true");
  const table = make("div", { className: "wide" });
  const details = make("details", {}, make("summary", {}, "As a table"), table);
  const host = make("figure", {}, heading, box, reading, legend, details);
  let data: ChartData | undefined;
  let plot: uPlot | undefined;
  /** What the plot was made for: it is made anew only for other axes, a new theme or another width. */
  let made = "";
  /** What the legend says. */
  let named = "";

  const draw = inTurn(() => {
    if (!data || box.clientWidth === 0) return;
    const { x, y, series } = data;
    const wanted = JSON.stringify([x, y, colours(), box.clientWidth]);
    if (plot && made === wanted) plot.setData(NOTHING);
    else {
      plot?.destroy();
      plot = new uPlot(
        optionsOf(() => data as ChartData, box.clientWidth),
        NOTHING,
        box,
      );
      plot.over.onpointermove = ({ offsetX, offsetY }) => {
        reading.textContent = plot && data ? readingAt(plot, data, offsetX, offsetY) : "";
      };
      plot.over.onpointerleave = () => {
        reading.textContent = "";
      };
      made = wanted;
    }
    // What is dashed beside the same in full is told by the title.
    const listed = series.filter(({ look, dashed }) => !dashed || !series.some((one) => one.look === look && !one.dashed));
    const names = JSON.stringify([listed.map(({ name, look, dashed, apart }) => [name, look, dashed, apart]), colours()]);
    if (named !== names) legend.replaceChildren(...listed.map((one) => make("li", {}, swatch(one), one.name)));
    named = names;
    if (details.open) fillTable();
  });
  const fillTable = (): void => {
    if (data) table.replaceChildren(asTable(data));
  };
  details.ontoggle = fillTable;
  const resized = new ResizeObserver(() => {
    if (plot?.width !== box.clientWidth) draw();
  });
  resized.observe(box);
  return {
    host,
    show(next) {
      data = next;
      heading.textContent = next.title;
      box.setAttribute("aria-label", described(next));
      scrolled(table, `${next.title}, as a table`);
      draw();
    },
    redraw: draw,
    close() {
      resized.disconnect();
      plot?.destroy();
    },
  };
}

function described({ title, x, y, series }: ChartData): string {
  return `${title}: ${y.label} against ${x.label} of ${series.map(({ name }) => name).join(", ") || "nothing yet"}. The table below has the numbers.`;
}

function asTable({ title, x, y, series }: ChartData): HTMLTableElement {
  const rows = series.flatMap(({ name, xs, ys, notes, dashed }) =>
    xs.map((value, i) => [
      dashed ? `${name} (computed)` : name,
      ...(series.some((one) => one.notes) ? [notes?.[i] ?? ""] : []),
      onAxis(x, value),
      onAxis(y, ys[i]),
    ]),
  );
  return tableOf(title, ["series", ...(series.some(({ notes }) => notes) ? ["at"] : []), x.label, y.label], rows);
}

type Range = [number, number];

/** Recall as its place on an axis of nines: 0.9, 0.99 and 0.999 are as far apart; 1 is not endlessly far. */
const LEFT = 0.0005;
const place = (recall: number): number => -Math.log10(1 + LEFT - recall);
const recallAt = (at: number): number => 1 + LEFT - 10 ** -at;
/** Of pixels: there are as many ticks as have room. */
const NARROW = 420;
const NINES = [0, 0.5, 0.9, 0.97, 0.99, 0.999, 1];

function rangeOf({ log, ticks, nines }: Axis, values: readonly number[]): Range {
  const finite = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  if (finite.length === 0) return log ? [0.001, 1] : [0, 1];
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  if (nines) return [Math.max(least - 0.05, 0), recallAt(place(1) + 0.15)];
  if (log && ticks) return [least / 1.1, most * 1.1];
  // On whole steps, from which its ticks are counted.
  if (log) return uPlot.rangeLog(least / 1.2, most * 1.2, 10, false) as Range;
  const from = least >= 0 && least < (most - least) / 4 ? 0 : least;
  const space = (most - from || Math.abs(most) || 1) * 0.04;
  return [from - space, most + space];
}

/** uPlot's own series, which is not drawn. */
const NOTHING: uPlot.AlignedData = [[0], [0]];

function optionsOf(data: () => ChartData, width: number): uPlot.Options {
  const look = colours();
  const { x, y } = data();
  const xRange = (): Range => {
    const { series, mark: at } = data();
    return rangeOf(x, [...series.flatMap(({ xs }) => xs), ...(at ? [at.x] : [])]);
  };
  const yRange = (): Range =>
    rangeOf(
      y,
      data().series.flatMap(({ ys }) => ys),
    );
  const axis = (axis: Axis): uPlot.Axis => ({
    label: axis.label,
    stroke: look.quiet,
    font: "12px system-ui, sans-serif",
    labelFont: "12px system-ui, sans-serif",
    labelSize: 18,
    grid: { stroke: look.line, width: 1 },
    ticks: { stroke: look.line, width: 1 },
    ...((axis.ticks || axis.nines) && {
      splits: ({ width }) => [...(axis.ticks ?? (width < NARROW ? NINES.filter((nine) => nine !== 0.97) : NINES))],
      filter: (_, splits) => splits,
    }),
    values: (_, splits) => splits.map((value) => (value === null ? "" : onAxis(axis, value))),
  });
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: x.nines
        ? { time: false, distr: 100, fwd: place, bwd: recallAt, range: xRange }
        : { time: false, distr: x.log ? 3 : 1, range: xRange },
      y: { distr: y.log ? 3 : 1, range: yRange },
    },
    axes: [
      { ...axis(x), size: 34 },
      { ...axis(y), size: 66 },
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: { draw: [(plot) => drawAll(plot, data(), look)] },
  };
}

function drawAll(plot: uPlot, { series, mark: at }: ChartData, look: Colours): void {
  const { ctx: context, bbox } = plot;
  const scale = uPlot.pxRatio;
  context.save();
  context.beginPath();
  context.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  context.clip();
  if (at) drawMark(plot, at, look, scale);
  for (const one of series) drawSeries(plot, one, look, scale);
  context.restore();
}

function drawMark(plot: uPlot, { x, label }: NonNullable<ChartData["mark"]>, { quiet }: Colours, scale: number): void {
  const { ctx: context, bbox } = plot;
  const at = plot.valToPos(x, "x", true);
  context.strokeStyle = context.fillStyle = quiet;
  context.lineWidth = scale;
  context.beginPath();
  context.moveTo(at, bbox.top);
  context.lineTo(at, bbox.top + bbox.height);
  context.stroke();
  context.font = `${11 * scale}px system-ui, sans-serif`;
  const right = at > bbox.left + bbox.width / 2;
  context.textAlign = right ? "right" : "left";
  context.textBaseline = "top";
  context.fillText(label, at + (right ? -4 : 4) * scale, bbox.top + 4 * scale);
}

function drawSeries(plot: uPlot, { xs, ys, look, dashed, apart }: Series, { series }: Colours, scale: number): void {
  const context = plot.ctx;
  const places = xs.flatMap((x, i) =>
    Number.isFinite(x) && Number.isFinite(ys[i]) ? [[plot.valToPos(x, "x", true), plot.valToPos(ys[i], "y", true)]] : [],
  );
  context.strokeStyle = context.fillStyle = series[look % series.length];
  context.lineWidth = 2 * scale;
  context.setLineDash(dashed ? [5 * scale, 5 * scale] : []);
  if (!apart) {
    context.beginPath();
    for (const [i, [x, y]] of places.entries()) i ? context.lineTo(x, y) : context.moveTo(x, y);
    context.stroke();
  }
  context.setLineDash([]);
  const shape = mark(look, (apart ? 1.4 : 1) * MARK * scale);
  for (const [x, y] of places) {
    context.save();
    context.translate(x, y);
    if (dashed) context.stroke(shape);
    else context.fill(shape);
    context.restore();
  }
}

/** What the point says that a pointer is at. */
function readingAt(plot: uPlot, { x, y, series }: ChartData, left: number, top: number): string {
  let [best, text] = [NEAR, ""];
  for (const { name, xs, ys, notes } of series) {
    for (const [i, value] of xs.entries()) {
      const far = Math.hypot(plot.valToPos(value, "x") - left, plot.valToPos(ys[i], "y") - top);
      if (!(far < best)) continue;
      best = far;
      text = `${name}${notes?.[i] ? `, ${notes[i]}` : ""}: ${x.label} ${onAxis(x, value)}, ${y.label} ${onAxis(y, ys[i])}`;
    }
  }
  return text;
}
