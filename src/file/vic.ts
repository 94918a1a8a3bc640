// An index as a .vic file and back: format.ts has the file's layout.

import { type Engine, type Part, partBytes } from "../border/engine.js";
import { newEngine } from "../border/runtime.js";
import type { Bytes } from "../words/arrays.js";
import { type CodecOption, codecOptions } from "../words/codec-option.js";
import { optionsOf } from "../words/describe.js";
import { bad, show, VicinalError } from "../words/errors.js";
import { CODEC_NAMES, type Codec, KIND_NAMES, type Kind, METRIC_NAMES, type Metric } from "../words/kinds.js";
import { KNOBS } from "../words/knobs.js";
import { EMPTY, FRESH, readState, type State, stateBytes, upgraded } from "../words/state.js";
import { tagOf } from "../words/tag.js";
import { type Head, headOf, isSealed, placed, presentSections, readHead, readStat, STAT, sectionIn } from "./format.js";

function bytesFor(end: number): Bytes {
  try {
    return new Uint8Array(end);
  } catch {
    throw new VicinalError("OUT_OF_MEMORY", `there is no room for a file of ${end} bytes beside the index`);
  }
}

/** @internal */
export function writeFile(engine: Engine): Bytes {
  const parts = engine.parts();
  const [slots, records] = [engine.exports.storeCount(0), engine.exports.storeCount(1)];
  const sections = placed([STAT, ...parts.map((part) => ({ ...part, bytes: partBytes(part, slots, records) }))]);
  const [stat, last] = [sections[0], sections[parts.length]];
  const file = bytesFor(last.offset + last.bytes);
  const state = engine.copyState();
  file.set(state, stat.offset);
  stat.checksum = engine.hash(state);
  parts.forEach((part, i) => {
    const section = sections[i + 1];
    section.checksum = engine.readPart(part, file, section.offset);
  });
  file.set(headOf(readState(state), slots, records, sections, file.length, (bytes) => engine.hash(bytes)));
  return file;
}

/** A file as bytes: a Uint8Array, ArrayBuffer or any other view. */
export type FileBytes = Uint8Array | ArrayBuffer | ArrayBufferView;

/** What brings a file's bytes: a Response, a Blob. */
export interface FileSource {
  arrayBuffer(): Promise<FileBytes>;
  /** Of a Response. */
  readonly ok?: boolean;
  readonly status?: number;
  readonly url?: string;
}

