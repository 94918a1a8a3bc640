// What families and codecs have of their own, as flags: one table for every command.
import { Option } from "commander";
import {
  COARSE_NAMES,
  type Codec,
  type Effort,
  type Index,
  KIND_NAMES,
  KINDS,
  type Kind,
  MIPS_NAMES,
  ROTATE_NAMES,
} from "./core.js";
import { UsageError } from "./errors.js";
import { finiteNumber, listOf, orWord, positiveInt } from "./options.js";

/** A flag that only some families or codecs have. */
interface Knob<Owner extends string> {
  /** Its name in camel case is the name `create` has for it, unless `option` says another. */
  readonly flag: string;
  readonly of: readonly Owner[];
  readonly text: string;
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
  readonly option?: string;
}

/** The flag that trades a family's speed for recall. */
interface EffortKnob extends Knob<Kind> {
  readonly parse: (text: string) => number;
  readonly usual: string;
  /** What `eval` measures where it is not told. */
  readonly sweep: (k: number, options: Readonly<Record<string, unknown>>) => number[];
  readonly swept: string;
}

/** What commander has parsed. */
export type Flags = Readonly<Record<string, unknown>>;

const DOUBLING = [1, 2, 4, 8, 16, 32];

const EFFORTS: Readonly<Record<Effort, Omit<EffortKnob, "of">>> = {
  ef: {
    flag: "--ef <n>",
    text: "candidates kept while searching",
    usual: "64",
    parse: positiveInt,
    sweep: (k) => DOUBLING.map((factor) => factor * k),
    swept: `k x ${DOUBLING.join(", ")}`,
  },
  nprobe: {
    flag: "--nprobe <n>",
    text: "lists scanned",
    usual: "8",
    parse: positiveInt,
    sweep: (_, { nlist }) => [...DOUBLING, 64, 128].filter((nprobe, i) => i === 0 || nprobe <= Number(nlist)),
    swept: `${DOUBLING.join(", ")}, 64, 128, as far as there are lists`,
  },
  searchK: {
    flag: "--search-k <n>",
    text: "candidates gathered over all trees",
    usual: "1024",
    parse: positiveInt,
    sweep: (k) => [10, 20, 40, 80, 160, 320].map((factor) => factor * k),
    swept: "k x 10, 20, 40, 80, 160, 320",
  },
  maxLeaves: {
    flag: "--max-leaves <n>",
    text: 'leaves visited, or "all" for the exact answer',
    usual: "all",
    parse: orWord(positiveInt, "all", Number.POSITIVE_INFINITY),
    sweep: () => [4, 16, 64, 256, 1024, Number.POSITIVE_INFINITY],
    swept: "4, 16, 64, 256, 1024, all",
  },
  probes: {
    flag: "--probes <n>",
    text: "buckets looked into per table",
    usual: "32",
    parse: positiveInt,
    sweep: () => [...DOUBLING, 64, 128],
    swept: `${DOUBLING.join(", ")}, 64, 128`,
  },
};

const EFFORT_KNOBS: readonly EffortKnob[] = Object.entries(EFFORTS).map(([name, knob]) => ({
  ...knob,
  of: KIND_NAMES.filter((kind) => KINDS[kind].effort === name),
}));

const FAMILY_KNOBS: readonly Knob<Kind>[] = [
  { flag: "--m <links>", of: ["hnsw"], text: "links per vector (default: 16)", parse: positiveInt },
  { flag: "--ef-construction <n>", of: ["hnsw"], text: "candidates kept while building (default: 200)", parse: positiveInt },
  {
    flag: "--mips <way>",
    of: ["hnsw"],
    text: "with dot: link by inner product as it is, or by one more coordinate as l2 (default: native)",
    choices: MIPS_NAMES,
  },
  { flag: "--fast-scan", of: ["hnsw"], text: "keep the codes of each node's neighbours: faster searches, more memory" },
  { flag: "--prefilter", of: ["flat"], text: "scan a byte per value first: the same answers sooner, more memory" },
  {
    flag: "--nlist <n>",
    of: ["ivf"],
    text: 'lists, or "auto": 4 sqrt(vectors) (default: auto)',
    parse: orWord(positiveInt, "auto", "auto"),
  },
  { flag: "--coarse <way>", of: ["ivf"], text: "how the nearest lists are found (default: auto)", choices: COARSE_NAMES },
  {
    flag: "--expected <n>",
    of: ["ivf"],
    text: "about how many vectors, for --nlist auto (default: counted where the format tells, else those it trains on)",
    parse: positiveInt,
  },
  {
    flag: "--leaf-size <n>",
    of: ["kdtree", "forest"],
    text: "vectors in a leaf before it splits (default: 16; forest 32)",
    parse: positiveInt,
  },
  { flag: "--trees <n>", of: ["forest"], text: "how many trees (default: 16)", parse: positiveInt },
  { flag: "--tables <n>", of: ["lsh"], text: "hash tables (default: 16)", parse: positiveInt },
  { flag: "--bits <n>", of: ["lsh"], text: "hash functions per table (default: 12)", parse: positiveInt },
  {
    flag: "--width <distance>",
    of: ["lsh"],
    text: "with l2: width of a hash cell (default: learned from the vectors)",
    parse: finiteNumber,
  },
];

