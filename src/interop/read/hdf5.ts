// HDF5 as ann-benchmarks lays it out (https://github.com/erikbern/ann-benchmarks): datasets "train", "test", "neighbors" and "distances".
import type { ByteSource } from "../bytes-of.js";
import { unreadable } from "../imported.js";
import { type Chunk, MAX_DIMENSIONS, notFinite, rowsPerChunk } from "./chunk.js";
import { missingPackage } from "./columns.js";

/** What of h5wasm is used. */
interface H5 {
  readonly ready: Promise<H5Module>;
  readonly File: new (name: string, mode: string) => H5File;
}
interface H5Module {
  readonly FS: { writeFile(name: string, bytes: Uint8Array): void; unlink(name: string): void };
  /** Errors are thrown, and no longer printed; and back. */
  activate_throwing_error_handler(): unknown;
  deactivate_throwing_error_handler(): unknown;
}
interface H5File {
  keys(): string[];
  get(name: string): H5Dataset | null;
  close(): unknown;
}
interface H5Dataset {
  readonly shape?: number[] | null;
  readonly dtype?: unknown;
  slice(ranges: number[][]): ArrayLike<number | bigint> | null;
}

export const HDF5_MARK = "\x89HDF";
/** Not for bundlers of pages to follow. */
const NODE_BUILD = ["h5wasm", "node"].join("/");
/** The vectors of ann-benchmarks. */
const TRAIN = "train";
const MOST_ROWS = 2 ** 32 - 1;

let opened = 0;

/** The rows of a two-dimensional dataset of numbers; default "train", or the only one. */
export async function* readHdf5(path: string, source: ByteSource, array: string | undefined): AsyncGenerator<Chunk> {
  const missing = (): never => missingPackage(path, "HDF5", "h5wasm");
  if (source.path !== undefined) {
    // Its build for Node reads files in place.
    const h5 = (await import(/* webpackIgnore: true */ /* @vite-ignore */ NODE_BUILD).catch(missing)).default as H5;
    return yield* datasetRows(path, h5, source.path, array);
  }
  const h5 = (await import("h5wasm").catch(missing)).default as unknown as H5;
  const { FS } = await h5.ready;
  const name = `vicinal-${opened++}.h5`;
  FS.writeFile(name, await source.read(0, source.size));
  try {
    yield* datasetRows(path, h5, name, array);
  } finally {
    FS.unlink(name);
  }
}

async function* datasetRows(path: string, h5: H5, name: string, array: string | undefined): AsyncGenerator<Chunk> {
  const fail = (why: string): Error => unreadable(`${path}: ${why}`);
  const reading = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw fail(`not an HDF5 file that can be read (${String((error as Error).message ?? error).split("\n")[0]})`);
    }
  };
  const module = await h5.ready;
  module.activate_throwing_error_handler();
  let file: H5File | undefined;
  try {
    file = reading(() => new h5.File(name, "r"));
    const wanted =
      array ??
      only(
        reading(() => (file as H5File).keys()),
        fail,
      );
    const dataset = reading(() => (file as H5File).get(wanted));
    const [total, width, ...more] = reading(() => dataset?.shape ?? []);
    if (!dataset || width === undefined || more.length > 0) throw fail(`"${wanted}" is no dataset of two dimensions`);
    if (!(width >= 1 && width <= MAX_DIMENSIONS && total <= MOST_ROWS))
      throw fail(`"${wanted}" has ${total} rows of ${width} values`);
    const step = rowsPerChunk(width);
    for (let from = 0; from < total; from += step) {
      const rows = Math.min(step, total - from);
      const values = reading(() =>
        dataset.slice([
          [from, from + rows],
          [0, width],
        ]),
      );
      if (values?.length !== rows * width) throw fail(`rows from ${from + 1} on of "${wanted}" are not there`);
      yield { rows, dimensions: width, vectors: floatsOf(path, from, width, values), total };
    }
  } finally {
    file?.close();
    module.deactivate_throwing_error_handler();
  }
}

function only(names: readonly string[], fail: (why: string) => Error): string {
  if (names.includes(TRAIN)) return TRAIN;
  if (names.length === 1) return names[0];
  throw fail(`which of its datasets holds the vectors? { array } says it: ${names.join(", ")}`);
}

function floatsOf(path: string, first: number, width: number, values: ArrayLike<number | bigint>): Float32Array {
  const vectors = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    vectors[i] = Number(values[i]);
    if (!Number.isFinite(vectors[i])) {
      throw unreadable(`${path}: ${notFinite(`row ${first + Math.floor(i / width) + 1}`, i % width, Number(values[i]))}`);
    }
  }
  return vectors;
}
