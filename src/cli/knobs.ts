// What families and codecs have of their own, as flags: one table for every command. Families' names, choices and defaults are those
// of src/words/knobs.ts.
import { Option } from "commander";
import {
  type Codec,
  type Effort,
  type Index,
  KIND_NAMES,
  KINDS,
  type Kind,
  KNOBS,
  ROTATE_NAMES,
  type Knob as Row,
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
  readonly name: Effort;
}

/** What commander has parsed. */
export type Flags = Readonly<Record<string, unknown>>;

interface Help {
  readonly text: string;
  /** What the value is; "n" where nothing is said. */
  readonly value?: string;
  /** In place of the table's. */
  readonly usual?: string;
}

type Name = { [K in Kind]: keyof (typeof KNOBS)[K] }[Kind];

/** In the order of the help. The command line builds with one thread. */
const HELP: Readonly<Record<Exclude<Name, Effort | "threads">, Help>> = {
  m: { value: "links", text: "links per vector" },
  efConstruction: { text: "candidates kept while building" },
  mips: {
    value: "way",
    text: "with dot: link by inner product as it is, or with half of a coordinate that makes rows equally long",
  },
  fastScan: { text: "keep the codes of each node's neighbours: faster searches, more memory" },
  atOnce: { text: "link many vectors together: built sooner" },
  prefilter: { text: "scan a byte per value first: the same answers sooner, more memory" },
  nlist: { text: 'lists, or "auto": 4 sqrt(vectors)' },
  coarse: { value: "way", text: "how the nearest lists are found" },
  expected: {
    text: "about how many vectors, for --nlist auto",
    usual: "counted where the format tells, else those it trains on",
  },
  leafSize: { text: "vectors in a leaf before it splits" },
  trees: { text: "how many trees" },
  tables: { text: "hash tables" },
  bits: { text: "hash functions per table" },
  width: { value: "distance", text: "with l2: width of a hash cell", usual: "learned from the vectors" },
};

const DOUBLING = [1, 2, 4, 8, 16, 32];

interface Sweep {
  readonly text: string;
  /** What `eval` measures where it is not told. */
  readonly sweep: (k: number, options: Readonly<Record<string, unknown>>) => number[];
  readonly swept: string;
}

const EFFORTS: Readonly<Record<Effort, Sweep>> = {
  ef: {
    text: "candidates kept while searching",
    sweep: (k) => DOUBLING.map((factor) => factor * k),
    swept: `k x ${DOUBLING.join(", ")}`,
  },
  nprobe: {
    text: "lists scanned",
    sweep: (_, { nlist }) => [...DOUBLING, 64, 128].filter((nprobe, i) => i === 0 || nprobe <= Number(nlist)),
    swept: `${DOUBLING.join(", ")}, 64, 128, as far as there are lists`,
  },
  searchK: {
    text: "candidates gathered over all trees",
    sweep: (k) => [10, 20, 40, 80, 160, 320].map((factor) => factor * k),
    swept: "k x 10, 20, 40, 80, 160, 320",
  },
  maxLeaves: {
    text: 'leaves visited, or "all" for the exact answer',
    sweep: () => [4, 16, 64, 256, 1024, Number.POSITIVE_INFINITY],
    swept: "4, 16, 64, 256, 1024, all",
  },
  probes: {
    text: "buckets looked into per table",
    sweep: () => [...DOUBLING, 64, 128],
    swept: `${DOUBLING.join(", ")}, 64, 128`,
  },
};

/** The families that have an option, each with its row. */
function rowsOf(name: string): [kind: Kind, row: Row][] {
  return KIND_NAMES.flatMap((kind): [Kind, Row][] => {
    const rows: Readonly<Record<string, Row>> = KNOBS[kind];
    return name in rows ? [[kind, rows[name] as Row]] : [];
  });
}

const shown = (usual: Row["usual"]): string => (usual === Number.POSITIVE_INFINITY ? "all" : String(usual));

/** `16; forest 32` */
function usualOf(name: string): string {
  const [[, first], ...others] = rowsOf(name) as [[Kind, Row], ...[Kind, Row][]];
  const differing = others.filter(([, { usual }]) => usual !== first.usual);
  return [shown(first.usual), ...differing.map(([kind, { usual }]) => `${kind} ${shown(usual)}`)].join("; ");
}

function parserOf({ range, real, usual }: Row): ((text: string) => unknown) | undefined {
  if (!range) return undefined;
  if (real) return finiteNumber;
  if (usual === Number.POSITIVE_INFINITY) return orWord(positiveInt, "all", usual);
  return typeof usual === "string" ? orWord(positiveInt, usual, usual) : positiveInt;
}

/** A family's option as a flag: `--ef-construction <n>`. */
function knobOf(name: string, text: string, value = "n"): Knob<Kind> {
  const rows = rowsOf(name);
  const [, row] = rows[0] as [Kind, Row];
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return {
    flag: `--${words}${row.range || row.choices ? ` <${value}>` : ""}`,
    of: rows.map(([kind]) => kind),
    text,
    parse: parserOf(row),
    choices: row.choices,
  };
}

const FAMILY_KNOBS: readonly Knob<Kind>[] = Object.entries(HELP).map(([name, { text, value, usual = usualOf(name) }]) =>
  knobOf(name, usual === "undefined" ? text : `${text} (default: ${usual})`, value),
);

const EFFORT_KNOBS = (Object.keys(EFFORTS) as Effort[]).map((name) => ({
  ...knobOf(name, EFFORTS[name].text),
  name,
})) as EffortKnob[];

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
  const efforts = EFFORT_KNOBS.map((knob) =>
    optionOf(knob, `${knob.text}, unless the search says (default: ${usualOf(knob.name)})`),
  );
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
    const text = `the values to sweep, comma-separated: ${knob.text} (default: ${EFFORTS[knob.name].swept})`;
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

/** What an option of a family is, in a few words. */
export function textOf(name: Name): string {
  const texts: Readonly<Partial<Record<Name, Help>>> = HELP;
  return texts[name]?.text ?? EFFORTS[name as Effort].text;
}
