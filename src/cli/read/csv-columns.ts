import { parseId } from "../../interop/read/chunk.js";
import { type FieldNames, findName, idNames, vectorNames } from "../../interop/read/fields.js";
import { InputError } from "../errors.js";
import { isFraction, isNumber } from "./numbers.js";

/** A row of a .csv, and the line it ends on. */
export interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvOptions extends FieldNames {
  /** Whether the first row names the columns; found out where it is not said. */
  readonly header?: boolean;
}

/** What the columns hold. */
export interface Columns {
  /** By column, where there is a header. */
  readonly names: readonly string[] | undefined;
  /** The column of the ids, or -1. */
  readonly id: number;
  /** The column that holds a whole vector as a JSON array, or -1: each of `values` holds one value. */
  readonly vector: number;
  readonly values: readonly number[];
}

/** What columns of row labels are called, in front, by pandas, R and those who name what had no name. */
const LABEL = /^(|index|row[._]?names?|unnamed: 0(\.\d+)*)$/i;
/** What pandas calls its own labels when it reads them again, wherever they have got to. */
const UNNAMED = /^unnamed: 0(\.\d+)*$/i;
/** In a header such a cell would be no name, in a row it is a fault. */
const NO_VALUE = /^([+-]?inf|[+-]?infinity|nan|na|n\/a|#n\/a|null|none|-|\?|)$/i;
/** Fewer columns may look like a series by chance. */
const MIN_SERIES = 3;

/** Finds out by the first two rows what the columns hold; refuses what may be one thing or another. */
export function columnsOf(path: string, first: Row, second: Row | undefined, options: CsvOptions): Columns {
  const wanted = [options.idField, options.vectorField].filter((name) => name !== undefined);
  if (!hasHeader(path, first, second, options.header ?? (wanted.some((name) => first.cells.includes(name)) || undefined))) {
    if (wanted.length > 0) {
      throw new InputError(`${path}: the first line is no header, so no column is named "${wanted[0]}"`);
    }
    return { names: undefined, id: -1, vector: -1, values: first.cells.map((_, i) => i) };
  }
  // numpy.savetxt puts a # in front of its header; R leaves out the name of the row names.
  const written = first.cells.map((name, i) => (i === 0 ? name.replace(/^#\s*/, "") : name));
  const names = second?.cells.length === written.length + 1 ? ["", ...written] : written;
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined) {
    throw new InputError(`${path}: no column "${missing}" (the header has ${names.slice(0, 8).join(", ")})`);
  }
  const columnOf = (wanted: readonly string[]): number => {
    const name = findName(names, wanted);
    return name === undefined ? -1 : names.indexOf(name);
  };
  const labels = Math.max(
    0,
    names.findIndex((name) => !LABEL.test(name)),
  );
  const named = columnOf(idNames(options));
  // Labels in front that are whole numbers serve as ids.
  const id = named < 0 && labels > 0 && parseId(second?.cells[0]) !== undefined ? 0 : named;
  const vector = columnOf(vectorNames(options));
  const isValue = (name: string, i: number): boolean => i >= labels && i !== id && !UNNAMED.test(name);
  const values = names.flatMap((name, i) => (isValue(name, i) ? [i] : []));
  if (vector < 0) {
    expectOneSeries(
      `${path}: line ${first.line}`,
      values.map((i) => names[i] as string),
    );
  }
  return { names, id, vector, values };
}

/** Whether the first row names the columns. `said` is what the user says of it. */
function hasHeader(path: string, { line, cells }: Row, second: Row | undefined, said: boolean | undefined): boolean {
  if (said !== undefined) return said;
  if (cells[0]?.startsWith("#")) return true;
  const fail = (sentence: string) => new InputError(`${path}: line ${line} ${sentence}`);
  const remedy = "--header says that it names the columns, --no-header that it is a vector";
  const name = cells.find((cell) => !isNumber(cell) && !NO_VALUE.test(cell));
  if (name !== undefined) {
    const parts = name.split(/\s+/);
    if (cells.length === 1 && parts.length > 1 && parts.every(isNumber)) {
      throw fail("has spaces between its values: write commas, semicolons or tabs");
    }
    const numbers = cells.filter(isNumber);
    if (numbers.length === 0 || countsFrom(numbers) !== undefined) return true;
    throw fail(`has both ${JSON.stringify(name)} and ${numbers[0]}: ${remedy}`);
  }
  if (cells[0] === "" && countsFrom(cells.slice(1)) === 0) return true;
  if (second === undefined) return false;
  const start = countsFrom(cells);
  const isLong = cells.length >= MIN_SERIES;
  if (start !== undefined && isLong && second.cells.length === cells.length + 1) return true;
  const fractions = isLong && second.cells.every(isFraction);
  if (start === 0 && fractions) return true;
  if (start === 0 || (start === 1 && fractions)) throw fail(`counts from ${start} to ${cells.at(-1)}: ${remedy}`);
  const counted = countsFrom([cells[0] as string, second.cells[0] as string]);
  if (counted !== undefined && isLong && [cells, second.cells].every((row) => row.slice(1).every(isFraction))) {
    throw fail(
      `begins with ${counted}, the next row with ${counted + 1}, as if they numbered the rows: ` +
        `leave that column out or name it "id" in a header; --no-header says that it holds values`,
    );
  }
  return false;
}

/** 0 or 1, where the cells are that and the whole numbers after it. */
function countsFrom(cells: readonly string[]): number | undefined {
  const start = cells[0] === "0" ? 0 : 1;
  return cells.length > 0 && cells.every((cell, i) => cell === String(start + i)) ? start : undefined;
}

/** Refuses names of which a few do not belong to the numbered others, such as doc, 0, 1, 2, ...: these are no values. */
function expectOneSeries(where: string, names: readonly string[]): void {
  const series = names.filter((name) => /\d$/.test(name));
  const odd = names.filter((name) => !series.includes(name));
  const stems = new Set(series.map((name) => name.replace(/\d+$/, "")));
  if (odd.length === 0 || odd.length >= series.length || series.length < MIN_SERIES || stems.size > 1) return;
  throw new InputError(
    `${where}: column "${odd[0]}" is none of ${series[0]} to ${series.at(-1)}: ` +
      "name it by --id-field if it holds the ids, else leave it out",
  );
}
