// Numbers and tables as text, in a terminal, in README.md and in a page.
export const fixed = (digits) => (value) => (Number.isFinite(value) ? value.toFixed(digits) : "-");
export const times = (value) => (Number.isFinite(value) ? `${value.toFixed(2)}x` : "-");
export const whole = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString("en") : "-");

/** A Markdown table that also reads well in a terminal: all columns but the first to the right. Notes are a list under it. */
export function markdown({ columns, rows, notes = [] }) {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, c) => Math.max(3, ...cells.map((row) => row[c].length)));
  const line = (row) => `| ${row.map((cell, c) => (c ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))).join(" | ")} |`;
  const rule = widths.map((width, c) => (c ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  const [head, ...body] = cells;
  const under = notes.length ? ["", ...notes.map((note) => `- ${note}`)] : [];
  return [line(head), `| ${rule.join(" | ")} |`, ...body.map(line), ...under].join("\n");
}
