// Numbers as people read them.
import type { Axis } from "./messages.js";

const three = (value: number): string =>
  value === 0
    ? "0"
    : value.toLocaleString("en-US", {
        maximumSignificantDigits: Math.abs(value) >= 100 ? Math.ceil(Math.log10(Math.abs(value) + 1)) : 3,
      });

function scaled(value: number, units: readonly (readonly [number, string])[]): string {
  const [size, name] = units.find(([size]) => Math.abs(value) >= size) ?? (units.at(-1) as readonly [number, string]);
  return `${three(value / size)}${name}`;
}

export const time = (ms: number): string =>
  scaled(ms, [
    [1000, " s"],
    [1, " ms"],
    [0.001, " µs"],
  ]);
export const bytes = (count: number): string =>
  scaled(count, [
    [1e12, " TB"],
    [1e9, " GB"],
    [1e6, " MB"],
    [1e3, " kB"],
    [1, " B"],
  ]);
export const count = (n: number): string => Math.round(n).toLocaleString("en-US");
/** As 10k. */
export const short = (n: number): string =>
  scaled(n, [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
    [1, ""],
  ]);
export const recall = (value: number): string => value.toFixed(value > 0.99 && value < 1 ? 4 : 3);
export const share = (value: number): string => `${three(100 * value)} %`;

const UNITS: Readonly<Record<NonNullable<Axis["unit"]>, (value: number) => string>> = {
  bytes,
  ms: time,
  share,
  count: short,
  recall: (value) => String(Number(value.toFixed(4))),
};

/** A value on an axis. */
export const onAxis = ({ unit }: Axis, value: number): string => (unit ? UNITS[unit](value) : three(value));
