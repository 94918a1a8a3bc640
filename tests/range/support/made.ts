// Small sets, the same in each run, and their files as something that answers as fetch does.
import { Flat, type Metric } from "vicinal";
import type { Fetch, Published } from "vicinal/range";

export const DIMENSIONS = 20;

/** splitmix32. */
export function randomOf(seed: number): () => number {
  let state = Math.imul(seed, 0x85ebca6b);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let t = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
    return ((t ^ (t >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** n vectors in clusters, which are the same for every seed. */
export function vectorsOf(n: number, seed = 1, dimensions = DIMENSIONS): Float32Array[] {
  const gaussOf = (random: () => number) => (): number =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const ofCentres = gaussOf(randomOf(5));
  const centres = Array.from({ length: 30 }, () => Float32Array.from({ length: dimensions }, ofCentres));
  const random = randomOf(seed);
  const gauss = gaussOf(random);
  return Array.from({ length: n }, () => {
    const centre = centres[Math.floor(random() * centres.length)];
    return centre.map((value) => value + 0.4 * gauss());
  });
}

export async function flatOf(vectors: readonly Float32Array[], metric: Metric = "l2", ids?: readonly number[]): Promise<Flat> {
  const flat = await Flat.create({ dimensions: vectors[0].length, metric });
  flat.add(vectors as Float32Array[], ids);
  return flat;
}

/** What fetch does with the files under https://host/, and what it was asked for: the bytes of each answer. */
export function fetching(files: ReadonlyMap<string, Uint8Array>): { fetch: Fetch; answers: number[] } {
  const answers: number[] = [];
  const fetch: Fetch = async (url, { headers }) => {
    const file = files.get(new URL(url).pathname.slice(1));
    if (!file) return new Response(null, { status: 404 });
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers?.Range ?? "");
    const [from, to] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, file.length];
    if (range && from >= file.length) return new Response(null, { status: 416 });
    const body = file.slice(from, to);
    answers.push(body.length);
    const shown = range ? { "content-range": `bytes ${from}-${Math.min(to, file.length) - 1}/${file.length}` } : undefined;
    return new Response(body, { status: range ? 206 : 200, headers: shown });
  };
  return { fetch, answers };
}

export const URL_OF = "https://host/";

/** The head's bytes and those of the data. */
export function partsOf({ files }: Published): { head: Uint8Array; data: Uint8Array; name: string } {
  const [[name, data], [, head]] = [...files];
  return { head, data, name };
}
