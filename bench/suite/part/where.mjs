// What it takes to find which documents meet a condition: for the first time, when it is asked again, and after one has changed.
import sift from "sift";
import { Columns } from "../../kit/engine.mjs";
import { quick, roundsOr } from "../../kit/options.mjs";
import { atMost, fixed } from "../../kit/result.mjs";
import { median } from "../../kit/timing.mjs";

const COUNT = quick ? 5000 : 100_000;
const ROUNDS = roundsOr(100, 10);
const FIELDS = { lang: "keyword", year: "number", tags: "keyword[]", flag: "boolean" };

/** The same documents in every run: some values many have, and many few. */
function documents() {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const skewed = (many) => Math.floor(next() * next() * many);
  return Array.from({ length: COUNT }, () => ({
    lang: `l${skewed(12)}`,
    year: 1980 + Math.floor(45 * next()),
    tags: Array.from({ length: Math.floor(5 * next()) }, () => `t${skewed(200)}`),
    flag: next() < 0.3,
  }));
}

/** By name, a condition that no other round asks for. */
const CONDITIONS = {
  "{ lang, year range, tags $in }": (i) => ({
    lang: `l${i % 12}`,
    year: { $gte: 1990 + (i % 20), $lt: 2015 + (i % 7) },
    tags: { $in: [`t${i}`, `t${i + 1}`] },
  }),
  "lang $in": (i) => ({ lang: { $in: [`l${i % 12}`, `none ${i}`] } }),
  "year $gte": (i) => ({ year: { $gte: 1980 + i / 4 } }),
  "tags $in": (i) => ({ tags: { $in: [`t${i}`, `t${i + 50}`] } }),
  "$or of lang, $not flag": (i) => ({ $or: [{ lang: `l${i % 12}`, year: { $ne: i } }, { $not: { flag: true } }] }),
};

const us = (work) => {
  const start = performance.now();
  work();
  return 1000 * (performance.now() - start);
};

const AGAIN = 20;

function again(match, where) {
  for (let i = 0; i < AGAIN; i++) match(where);
}

/** Table and gates. */
export function whereTable() {
  const given = documents();
  const columns = new Columns(FIELDS);
  for (const [slot, data] of given.entries()) columns.set(slot, data);
  const bytes = columns.bytes / COUNT;
  const match = (where) => columns.match(columns.parse(where));
  const rows = Object.entries(CONDITIONS).map(([name, whereOf]) => {
    const samples = { first: [], again: [], changed: [], passing: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const where = whereOf(round);
      samples.first.push(us(() => samples.passing.push(match(where).count)));
      samples.again.push(us(() => again(match, where)) / AGAIN);
      const slot = (7919 * round) % COUNT;
      columns.set(slot, given[(slot + 1) % COUNT]);
      samples.changed.push(us(() => match(where)));
      columns.set(slot, given[slot]);
    }
    const bySift = us(() => given.filter(sift(whereOf(0))));
    return { name, bySift, ...Object.fromEntries(Object.entries(samples).map(([what, all]) => [what, median(all)])) };
  });
  const [all] = rows;
  return {
    table: {
      columns: ["condition", "pass", "first time, us", "again, us", "after a change, us", "every document by sift, us"],
      rows: rows.map(({ name, passing, first, again, changed, bySift }) => [
        name,
        `${passing}`,
        fixed(0)(first),
        fixed(1)(again),
        fixed(1)(changed),
        fixed(0)(bySift),
      ]),
    },
    gates: [
      atMost("ms to resolve lang, year range and tags for the first time", all.first / 1000, 1, fixed(2)),
      atMost("us to resolve them again", all.again, 5, fixed(1)),
      atMost("bytes a document for four fields", bytes, 50, fixed(1)),
    ],
  };
}