const CODEC_KNOBS: readonly Knob<Codec>[] = [
  {
    flag: "--pq-m <parts>",
    of: ["pq"],
    option: "m",
    text: "parts, each one code (default: dimensions / 4; with 4 bits / 2)",
    parse: positiveInt,
  },
  { flag: "--pq-bits <n>", of: ["pq"], option: "bits", text: "bits per code, 8 or 4 (default: 8)", parse: positiveInt },
  { flag: "--rotate <way>", of: ["pq"], text: "turn the space first (default: none)", choices: ROTATE_NAMES },
  {
    flag: "--rabitq-bits <n>",
    of: ["rabitq"],
    option: "bits",
    text: "bits per value, 1 to 8 (default: 1)",
    parse: positiveInt,
  },
];

function optionOf({ flag, of, choices, parse }: Knob<string>, text: string): Option {
  const option = new Option(flag, `${of.join(", ")}: ${text}`).helpGroup("Of some families and codecs:");
  if (choices) return option.choices(choices);
  return parse ? option.argParser(parse) : option;
}

/** The flags of `build`, families' and codecs'. */
export function buildKnobs(): Option[] {
  const efforts = EFFORT_KNOBS.map((knob) => optionOf(knob, `${knob.text}, unless the search says (default: ${knob.usual})`));
  return [
    ...FAMILY_KNOBS.map((knob) => optionOf(knob, knob.text)),
    ...efforts,
    ...CODEC_KNOBS.map((knob) => optionOf(knob, knob.text)),
  ];
}

/** The flags of a search. */
export function effortKnobs(): Option[] {
  return EFFORT_KNOBS.map((knob) => optionOf(knob, knob.text));
}

/** The same flags as lists to sweep. */
export function sweepKnobs(): Option[] {
  return EFFORT_KNOBS.map((knob) => {
    const flag = knob.flag.replace("<n>", "<list>");
    const text = `the values to sweep, comma-separated: ${knob.text} (default: ${knob.swept})`;
    return optionOf({ ...knob, flag, parse: listOf(knob.parse) }, text);
  });
}

/** The flags given, by the names `create` and `search` have for them; refuses one that its owner does not have. */
function valuesOf<Owner extends string>(
  knobs: readonly Knob<Owner>[],
  flags: Flags,
  owner: Owner | undefined,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { flag, of, option } of knobs) {
    const key = new Option(flag).attributeName();
    if (flags[key] === undefined) continue;
    if (owner !== undefined && !of.includes(owner)) {
      throw new UsageError(`${flag.split(" ")[0]} is for ${of.join(" and ")}, not for ${owner}`);
    }
    values[option ?? key] = flags[key];
  }
  return values;
}

/** What `build` was given for the family; without a `kind`, whatever families have. */
export function familyValues(flags: Flags, kind: Kind | undefined): Record<string, unknown> {
  return valuesOf([...FAMILY_KNOBS, ...EFFORT_KNOBS], flags, kind);
}

/** What `build` was given for the codec. */
export function codecValues(flags: Flags, codec: Codec): Record<string, unknown> {
  return valuesOf(CODEC_KNOBS, flags, codec);
}

/** The first flag given that some codec has. */
export function codecFlag(flags: Flags): string | undefined {
  const given = CODEC_KNOBS.find(({ flag }) => flags[new Option(flag).attributeName()] !== undefined);
  return given?.flag.split(" ")[0];
}

/** How much a search of this index was told to spend. */
export function effortValues(flags: Flags, { kind }: Index): Partial<Record<Effort, number>> {
  return valuesOf(EFFORT_KNOBS, flags, kind);
}

/** The settings to measure an index with, or undefined where it has none to turn. */
export function sweepOf(flags: Flags, index: Index, k: number): { effort: Effort; values: number[] } | undefined {
  const given = valuesOf(EFFORT_KNOBS, flags, index.kind) as Partial<Record<Effort, number[]>>;
  const { effort } = KINDS[index.kind];
  if (effort === undefined || !index.trained) return undefined;
  return { effort, values: given[effort] ?? EFFORTS[effort].sweep(k, index.stats().options) };
}
