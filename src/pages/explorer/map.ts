// The walk through a graph on a map, a step at a time.
import { inTurn, make } from "./elements.js";
import { colours } from "./looks.js";
import type { WalkMap } from "./messages.js";

export interface WalkView {
  readonly host: HTMLElement;
  redraw(): void;
  close(): void;
}

const STEP_MS = 450;
const MARGIN = 14;

export function walkView(map: WalkMap): WalkView {
  const canvas = make("canvas", { className: "map" });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Map of the points, and of those that the walk has met; each step is told in words below.");
  const slider = make("input", { type: "range", min: "1", max: String(map.steps.length), value: "1" });
  const label = make("label", {}, "Step ", slider);
  const [back, forth, play] = ["Back", "Forward", "Play"].map((text) => make("button", { type: "button", textContent: text }));
  const says = make("p", { className: "reading" });
  says.setAttribute("role", "status");
  const host = make(
    "figure",
    { className: "whole" },
    canvas,
    make("div", { className: "buttons" }, back, forth, play, label),
    says,
    legend(),
  );
  let playing: ReturnType<typeof setInterval> | undefined;

  const step = (): number => Number(slider.value);
  const draw = inTurn(() => drawn(canvas, map, step()));
  const go = (to: number): void => {
    slider.value = String(to);
    const at = map.steps[step() - 1];
    says.textContent = `Step ${step()} of ${map.steps.length}. ${at.says}`;
    slider.setAttribute("aria-valuetext", says.textContent);
    back.disabled = step() === 1;
    forth.disabled = step() === map.steps.length;
    draw();
  };
  const pause = (): void => {
    clearInterval(playing);
    playing = undefined;
    play.textContent = "Play";
  };
  play.onclick = () => {
    if (playing !== undefined) return pause();
    if (step() === map.steps.length) go(1);
    play.textContent = "Pause";
    playing = setInterval(() => {
      if (step() === map.steps.length) pause();
      else go(step() + 1);
    }, STEP_MS);
  };
  back.onclick = () => go(step() - 1);
  forth.onclick = () => go(step() + 1);
  slider.oninput = () => go(step());
  const resized = new ResizeObserver(draw);
  resized.observe(canvas);
  go(1);
  return {
    host,
    redraw: draw,
    close() {
      pause();
      resized.disconnect();
    },
  };
}

/** Of the marks, as words. */
const legend = (): HTMLElement =>
  make(
    "p",
    { className: "asks" },
    "The cross is the query. Small dots are points, larger ones those with higher layers. Filled in colour: met so far; lines go from the node that is expanded to what it met, earlier lines fade. Rings: the ten nearest, in truth.",
  );

function drawn(canvas: HTMLCanvasElement, { points, levels, query, steps, exact }: WalkMap, upTo: number): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (width === 0) return;
  const scale = devicePixelRatio;
  [canvas.width, canvas.height] = [width * scale, height * scale];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(scale, scale);
  const look = colours();
  const place = placing(points, width, height);
  const at = (id: number): readonly [number, number] => place(points[2 * id], points[2 * id + 1]);
  const dot = (id: number, size: number, colour: string): void => {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(...at(id), size, 0, 2 * Math.PI);
    context.fill();
  };
  for (const [id, level] of levels.entries()) dot(id, 1.4 + level, look.line);
  const [walked, met, now] = [look.series[2], look.series[1], look.series[3]];
  for (const [i, { at: from, met: ids }] of steps.slice(0, upTo).entries()) {
    context.strokeStyle = i === upTo - 1 ? now : walked;
    context.globalAlpha = i === upTo - 1 ? 1 : 0.25;
    context.lineWidth = i === upTo - 1 ? 1.6 : 1;
    for (const id of ids) {
      context.beginPath();
      context.moveTo(...at(from));
      context.lineTo(...at(id));
      context.stroke();
    }
    context.globalAlpha = 1;
  }
  for (const { at: from, met: ids } of steps.slice(0, upTo)) for (const id of [from, ...ids]) dot(id, 2 + levels[id], met);
  context.strokeStyle = look.ink;
  context.lineWidth = 1.2;
  for (const id of exact) {
    context.beginPath();
    context.arc(...at(id), 6, 0, 2 * Math.PI);
    context.stroke();
  }
  dot(steps[upTo - 1].at, 5, now);
  const [x, y] = place(...query);
  context.lineWidth = 2.5;
  context.beginPath();
  for (const [dx, dy] of [
    [8, 8],
    [8, -8],
  ]) {
    context.moveTo(x - dx, y - dy);
    context.lineTo(x + dx, y + dy);
  }
  context.stroke();
}

/** From the plane to the canvas, all in. */
function placing(points: Float32Array, width: number, height: number): (x: number, y: number) => readonly [number, number] {
  const range = (first: number): [number, number] => {
    let [least, most] = [Infinity, -Infinity];
    for (let i = first; i < points.length; i += 2) [least, most] = [Math.min(least, points[i]), Math.max(most, points[i])];
    return [least, most];
  };
  const [[left, right], [low, high]] = [range(0), range(1)];
  return (x, y) => [
    MARGIN + ((x - left) / (right - left)) * (width - 2 * MARGIN),
    height - MARGIN - ((y - low) / (high - low)) * (height - 2 * MARGIN),
  ];
}
