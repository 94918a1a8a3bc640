// What each family has of its own: options of its `create`, as numbers of the state. Creating, files, stats and the command line read
// these rows; the types and sentences for users stand with the classes, the command line's help in src/cli/knobs.ts, and the compiler
// holds both to the names here.
import { badOption, show } from "./errors.js";
import type { Kind, Metric } from "./kinds.js";
import { MAX_SLOTS } from "./limits.js";
import { flag, integer, oneOf, real } from "./options.js";
import { NONE, type State } from "./state.js";

/** By state.mips: MIPS_* of assembly/memory/state.ts. */
export const MIPS_NAMES = ["native", "augment"] as const;
/** By state.coarseGraph. */
export const COARSE_NAMES = ["exact", "hnsw", "auto"] as const;

export type Range = readonly [least: number, most: number];

/** With neither a range nor choices: true or false, by default false. */
export interface Knob {
  /** The number of the state it becomes, where that has another name. What is in no state is for the class to use. */
  readonly field?: keyof State;
  readonly range?: Range;
  /** Of the range not the whole numbers only. */
  readonly real?: true;
  /** Words; the state has their places. */
  readonly choices?: readonly string[];
  /** Where nothing is said. With a range "auto" and undefined are 0 in the state: to be decided; Infinity is NONE. */
  readonly usual?: number | string;
  /** Only under this metric. */
  readonly metric?: Metric;
}

/** A family's own options, by their names. */
export type Knobs = Readonly<Record<string, Knob>>;

/** Of efforts: what the family's searches spend where they do not say. */
const AT_LEAST_1 = [1, NONE] as const;
const LEAF_SIZE = [2, 4096] as const;

// A table per family, so that a page has those of the families it uses.
export const FLAT = { prefilter: {} } as const satisfies Knobs;
export const HNSW = {
  m: { range: [2, 512], usual: 16 },
  efConstruction: { range: [1, 65536], usual: 200 },
  ef: { field: "effort", range: AT_LEAST_1, usual: 64 },
  mips: { choices: MIPS_NAMES, usual: "native", metric: "dot" },
  fastScan: {},
  atOnce: {},
  /** One more than assembly/family/graph/bulk/team.ts has room for beside the first. */
  threads: { range: [1, 32], usual: 1 },
} as const satisfies Knobs;
export const IVF = {
  nlist: { range: [1, 65536], usual: "auto" },
  nprobe: { field: "effort", range: AT_LEAST_1, usual: 8 },
  coarse: { field: "coarseGraph", choices: COARSE_NAMES, usual: "auto" },
  expected: { range: [1, MAX_SLOTS] },
} as const satisfies Knobs;
export const KDTREE = {
  leafSize: { range: LEAF_SIZE, usual: 16 },
  maxLeaves: { field: "effort", range: AT_LEAST_1, usual: Infinity },
} as const satisfies Knobs;
export const FOREST = {
  trees: { range: [1, 1024], usual: 16 },
  leafSize: { range: LEAF_SIZE, usual: 32 },
  searchK: { field: "effort", range: AT_LEAST_1, usual: 1024 },
} as const satisfies Knobs;
export const LSH = {
  tables: { field: "trees", range: [1, 256], usual: 16 },
  bits: { field: "hashBits", range: [1, 32], usual: 12 },
  probes: { field: "effort", range: AT_LEAST_1, usual: 32 },
  width: { range: [1e-30, 1e30], real: true, metric: "l2" },
} as const satisfies Knobs;

export const KNOBS = { flat: FLAT, hnsw: HNSW, ivf: IVF, kdtree: KDTREE, forest: FOREST, lsh: LSH } as const satisfies Record<
  Kind,
  Knobs
>;

/** An option as the state has it, checked. */
function settingOf(name: string, { range, real: any, choices, usual }: Knob, value: unknown = usual): number {
  if (choices) return choices.indexOf(oneOf(name, value, choices));
  if (!range) return Number(flag(name, value));
  if (value === usual && !((value as number) < Infinity)) return value === Infinity ? NONE : 0;
  return (any ? real : integer)(name, value, ...range);
}

/** What `create` was given of the family's own, checked, by the names of the state; what is in no state by its own. */
export function settingsOf(knobs: Knobs, options: { readonly metric?: Metric }): Record<string, number> {
  const metric = options.metric ?? "cosine";
  const settings: Record<string, number> = {};
  for (const [name, knob] of Object.entries(knobs)) {
    const value = (options as Record<string, unknown>)[name] ?? undefined;
    settings[knob.field ?? name] = settingOf(name, knob, value);
    if (value !== undefined && knob.metric && knob.metric !== metric) {
      throw badOption(`${name} is for metric ${show(knob.metric)}, not ${show(metric)}`);
    }
  }
  return settings;
}

type Options = Record<string, number | string | boolean>;

/** The other way: as `create` takes them; without what is false or not of the metric. */
export function optionsFrom(knobs: Knobs, metric: Metric, state: Readonly<Record<string, number>>): Options {
  const options: Options = {};
  for (const [name, { field = name, range, choices, metric: only = metric }] of Object.entries(knobs)) {
    const value = state[field];
    if (value === undefined || only !== metric) continue;
    if (choices) options[name] = choices[value];
    else if (range) options[name] = value === NONE ? Infinity : value || "auto";
    else if (value) options[name] = true;
  }
  return options;
}
