// Times as JSON has them ("2024-05-01T12:00:00.000Z") take 8 bytes as milliseconds, and stand in the same order.

const FORM = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** Of the years 0 and 9999, which have four digits. */
const FIRST = -62167219200000;
const LAST = 253402300799999;

/** Milliseconds; undefined for every string that Date would not write just so. */
export function instantOf(text: string): number | undefined {
  if (text.length !== 24 || !FORM.test(text)) return undefined;
  const time = Date.parse(text);
  return time >= FIRST && new Date(time).toISOString() === text ? time : undefined;
}

export function isInstant(number: number): boolean {
  return Number.isInteger(number) && number >= FIRST && number <= LAST;
}

export function textOf(instant: number): string {
  return new Date(instant).toISOString();
}

/** The least instant whose text is at or after a string, in the order of strings; after it, where `after`. */
export function instantFrom(text: string, after: boolean): number {
  const passes = (time: number): boolean => (after ? textOf(time) > text : textOf(time) >= text);
  let low = FIRST;
  let high = LAST + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
