import Table from "cli-table3";

const NO_BORDERS = Object.fromEntries(
  ["top", "bottom", "left", "right"].flatMap((side) => [
    [side, ""],
    [`${side}-mid`, ""],
    [`${side}-left`, ""],
    [`${side}-right`, ""],
  ]),
);
const PLAIN = {
  chars: { ...NO_BORDERS, mid: "", "mid-mid": "", middle: "   " },
  style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
};

/** Lines up rows under a head. A head that starts with "<" sets its column left; the others are set right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const colAligns = head.map((title) => (title.startsWith("<") ? "left" : "right"));
  const lines = new Table({ ...PLAIN, head: head.map((title) => title.replace(/^</, "")), colAligns });
  lines.push(...rows.map((row) => [...row]));
  return trimEnds(lines.toString());
}

/** Lines up names and their values. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string {
  const lines = new Table({ ...PLAIN, colAligns: ["left", "left"] });
  lines.push(...pairs.map((pair) => [...pair]));
  return trimEnds(lines.toString());
}

/** Writes to standard output, as JSON alone when the command was asked for it. */
export function print(text: string, stream: NodeJS.WritableStream = process.stdout): void {
  stream.write(`${text}\n`);
}

export function printJson(value: unknown, stream?: NodeJS.WritableStream): void {
  // JSON has no Infinity, which is how an option says "all".
  print(
    JSON.stringify(value, (_, one) => (one === Number.POSITIVE_INFINITY ? "all" : one), 2),
    stream,
  );
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A number and what it counts: "1 file", "2,000 files". */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Bytes in decimal units. */
export function bytes(value: number): string {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return power === 0 ? `${Math.round(value)} B` : `${(value / 1000 ** power).toFixed(1)} ${["kB", "MB", "GB"][power - 1]}`;
}

/** Three significant digits, never in powers of ten: 0.0123, 1.23, 12.3, 1234. */
export function figure(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

/** A distance with the digits a float32 can tell apart. */
export function distance(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(6);
}

export function seconds(ms: number): string {
  return `${figure(ms / 1000)} s`;
}

function trimEnds(text: string): string {
  return text.replace(/ +$/gm, "");
}
