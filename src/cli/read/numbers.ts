/** Numbers as text files spell them. */

const FRACTION = /^[+-]?(\d+[.,]\d*|[.,]?\d+(?=e)|[.,]\d+)(e[+-]?\d+)?$/i;
const ENDLESS = /^([+-]?)inf$/i;

/** The number that a cell spells, NaN and Infinity too; undefined where it spells none. */
export function toNumber(cell: unknown): number | undefined {
  if (typeof cell !== "string" || cell === "") return undefined;
  const value = Number(cell);
  if (!Number.isNaN(value)) return value;
  const sign = ENDLESS.exec(cell)?.[1];
  if (sign !== undefined) return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return cell.toLowerCase() === "nan" ? value : undefined;
}

/** Whether a cell has a decimal point, a decimal comma or an exponent. */
export function isFraction(cell: string): boolean {
  return FRACTION.test(cell);
}

/** Whether a cell spells a finite number, with point or comma. */
export function isNumber(cell: string): boolean {
  return FRACTION.test(cell) || /^[+-]?\d+$/.test(cell);
}

/** A reader of cells that may have decimal commas: it holds a file to the mark that comes first. */
export function localNumbers(): (cell: unknown) => number | undefined {
  let mark: "." | "," | undefined;
  return (cell) => {
    if (typeof cell !== "string") return undefined;
    mark ??= cell.includes(",") ? "," : cell.includes(".") ? "." : undefined;
    if (mark !== ",") return toNumber(cell);
    return cell.includes(".") ? undefined : toNumber(cell.replace(",", "."));
  };
}
