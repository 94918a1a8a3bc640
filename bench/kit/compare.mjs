// What two runs say, side by side: figure by figure, and what only one of them has.
import { times } from "./table.mjs";

/**
 * Both sides are lists of results as finish() in result.mjs leaves them. `tables` and `gates` of what both have, in tables
 * as markdown() takes them; `missing`: [what, the side that has it].
 */
export function compare(old, now) {
  const benches = pairs(old, now, ({ name }) => name);
  const tables = pairsOf(benches, ({ tables }) => Object.entries(tables).map(([name, table]) => ({ name, ...table })));
  const compared = tables.both.map((pair) => tableOf(...pair));
  const gates = pairsOf(benches, (result) => result.gates, "what");
  return {
    tables: Object.fromEntries(compared.map(({ name, table }) => [name, table])),
    gates: { columns: ["gate", "asked", "old", "new", "ratio", "ok"], rows: gates.both.map(gateRow) },
    missing: [
      ...benches.missing.map(([what, side]) => [`bench ${what}`, side]),
      ...tables.missing.map(([what, side]) => [`table ${what}`, side]),
      ...compared.flatMap(({ missing }) => missing),
      ...gates.missing.map(([what, side]) => [`gate ${what}`, side]),
    ],
  };
}

/** { both: [[old, new]], missing: [[key, side]] } of two lists, by the key of their members. */
function pairs(old, now, keyOf) {
  const [before, after] = [old, now].map((all) => new Map(all.map((one) => [keyOf(one), one])));
  const both = [...before].filter(([key]) => after.has(key)).map(([key, one]) => [one, after.get(key)]);
  const only = (mine, theirs, side) => [...mine.keys()].filter((key) => !theirs.has(key)).map((key) => [key, side]);
  return { both, missing: [...only(before, after, "old"), ...only(after, before, "new")] };
}

/** The same of what all benches of both sides have. */
function pairsOf({ both }, partsOf, key = "name") {
  const [old, now] = [0, 1].map((side) => both.flatMap((pair) => partsOf(pair[side])));
  return pairs(old, now, (part) => part[key]);
}

function tableOf(old, now) {
  const labels = labelsOf(old, now);
  const lines = pairs(rowsOf(old, labels), rowsOf(now, labels), ({ label }) => label);
  const columns = pairs(namesOf(old).slice(labels), namesOf(now).slice(labels), (name) => name);
  const rows = lines.both.flatMap(([before, after]) => {
    const cells = columns.both.map(([name]) => [name, before.cells[name], after.cells[name]]);
    return cells.flatMap(([name, a, b]) => figure(before.label, name, a, b));
  });
  const told = (kind, { missing }) => missing.map(([what, side]) => [`table ${old.name}, ${kind} ${what}`, side]);
  return {
    name: old.name,
    table: { columns: ["row", "figure", "old", "new", "ratio"], rows },
    missing: [...told("column", columns), ...told("row", lines)],
  };
}

/** A number beside the other; a text only where it has changed. */
function figure(label, name, a, b) {
  const [old, now] = [a, b].map(numberOf);
  if (Number.isNaN(old) && Number.isNaN(now)) return a === b ? [] : [[label, name, a, b, ""]];
  return [[label, name, a, b, times(now / old)]];
}

function gateRow([old, now]) {
  const change = (a, b) => (a === b ? a : `${a} -> ${b}`);
  const [before, after] = [old, now].map(({ ok }) => (ok ? "yes" : "NO"));
  const ratio = times(numberOf(now.reached) / numberOf(old.reached));
  return [now.what, change(old.asked, now.asked), old.reached, now.reached, ratio, change(before, after)];
}

/** How many of the first columns it takes to tell all rows apart; 1 where none do. */
function labelsOf(...tables) {
  const places = Math.min(...tables.map(({ columns }) => columns.length));
  const apart = (labels) => tables.every(({ rows }) => new Set(rows.map((row) => label(row, labels))).size === rows.length);
  return Array.from({ length: places - 1 }, (_, i) => i + 1).find(apart) ?? 1;
}
const label = (row, labels) => row.slice(0, labels).join(", ");

/** What is there twice gets numbers. */
function numbered(names) {
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before ? `${name} (${before + 1})` : name;
  });
}
const namesOf = ({ columns }) => numbered(columns);

function rowsOf(table, labels) {
  const names = namesOf(table);
  const told = numbered(table.rows.map((row) => label(row, labels)));
  return table.rows.map((row, r) => ({
    label: told[r],
    cells: Object.fromEntries(row.map((cell, c) => [names[c], String(cell)])),
  }));
}

/** 1234.5 of "1,234.5", 6.18 of "6.18x"; NaN where it is not one number. */
function numberOf(cell) {
  return /^-?[\d,]+(\.\d+)?x?$/.test(cell) ? Number(cell.replace(/[,x]/g, "")) : Number.NaN;
}
