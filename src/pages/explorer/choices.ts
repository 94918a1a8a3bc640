// Sliders over lists of values, since what matters goes by ratios.
import { element } from "../element.js";

export interface Slider {
  readonly value: number;
  set(value: number): void;
  /** Takes other values, and stays at the nearest to the one it had. */
  offer(values: readonly number[]): void;
}

export function slider(
  id: string,
  values: readonly number[],
  first: number,
  shown: (value: number) => string,
  changed: () => void,
): Slider {
  const input = element(id, HTMLInputElement);
  const output = element(`${id}-value`, HTMLElement);
  let offered = values;
  const value = (): number => offered[Number(input.value)];
  const tell = (): void => {
    output.textContent = shown(value());
    input.setAttribute("aria-valuetext", shown(value()));
  };
  const set = (wanted: number): void => {
    const far = offered.map((one) => Math.abs(Math.log((one + 1e-9) / wanted)));
    input.value = String(far.indexOf(Math.min(...far)));
    tell();
  };
  const offer = (next: readonly number[]): void => {
    const before = value() ?? first;
    offered = next;
    Object.assign(input, { min: "0", max: String(next.length - 1), step: "1" });
    set(before);
  };
  offer(values);
  set(first);
  input.oninput = () => {
    tell();
    changed();
  };
  return {
    get value() {
      return value();
    },
    set,
    offer,
  };
}

/** 1, 2, 5, 10, ... within these. */
export function steps(least: number, most: number): number[] {
  const all: number[] = [];
  for (let ten = 1; ten <= most; ten *= 10) for (const one of [1, 2, 5]) all.push(one * ten);
  return all.filter((value) => value >= least && value <= most);
}
