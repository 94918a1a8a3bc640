// What tells series apart: a colour and a mark, since not everybody sees the colours.
import type { Series } from "./messages.js";

const LOOKS = 9;

const MARKS: readonly ((size: number) => Path2D)[] = [
  (r) => closed([...Array(24).keys()].map((i) => [r * Math.cos((i * Math.PI) / 12), r * Math.sin((i * Math.PI) / 12)])),
  (r) => polygon(r * 1.2, 4, Math.PI / 4),
  (r) => polygon(r * 1.3, 3, -Math.PI / 2),
  (r) => polygon(r * 1.3, 4, 0),
  (r) => crossed(r * 0.9, Math.PI / 4),
  (r) => polygon(r * 1.3, 3, Math.PI / 2),
  (r) => crossed(r * 1.1, 0),
  (r) => polygon(r * 1.2, 6, 0),
  (r) => polygon(r * 1.25, 5, -Math.PI / 2),
];

export const mark = (look: number, size: number): Path2D => MARKS[look % LOOKS](size);

function closed(points: readonly (readonly number[])[]): Path2D {
  const path = new Path2D();
  for (const [i, [x, y]] of points.entries()) i ? path.lineTo(x, y) : path.moveTo(x, y);
  path.closePath();
  return path;
}

const polygon = (r: number, corners: number, turned: number): Path2D =>
  closed(
    Array.from({ length: corners }, (_, i) => {
      const angle = turned + (2 * Math.PI * i) / corners;
      return [r * Math.cos(angle), r * Math.sin(angle)];
    }),
  );

/** Two bars, one across the other. */
function crossed(r: number, turned: number): Path2D {
  const path = new Path2D();
  for (const angle of [turned, turned + Math.PI / 2]) {
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    const [u, v] = [(-y * r) / 3, (x * r) / 3];
    path.addPath(
      closed([
        [x * r + u, y * r + v],
        [x * r - u, y * r - v],
        [-x * r - u, -y * r - v],
        [-x * r + u, -y * r + v],
      ]),
    );
  }
  return path;
}

export interface Colours {
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly card: string;
  readonly series: readonly string[];
}

let kept: Colours | undefined;

/** Of the theme at hand: a canvas knows no variables of CSS. */
export function colours(): Colours {
  if (kept) return kept;
  const probe = document.body.appendChild(document.createElement("span"));
  const of = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  kept = {
    ...{ ink: of("ink"), quiet: of("quiet"), line: of("line"), card: of("card") },
    series: Array.from({ length: LOOKS }, (_, i) => of(`series-${i}`)),
  };
  probe.remove();
  return kept;
}

/** After a change of theme. */
export function forgetColours(): void {
  kept = undefined;
}

/** For a legend. */
export function swatch({ look, dashed, apart }: Series): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const scale = 2;
  [canvas.width, canvas.height] = [22 * scale, 12 * scale];
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(scale, scale);
  context.strokeStyle = context.fillStyle = colours().series[look % LOOKS];
  context.lineWidth = 1.5;
  context.setLineDash(dashed ? [3, 3] : []);
  context.beginPath();
  context.moveTo(0, 6);
  context.lineTo(apart ? 0 : 22, 6);
  context.stroke();
  context.setLineDash([]);
  context.translate(11, 6);
  if (dashed) context.stroke(mark(look, 4));
  else context.fill(mark(look, 4));
  return canvas;
}
