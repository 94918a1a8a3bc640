// What compressed codes and training must be worth: fast-scan against lookups, lookups against plain JS, IVF-PQ and rabitq
// against the exact scan, k-means against plain JS.

import { loadSet } from "../kit/data.mjs";
import { limitOr, quick } from "../kit/options.mjs";
import { enableRelaxed } from "../kit/relaxed.mjs";
import { finish } from "../kit/result.mjs";
import { codeScans } from "./part/code-scan.mjs";
import { ivfPq, rabitq } from "./part/compressed.mjs";
import { kmeans } from "./part/kmeans.mjs";

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
