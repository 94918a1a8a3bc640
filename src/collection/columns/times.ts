// Times of ISO 8601 are kept as numbers, and stand in the order of their strings. Strings of any other form are strings.

/** A way to write times, in which every time has one string and the strings are in the order of the times. */
interface TimeForm {
  readonly pattern: RegExp;
  /** Milliseconds from one time to the next. */
  readonly step: number;
  write(time: number): string;
}

const MILLISECONDS: TimeForm = {
  pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  step: 1,
  write: (time) => new Date(time).toISOString(),
};
const SECONDS: TimeForm = {
  pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  step: 1000,
  write: (time) => `${new Date(time).toISOString().slice(0, 19)}Z`,
};

/** "2024-05-01T12:00:00.000Z", as Date writes them, and "2024-05-01T12:00:00Z". A number is of steps since 1970: of seconds in 4 bytes. */
export const FORMS: readonly TimeForm[] = [MILLISECONDS, SECONDS];

/** Of the years 0 and 9999, which have four digits, in milliseconds. */
const FIRST = -62167219200000;
const LAST = 253402300799999;
const SHORTEST = 20;
const LONGEST = 24;

/** A time by its form and number; undefined for a string that its form would not write just so. */
export function timeOf(text: string): { readonly form: number; readonly number: number } | undefined {
  if (text.length < SHORTEST || text.length > LONGEST) return undefined;
  const form = FORMS.findIndex(({ pattern }) => pattern.test(text));
  if (form < 0) return undefined;
  const number = Date.parse(text) / FORMS[form].step;
  return isTime(form, number) && textOf(form, number) === text ? { form, number } : undefined;
}

export function isTime(form: number, number: number): boolean {
  const time = number * FORMS[form].step;
  return Number.isInteger(number) && time >= FIRST && time <= LAST;
}

export function textOf(form: number, number: number): string {
  return FORMS[form].write(number * FORMS[form].step);
}

/** The least number of a form whose string is at or after a given one; after it, where `after`. */
export function timeFrom(form: number, text: string, after: boolean): number {
  const passes = (number: number): boolean => (after ? textOf(form, number) > text : textOf(form, number) >= text);
  const { step } = FORMS[form];
  let low = Math.ceil(FIRST / step);
  let high = Math.floor(LAST / step) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
