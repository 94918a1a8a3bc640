// What is said twice: once in assembly/, and once in src/, asconfig.json or the build, which do not run it. Both texts are read and
// compared, and what the modules export with src/border/exports.ts; a difference ends the build with a sentence that names both places.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";

const CODES = "assembly/base/codes.ts";
const SIMD = "assembly/base/simd.ts";
const ARENA = "assembly/memory/arena.ts";
const STATE = "assembly/memory/state.ts";
const KINDS = "src/words/kinds.ts";
const ENGINE = "src/border/engine.ts";
const EXPORTS = "src/border/exports.ts";
const BUILDS = "src/border/builds.ts";
const RARE = "src/border/builds-rare.ts";
const CONFIG = "asconfig.json";

/** One side of a twin: what it is called where, and how a text says it: an object of names and values. */
const side = (file, what, read) => ({ file, what, read });

const evaluated = (expression) => runInNewContext(expression);

/** What `pattern` finds; `undefined` is a word that is gone. */
function all(text, pattern) {
  const found = [...text.matchAll(pattern)];
  return found.length ? found : undefined;
}

/** The number `NAME`, or `more` than that. */
const number = (file, name, more = 0) =>
  side(file, more ? `${name} + ${more}` : name, (text) => {
    const [found] = all(text, new RegExp(`\\bconst ${name}(?:: \\w+)? = ([^;]+);`, "g")) ?? [];
    return found && { "": evaluated(found[1]) + more };
  });

/** Constants of one prefix, by what follows it. */
const numbers = (file, prefix) =>
  side(file, `${prefix}*`, (text) => {
    const found = all(text, new RegExp(`\\bconst ${prefix}(\\w+)(?:: \\w+)? = (-?\\d+);`, "g"));
    return found && Object.fromEntries(found.map(([, name, value]) => [name.toLowerCase(), Number(value)]));
  });

/** Names by their places in a list. */
const list = (file, name) =>
  side(file, name, (text) => {
    const [found] = all(text, new RegExp(`\\bconst ${name} = \\[([^\\]]*)\\] as const;`, "g")) ?? [];
    return found && Object.fromEntries(evaluated(`[${found[1]}]`).map((word, i) => [word, i]));
  });

/** The members of an enum by their places. */
const members = (file, name) =>
  side(file, `enum ${name}`, (text) => {
    const [found] = all(text, new RegExp(`\\benum ${name} {([^}]*)}`, "g")) ?? [];
    return found && Object.fromEntries([...found[1].matchAll(/\w+/g)].map(([word], i) => [word, i]));
  });

/** The same of sentences: "walk, then scan" is walk_then_scan. */
const phrases = (file, name) =>
  side(file, name, (text) => {
    const said = list(file, name).read(text);
    return said && Object.fromEntries(Object.entries(said).map(([words, i]) => [words.replace(/,? /g, "_"), i]));
  });

/** `A ? 2 : B ? 1 : 0` as the numbers of A, B and `otherwise`; `also` are other names. */
const choice = (file, name, otherwise, also = {}) =>
  side(file, name, (text) => {
    const [found] = all(text, new RegExp(`\\bconst ${name}: i32 = ((?:\\w+ \\? \\d : )+)(\\d);`, "g")) ?? [];
    if (!found) return undefined;
    const cases = [...found[1].matchAll(/(\w+) \? (\d)/g)].map(([, word, value]) => [
      also[word] ?? word.toLowerCase(),
      Number(value),
    ]);
    return Object.fromEntries([...cases, [otherwise, Number(found[2])]]);
  });

/** Fields with their types, laid out as AssemblyScript does: each from a multiple of its size on. */
function laidOut(found, say) {
  let end = 0;
  const said = [...found].map(([, field, type]) => {
    const bytes = Number(type.slice(1)) / 8;
    const at = Math.ceil(end / bytes) * bytes;
    end = at + bytes;
    return [field, say(at, type)];
  });
  return said.length ? Object.fromEntries(said) : undefined;
}
const place = (at, type) => `${type} at ${at}`;

/** The fields of a class without a base. */
const fields = (file, name, say = place) =>
  side(file, `class ${name}`, (text) => {
    const [body] = all(text, new RegExp(`@unmanaged export class ${name} {\n([^}]*)\n}`, "g")) ?? [];
    return laidOut((body?.[1] ?? "").matchAll(/^ {2}(\w+): (\w+);/gm), say);
  });

/** `name: "u32",` */
const layout = (file, name) =>
  side(file, name, (text) => {
    const [body] = all(text, new RegExp(`\\bconst ${name} = {\n([^}]*)\n} as const;`, "g")) ?? [];
    return laidOut((body?.[1] ?? "").matchAll(/^ {2}(\w+): "(\w+)",$/gm), place);
  });

