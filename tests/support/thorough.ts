// One command, two depths: where CI=true the suites go through everything, for a user through as much as fits some minutes. Every
// family x codec and every variant is in both.

export const THOROUGH = process.env.CI === "true";

/** What a test goes through: `few` for a user, `many` where CI=true. */
export function thorough<Few, Many>(few: Few, many: Many): Few | Many {
  return THOROUGH ? many : few;
}

/** The same count, times VICINAL_TIMES: for nights. */
export function often(few: number, many: number): number {
  return thorough(few, many) * Number(process.env.VICINAL_TIMES ?? 1);
}
