import { type Head, readHead, readStat, sectionIn } from "../../../file/format.js";
import { Hnsw } from "../../../index.js";
import { count } from "../format.js";
import type { WalkStep } from "../messages.js";
import { type About, exact, K, type Run, vectors } from "./story.js";

export const about: About = {
  id: "walk",
  title: "How a graph is walked, step by step",
  asks: "An HNSW over points of a plane, walked by its own links, which are read from its file: down the layers to the nearest, then in the lowest with a beam of the best met so far.",
};

const N = 900;
const M = 4;
const EF = 12;

export const run: Run = async (tell) => {
  tell({ what: "building", part: 0 });
  const { values, queries } = await vectors("uniform", N, 2);
  const index = await Hnsw.create({ dimensions: 2, metric: "l2", m: M, efConstruction: 60 });
  await index.addAll(values);
  const links = linksOf(index.toBytes());
  // Of the queries the one that lies farthest from where every walk begins.
  const away = (one: Float32Array): number =>
    (one[0] - values[2 * links.entry]) ** 2 + (one[1] - values[2 * links.entry + 1]) ** 2;
  const query = queries.reduce((a, b) => (away(b) > away(a) ? b : a));
  const walked = walk(links, values, query, EF, K);
  const answer = index.search(query, { k: K, ef: EF });
  const { plan, distances } = index.lastStats;
  index.close();
  const [truth] = await exact(values, 2, "l2", [query]);
  const right = walked.found.filter((id) => truth.ids.has(id)).length;
  const agrees = walked.found.filter((id) => answer.some((hit) => hit.id === id)).length;
  return {
    charts: [],
    map: {
      points: values,
      levels: links.levels,
      query: [query[0], query[1]],
      steps: walked.steps,
      found: walked.found,
      exact: [...truth.ids] as number[],
    },
    sentence:
      `From layer ${links.top} down: ${count(walked.steps.length)} nodes are expanded and ${count(walked.met)} of ${count(N)} points met, ${right} of the ${K} nearest found with a beam of ${EF}. ` +
      `The index's own search finds ${agrees} of the same ${K}, by the plan "${plan}" and ${count(distances)} distances.`,
  };
};

interface Links {
  readonly entry: number;
  readonly top: number;
  /** By id: the highest layer. */
  readonly levels: Uint8Array;
  /** Of an id on a layer, as ids. */
  of(id: number, layer: number): number[];
}

const NONE = 0xffffffff;

/** Of the file (src/file/format.ts), columns "ids ", "towr", "link" and records "uppr": assembly/table/nodes.ts. */
function linksOf(file: Uint8Array): Links {
  const head: Head = readHead(file, file.length);
  const words = (tag: string): { values: Uint32Array; stride: number } => {
    const section = head.sections.find((one) => one.tag === tag);
    const bytes = section ? sectionIn(file, section).slice() : new Uint8Array(0);
    return { values: new Uint32Array(bytes.buffer), stride: (section?.stride ?? 4) / 4 };
  };
  const { entry, topLevel } = readStat(head, sectionIn(file, head.sections[0]), file.length);
  const [ids, towers, lowest, upper] = ["ids ", "towr", "link", "uppr"].map(words);
  const slotOf = new Map(Array.from(ids.values, (id, slot) => [id, slot]));
  const tower = (id: number): number => towers.values[slotOf.get(id) as number];
  return {
    entry: ids.values[entry],
    top: topLevel,
    levels: Uint8Array.from({ length: ids.values.length }, (_, id) => tower(id) & 15),
    of(id, layer) {
      const { values, stride } = layer === 0 ? lowest : upper;
      const at = (layer === 0 ? (slotOf.get(id) as number) : (tower(id) >>> 5) + layer - 1) * stride;
      return Array.from(values.subarray(at, at + stride))
        .filter((slot) => slot !== NONE)
        .map((slot) => ids.values[slot]);
    },
  };
}

/** Malkov and Yashunin (2016), algorithms 2 and 5: greedy in the upper layers, with a beam of ef in the lowest. */
function walk(links: Links, values: Float32Array, query: Float32Array, ef: number, k: number) {
  const far = (id: number): number => (values[2 * id] - query[0]) ** 2 + (values[2 * id + 1] - query[1]) ** 2;
  const met = new Set([links.entry]);
  const steps: WalkStep[] = [];
  let nearest = links.entry;
  const look = (at: number, layer: number): number[] => {
    const fresh = links.of(at, layer).filter((id) => !met.has(id));
    for (const id of fresh) met.add(id);
    return fresh;
  };
  for (let layer = links.top; layer > 0; layer--) {
    for (let moved = true; moved; ) {
      const at = nearest;
      const around = links.of(at, layer);
      const fresh = look(at, layer);
      nearest = around.reduce((a, b) => (far(b) < far(a) ? b : a), at);
      moved = nearest !== at;
      const says = moved
        ? `Layer ${layer}: of ${around.length} neighbours one is nearer; go there.`
        : `Layer ${layer}: no neighbour is nearer; down to layer ${layer - 1}.`;
      steps.push({ layer, at, met: fresh, nearest, says });
    }
  }
  const lowest = new Set([nearest]);
  let beam = [nearest];
  const expanded = new Set<number>();
  for (;;) {
    const at = beam.find((id) => !expanded.has(id));
    if (at === undefined) break;
    expanded.add(at);
    const fresh = links.of(at, 0).filter((id) => !lowest.has(id));
    for (const id of fresh) lowest.add(id).add(id) && met.add(id);
    const before = new Set(beam);
    beam = [...beam, ...fresh].sort((a, b) => far(a) - far(b)).slice(0, ef);
    const joined = beam.filter((id) => !before.has(id)).length;
    steps.push({
      layer: 0,
      at,
      met: fresh,
      nearest: beam[0],
      says: `Layer 0: new neighbours ${fresh.length}, of them among the best ${ef} so far ${joined}.`,
    });
  }
  return { steps, found: beam.slice(0, k), met: met.size };
}