/** The most of an option in KNOBS. */
const most = (name) =>
  side("src/words/knobs.ts", `KNOBS ${name}`, (text) => {
    const [found] = all(text, new RegExp(`^ +${name}: { range: \\[[^,]+, ([^\\]]+)\\]`, "gm")) ?? [];
    return found && { "": evaluated(found[1]) };
  });

/** The four letters of a section's name. */
const letters = (file, name) =>
  side(file, name, (text) => {
    const [found] = all(text, new RegExp(`\\bconst ${name}(?:: u32)? = (?:0x\\w+; // )?"(.{4})"`, "g")) ?? [];
    return found && { "": found[1] };
  });

const config = (what, read) => side(CONFIG, what, (text) => read(JSON.parse(text)));
const present = (names) => names.length && Object.fromEntries(names.map((name) => [name, "listed"]));
/** Of the builds that asconfig.json has, and those that a file loads. */
const targetsOf = (wanted) => config("targets", ({ targets }) => present(Object.keys(targets).filter(wanted)));
const loadersOf = (file, name) =>
  side(file, name, (text) => present([...text.matchAll(/import\("vicinal-wasm:([\w-]+)"\)/g)].map(([, build]) => build)));

/** Of those in RARE, what a file refers to. */
const namesOf = (file, name) =>
  side(file, name, (text) => present([...text.matchAll(/\brare\("([\w-]+)"\)/g)].map(([, build]) => build)));

/** Pairs that say the same; `within`: the second need not say all that the first does. */
const TWINS = [
  [numbers(CODES, "METRIC_"), list(KINDS, "METRIC_NAMES")],
  [numbers(CODES, "CODEC_"), list(KINDS, "CODEC_NAMES")],
  [numbers(CODES, "KIND_"), list(KINDS, "KIND_NAMES")],
  [numbers(CODES, "RERANK_"), list(KINDS, "RERANK_NAMES")],
  [numbers(CODES, "ROTATE_"), list(KINDS, "ROTATE_NAMES")],
  [numbers(STATE, "MIPS_"), list("src/words/knobs.ts", "MIPS_NAMES")],
  [choice(SIMD, "VARIANT", "scalar"), list("src/border/variants.ts", "VARIANTS")],
  [choice(CODES, "BUILD", "core", { ALL: "full" }), list(KINDS, "BUILDS")],
  [numbers(CODES, "PLAN_"), phrases("src/border/answers.ts", "PLANS")],
  [numbers(CODES, "E_"), numbers("src/words/codes.ts", "E_"), "within"],
  [number(CODES, "NONE"), number("src/words/state.ts", "NONE")],
  [number(CODES, "NONE", -1), number("src/input/vectors.ts", "MAX_ID")],
  [fields(STATE, "State"), layout("src/words/state.ts", "LAYOUT")],
  [number(ARENA, "STATE_BYTES"), number("src/words/state.ts", "STATE_BYTES")],
  [fields("assembly/search/work.ts", "Work", (at) => at / 4), members(ENGINE, "Work"), "within"],
  [number("assembly/memory/store.ts", "GROUP"), number(ENGINE, "GROUP")],
  [number("assembly/base/key.ts", "MAX_SLOTS"), number("src/words/limits.ts", "MAX_SLOTS")],
  [number("assembly/family/graph/bulk/team.ts", "MOST_WORKERS", 1), most("threads")],
  [number("assembly/family/lsh/lsh.ts", "WIDTH_SAMPLE"), number("src/words/training-needs.ts", "WIDTH_POINTS")],
  [letters("assembly/kernel/centres.ts", "TAG_CELLS"), letters("src/base/coarse-graph.ts", "CENTROIDS")],
  [letters("assembly/family/graph/twins.ts", "TAG_TWIN"), letters("src/border/copies.ts", "TWINS")],
  [letters("assembly/family/graph/graph.ts", "TAG_UPPER"), letters("src/file/format.ts", "UPPER_TAG")],
  [number(ARENA, "PAGE"), number("src/words/needs.ts", "PAGE_BYTES")],
  [number(ARENA, "STATIC"), number(ENGINE, "RECORDS_BYTES")],
  [number(ARENA, "STATIC"), config("memoryBase", ({ options }) => ({ "": options.memoryBase }))],
  [config("maximumMemory", ({ targets }) => ({ "": targets.threads.maximumMemory })), number("src/words/needs.ts", "MAX_PAGES")],
  [targetsOf((name) => /^(simd|relaxed)/.test(name) && !name.endsWith("-whole")), loadersOf(BUILDS, "LOADERS")],
  [targetsOf((name) => /^(scalar|threads)|^(simd|relaxed)-whole$/.test(name)), loadersOf(RARE, "RARE")],
  [loadersOf(RARE, "RARE"), namesOf(BUILDS, "LOADERS")],
  [targetsOf((name) => name.startsWith("shared")), loadersOf("src/pool/builds.ts", "SHARED")],
  ...["FREQUENT", "DIGITS"].map((name) => [number("src/build/text.mjs", name), number("src/border/wasm-text.ts", name)]),
];

