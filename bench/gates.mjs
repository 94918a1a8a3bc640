// What compressed codes and training must be worth: fast-scan against lookups, lookups against plain JS, IVF-PQ and rabitq
// against the exact scan, k-means against plain JS.
import { codeScans } from "./code-scan.mjs";
import { ivfPq, rabitq } from "./compressed.mjs";
import { loadSet } from "./data.mjs";
import { kmeans } from "./kmeans.mjs";
import { limitOr, quick } from "./options.mjs";
import { enableRelaxed } from "./relaxed.mjs";
import { finish } from "./result.mjs";

const SET = "gutenberg-sif-160";

enableRelaxed();
const set = loadSet(SET, { limit: limitOr(5000), queries: quick ? 50 : Infinity });
const parts = {};
if (set) {
  parts.scans = await codeScans(set);
  parts.ivf = await ivfPq(set);
  parts.kmeans = await kmeans(set);
}
parts.rabitq = await rabitq();

const all = Object.values(parts);
finish("gates", {
  tables: Object.assign({}, ...all.map(({ tables }) => tables)),
  gates: all.flatMap(({ gates }) => gates),
  data: Object.fromEntries(Object.entries(parts).map(([name, { data }]) => [name, data])),
});
