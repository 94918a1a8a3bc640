// Words alone, vectors alone and both, on real texts with judged queries: recall@10. Counts alone: nothing here is timed.
import MiniSearch from "minisearch";
import { Flat } from "vicinal";
import { hybrid } from "vicinal/hybrid";
import { loadSet, loadTexts, queriesOf } from "../kit/data.mjs";
import { chapters, embeddedBy, judgedOf, readmeSections, recalls } from "../kit/open-judged.mjs";
import { limitOr, sets } from "../kit/options.mjs";
import { atLeast, finish, fixed } from "../kit/result.mjs";

const FUSES = ["rrf", ...[0.1, 0.2, 0.3, 0.4, 0.5, 0.7].map((vectors) => ({ vectors, text: Number((1 - vectors).toFixed(1)) }))];
const share = fixed(3);
/** Of passages that ask with all their words, each of which takes MiniSearch some 300 ms. */
const PASSAGES_THAT_ASK = 75;

const readmes = async (most, how) => {
  const judged = judgedOf(await readmeSections(Math.min(most, limitOr(300))));
  const rows = await embeddedBy(how, judged);
  return rows && { judged, rows };
};

/** Each gives what is stored and asked, or nothing where a part of it is missing. */
const SETS = {
  "README titles, 400 passages, sentence model": () => readmes(400, "sentences"),
  "README titles, sentence model": () => readmes(Infinity, "sentences"),
  "README titles, wording": () => readmes(Infinity, "wording"),
  "bible-bge-1024, chapters": async () => {
    const set = loadSet("bible-bge-1024", { neighbours: 0, limit: limitOr(1000), queries: PASSAGES_THAT_ASK });
    if (!set) return undefined;
    const [stored, keptBack] = ["texts", "query_texts"].map((name) => loadTexts(set.name, name));
    const rows = Array.from({ length: set.n }, (_, i) => set.base.subarray(i * set.d, (i + 1) * set.d));
    return { judged: chapters(stored.slice(0, set.n), keptBack.slice(0, set.nq)), rows: [rows, queriesOf(set)] };
  },
};

/** Of every second query, what fuses best for the others: no query has a say in how it is asked itself. */
function chosenByOthers(halves) {
  const best = ({ fused }) => fused.indexOf(Math.max(...fused));
  return (halves[0].fused[best(halves[1])] + halves[1].fused[best(halves[0])]) / 2;
}

async function measured({ judged, rows: [stored, queryVectors] }) {
  const index = await Flat.create({ dimensions: stored[0].length, metric: "cosine" });
  index.add(stored);
  const mini = new MiniSearch({ fields: ["text"] });
  mini.addAll(judged.passages);
  const said = new Map(judged.queries.map(({ text }) => [text, mini.search(text).map(({ id, score }) => ({ id, score }))]));
  const of = (test) =>
    recalls(
      { ...judged, queries: judged.queries.filter(test) },
      { vectors: index, queryVectors: queryVectors.filter(test), words: (text) => said.get(text), hybrid },
      FUSES,
    );
  const found = await of(() => true);
  return { ...found, chosen: chosenByOthers([await of((_, i) => i % 2 === 0), await of((_, i) => i % 2 === 1)]) };
}

const rows = [];
const gates = [];
for (const name of sets ?? Object.keys(SETS)) {
  const set = await SETS[name]();
  if (!set) {
    console.log(`${name}: SKIPPED, its data or its model is not there`);
    continue;
  }
  const { words, vectors, fused, chosen } = await measured(set);
  const { passages, queries } = set.judged;
  rows.push([
    name,
    passages.length,
    queries.filter(({ right }) => right.length > 0).length,
    ...[words, vectors, ...fused, chosen].map(share),
  ]);
  gates.push(
    atLeast(
      `hybrid, ${name}: recall@10, chosen by others, over the better half's`,
      chosen - Math.max(words, vectors),
      0.005,
      share,
    ),
  );
}

const weights = FUSES.slice(1).map(({ vectors, text }) => `${vectors} : ${text}`);
finish("hybrid", {
  tables: { hybrid: { columns: ["", "passages", "queries", "words", "vectors", "rrf", ...weights, "chosen by others"], rows } },
  gates,
});
