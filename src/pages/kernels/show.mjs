// The table, and the same as bars: tables too, every bar beside its number, so that they can be read aloud.

import { VARIANTS } from "./kernels.mjs";
import { times } from "./table.mjs";

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function numbers({ columns, rows }) {
  const line = (name, cells) => element("tr", {}, ...cells.map((cell, i) => element(i ? name : "th", {}, String(cell))));
  const table = element(
    "table",
    { className: "numbers" },
    element("caption", {}, columns[0]),
    line("th", ["", ...columns.slice(1)]),
  );
  table.append(...rows.map((row) => line("td", row)));
  return element("div", { className: "wide", tabIndex: 0 }, table);
}

/** A chart for each number of dimensions: per kernel, JS and the variants as multiples of JS. */
export function bars(cells, variants) {
  return [...new Set(cells.map(({ d }) => d))].map((d) => {
    const kernels = cells
      .filter((cell) => cell.d === d)
      .map(({ name, js, wasm }) => ({ name, ratios: ratiosOf(js, wasm, variants) }));
    const most = Math.max(...kernels.flatMap(({ ratios }) => ratios.map(([, ratio]) => ratio)));
    const bar = (ratio) => element("span", { className: "bar", style: `width: ${(80 * ratio) / most}%` });
    const groups = kernels.map(({ name, ratios }) => {
      const lines = ratios.map(([who, ratio]) =>
        element("tr", { className: who }, element("td", {}, who), element("td", {}, bar(ratio), times(ratio))),
      );
      lines[0].prepend(element("th", { rowSpan: ratios.length, scope: "rowgroup" }, name));
      return element("tbody", {}, ...lines);
    });
    return element("table", { className: "bars" }, element("caption", {}, `${d} dimensions, multiples of plain JS`), ...groups);
  });
}

const ratiosOf = (js, wasm, variants) => [["js", 1], ...variants.map((name) => [name, wasm[VARIANTS.indexOf(name)] / js])];