function viewOf(file: FileBytes): Uint8Array {
  const isBuffer = /^(Shared)?ArrayBuffer$/.test(tagOf(file) ?? "");
  if (!isBuffer && !ArrayBuffer.isView(file)) {
    const forms = "a Uint8Array, an ArrayBuffer, a Response or a Blob";
    throw new VicinalError("BAD_FILE", `a .vic file is given as ${forms}, not ${show(file)}`);
  }
  try {
    const { buffer, byteOffset, byteLength } = isBuffer ? new Uint8Array(file as ArrayBuffer) : (file as ArrayBufferView);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch {
    throw bad("its ArrayBuffer was transferred or shrunk");
  }
}

/** Bytes that nobody else changes: a copy made at once, as the caller's may be filled anew while it is read. */
async function bytesOf(file: FileBytes | FileSource): Promise<Uint8Array> {
  if (typeof (file as FileSource)?.arrayBuffer !== "function") return viewOf(file as FileBytes).slice();
  const source = file as FileSource;
  if (source.ok === false)
    throw new VicinalError("BAD_FILE", `${source.url || "the server"} answered with status ${source.status}`);
  return viewOf(await source.arrayBuffer());
}

/** What a whole file says of itself. */
async function opened(from: FileBytes | FileSource): Promise<{ file: Uint8Array; head: Head; state: State }> {
  const file = await bytesOf(from);
  const head = readHead(file, file.length);
  return { file, head, state: readStat(head, sectionIn(file, head.sections[0]), file.length) };
}

function checkHead(engine: Engine, file: Uint8Array, head: Head): void {
  if (!isSealed(file, head, (bytes) => engine.hash(bytes))) throw bad("the checksum of its header does not match");
}

/** Copies a part in from `file` at `at`; returns its checksum. */
function writePart(target: Engine, part: Part, file: Uint8Array, at: number): bigint {
  target.exports.checksumStart();
  for (const { address, from, bytes } of target.pieces(part)) {
    target.u8().set(file.subarray(at + from, at + from + bytes), address);
    target.exports.checksumAdd(address, bytes);
  }
  return BigInt.asUintN(64, target.exports.checksumEnd());
}

/** @internal The index in a file, in a new memory; validated as a whole before anyone may search it. */
export async function readFile(from: FileBytes | FileSource, maxBytes?: number): Promise<Engine> {
  const { file, head, state } = await opened(from);
  const { slots, records } = head;
  const sections = presentSections(head);
  // With what no number of the state has: src/guide/past.ts.
  const stat = sectionIn(file, sections[0]);
  const engine = await newEngine(upgraded(stat), maxBytes);
  checkHead(engine, file, head);
  if (engine.hash(stat) !== sections[0].checksum) {
    throw bad("the checksum of section stat does not match");
  }

  const parts = engine.parts();
  const fits = parts.every((part, i) => {
    const section = sections[i + 1];
    return section?.tag === part.tag && section.stride === part.stride && section.bytes === partBytes(part, slots, records);
  });
  const complete = parts.length + 1 === sections.length && (records === 0 || parts.some(({ store }) => store === 1));
  if (!fits || !complete || state.live > slots) throw bad("its sections are not those of such an index");
  engine.done(engine.exports.restore(slots, records));
  parts.forEach((part, i) => {
    const { tag, offset, checksum } = sections[i + 1];
    if (writePart(engine, part, file, offset) !== checksum) throw bad(`the checksum of section ${tag} does not match`);
  });
  if (!engine.exports.isValid()) throw bad("its content contradicts itself");
  return engine;
}

/** The smallest index: for its checksums. */
const NEUTRAL: State = {
  ...{ ...EMPTY, ...FRESH, seed: 0, kind: 0, metric: 0, codec: 0 },
  ...{ dimensions: 1, rerank: 0, rerankFactor: 1 },
};

export interface FileInfo {
  version: number;
  kind: Kind;
  metric: Metric;
  codec: Codec;
  /** What the codec was given beside its name. */
  codecOptions?: CodecOption;
  /** Candidates are re-scored exactly. */
  rerank: boolean;
  dimensions: number;
  /** Vectors a search can find. */
  count: number;
  deleted: number;
  /** Whether it has learned what it must. */
  trained: boolean;
  /** The family's options as they were given to `create`. */
  options: Record<string, number | string | boolean>;
  sections: { tag: string; offset: number; bytes: number; checksum: string; ok: boolean }[];
}

/** What a .vic file holds and whether each section's checksum holds; the index itself is not built. */
export async function inspect(from: FileBytes | FileSource): Promise<FileInfo> {
  const { file, head, state } = await opened(from);
  const engine = await newEngine(stateBytes(NEUTRAL));
  checkHead(engine, file, head);
  const own = codecOptions(state);
  return {
    version: head.version,
    kind: KIND_NAMES[state.kind],
    metric: METRIC_NAMES[state.metric],
    codec: CODEC_NAMES[state.codec],
    ...(own && { codecOptions: own }),
    rerank: state.rerank !== 0,
    dimensions: state.dimensions,
    count: state.live,
    deleted: state.dead + state.doomed,
    trained: state.trained === 1,
    options: optionsOf(state, KNOBS[KIND_NAMES[state.kind]]),
    sections: head.sections.map((section) => ({
      tag: section.tag,
      offset: section.offset,
      bytes: section.bytes,
      checksum: section.checksum.toString(16).padStart(16, "0"),
      ok: engine.hash(sectionIn(file, section)) === section.checksum,
    })),
  };
}
