// The experiments: for the page what they ask, for the worker how they are run.
import * as curse from "./curse.js";
import * as drift from "./drift.js";
import * as filter from "./filter.js";
import * as mips from "./mips.js";
import * as norms from "./norms.js";
import * as pq from "./pq.js";
import * as small from "./small.js";
import * as tombstones from "./tombstones.js";
import * as walk from "./walk.js";

export const ABOUT = [
  walk.about,
  curse.about,
  norms.about,
  mips.about,
  pq.about,
  tombstones.about,
  filter.about,
  drift.about,
  small.about,
];

export const RUNS = {
  walk: walk.run,
  curse: curse.run,
  norms: norms.run,
  mips: mips.run,
  pq: pq.run,
  tombstones: tombstones.run,
  filter: filter.run,
  drift: drift.run,
  small: small.run,
};