const fromDisk = (file) => readFileSync(file, "utf8");

function said({ file, what, read }, text) {
  const found = read(text);
  if (!found) throw new Error(`${file} has no ${what} any more, which src/build/twins.mjs compares`);
  return found;
}

/** Where the two sides of a twin say different things. */
function differences([one, other, within], read) {
  const [a, b] = [one, other].map((each) => said(each, read(each.file)));
  const names = within ? Object.keys(b) : [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const is = ({ what, file }, name, value = "missing") => `${what}${name && ` "${name}"`} is ${value} in ${file}`;
  return names.filter((name) => a[name] !== b[name]).map((name) => `${is(one, name, a[name])}, but ${is(other, name, b[name])}`);
}

/** Section names are numbers whose letters stand beside them. */
function misspelt(read) {
  const files = readdirSync("assembly", { recursive: true }).filter((file) => file.endsWith(".ts"));
  return files.flatMap((name) => {
    const file = join("assembly", name).replaceAll("\\", "/");
    return [...read(file).matchAll(/\bconst (TAG_\w+): u32 = (\w+);(?: \/\/ "(.*)")?/g)].flatMap(([, tag, value, word = ""]) => {
      const spelt = String.fromCharCode(...[0, 8, 16, 24].map((shift) => (Number(value) >>> shift) & 255));
      return spelt === word ? [] : [`${tag} of ${file} is "${spelt}", and says of itself that it is "${word}"`];
    });
  });
}

function end(sentences) {
  if (sentences.length) throw new Error(sentences.join("\n"));
}

/** Throws where sources differ from their twins; `read` gives the text of a file. */
export function checkTwins(read = fromDisk) {
  end([...TWINS.flatMap((twin) => differences(twin, read)), ...misspelt(read)]);
}

/** What an interface of EXPORTS declares: by name, how many arguments it takes, or undefined for what is no function. */
function declared(text, name) {
  const [body] = all(text, new RegExp(`\\binterface ${name} [^{]*{\n([\\s\\S]*?)\n}`, "g")) ?? [];
  const members = body && all(body[1], /^ {2}(?:readonly )?(\w+)(\??)(?:\((.*)\))?: /gm);
  if (!members) throw new Error(`${EXPORTS} has no interface ${name} any more, which src/build/twins.mjs compares`);
  return members.map(([, member, optional, taken]) => ({
    member,
    optional: optional !== "",
    taken: taken === undefined ? undefined : taken.split(",").filter(Boolean).length,
  }));
}

/** Throws where a build exports something else than EXPORTS declares of it, in name or number of arguments, or is another build. */
export function checkExports(folder, read = fromDisk) {
  const text = read(EXPORTS);
  const [every, full] = [declared(text, "Exports"), declared(text, "FullExports")];
  const wanted = {
    "scalar-core": every.filter(({ optional }) => !optional),
    "scalar-graph": every,
    scalar: [...every.filter(({ optional }) => !optional), ...full],
    "scalar-whole": [...every, ...full],
  };
  end(
    Object.entries(wanted).flatMap(([name, members], build) => {
      const module = new WebAssembly.Module(readFileSync(join(folder, `${name}.wasm`)));
      const { exports } = new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } });
      const differ = (member, how) => `${name}.wasm (assembly/exports) and ${EXPORTS} differ: ${member} ${how}`;
      const missing = members
        .filter(({ member }) => !(member in exports))
        .map(({ member }) => differ(member, "is declared only"));
      const spare = Object.keys(exports).filter((one) => one !== "memory" && !members.some(({ member }) => member === one));
      const otherwise = members.filter(({ member, taken }) => member in exports && exports[member].length !== taken);
      return [
        ...missing,
        ...spare.map((member) => differ(member, "is exported only")),
        ...otherwise.map(({ member, taken }) =>
          differ(member, `takes ${exports[member].length} arguments, ${taken} are declared`),
        ),
        ...(exports.build?.() === build
          ? []
          : [`${name}.wasm says that it is build ${exports.build?.()} of BUILDS, not ${build}`]),
      ];
    }),
  );
}
