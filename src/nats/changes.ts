// The log's messages: documents of one partition that are put, patched or removed together. Each says what it does by ids, so that a
// part of the log that is read a second time leaves the documents as they were.
import type { DocumentInput, DocumentPatch } from "../collection/changing.js";
import type { DocumentId } from "../collection/keys.js";
import { bytesOfRow, newRows, vectorBytes } from "../collection/rows.js";
import type { Shape, Vector } from "../input/vectors.js";
import type { Bytes } from "../words/arrays.js";
import { VicinalError } from "../words/errors.js";
import { partitionOf } from "./names.js";
import { bytesOfJson, pack, unpack } from "./parcel.js";

export interface Put {
  readonly id: DocumentId;
  readonly data: object;
  readonly vector: Uint8Array;
}

export type Changes =
  | { readonly what: "put"; readonly documents: readonly (DocumentInput & { readonly vector: Vector })[] }
  | { readonly what: "patch"; readonly documents: readonly DocumentPatch[] }
  | { readonly what: "remove"; readonly ids: readonly DocumentId[] };

/** A message on its way. */
export interface Message {
  readonly partition: number;
  readonly payload: Bytes;
}

/** A document on its way, or what is known of it. */
export interface Item {
  readonly id: DocumentId;
  readonly data?: object;
  readonly vector?: Uint8Array;
}

/** Puts, patches or removals as messages of at most so many bytes. Errors: TOO_LARGE, where one alone is larger. */
export function messagesOf(what: Changes["what"], items: readonly Item[], mostBytes: number): Message[] {
  const partitions = new Map<number, { item: Item; bytes: number }[]>();
  items.forEach((item, i) => {
    const bytes = sizeOf(item);
    if (bytes > mostBytes) {
      throw new VicinalError(
        "TOO_LARGE",
        `documents[${i}] is about ${bytes} bytes in a message, more than the ${mostBytes} that the server takes (max_payload)`,
      );
    }
    const partition = partitionOf(item.id);
    const list = partitions.get(partition);
    if (list) list.push({ item, bytes });
    else partitions.set(partition, [{ item, bytes }]);
  });
  return [...partitions].flatMap(([partition, list]) => {
    const messages: Message[] = [];
    let some: Item[] = [];
    let room = mostBytes;
    for (const { item, bytes } of list) {
      if (bytes > room) {
        messages.push({ partition, payload: payloadOf(what, some) });
        some = [];
        room = mostBytes;
      }
      some.push(item);
      room -= bytes;
    }
    messages.push({ partition, payload: payloadOf(what, some) });
    return messages;
  });
}

/** An upper bound, of a message that has nothing else. */
function sizeOf({ id, data, vector }: Item): number {
  return 64 + bytesOfJson([id, data]) + (vector?.length ?? 0);
}

/** Documents of any partitions, as a snapshot has them. */
export function putOf(documents: readonly Put[]): Bytes {
  return payloadOf("put", documents);
}

function payloadOf(what: Changes["what"], items: readonly Item[]): Bytes {
  const ids = items.map(({ id }) => id);
  const data = what === "remove" ? undefined : items.map((item) => item.data);
  const width = items[0].vector?.length ?? 0;
  const bytes = new Uint8Array(width * items.length);
  items.forEach(({ vector }, i) => {
    if (vector) bytes.set(vector, i * width);
  });
  return pack({ what, ids, data }, bytes);
}

/** What a message says. Throws where it is none that payloadOf makes. */
export function changesOf(payload: Uint8Array, shape: Shape): Changes {
  const { value, bytes } = unpack(payload);
  const { what, ids, data } = value as { what: Changes["what"]; ids: DocumentId[]; data?: object[] };
  if (!Array.isArray(ids)) throw new RangeError("no ids");
  if (what === "remove") return { what, ids };
  if (data?.length !== ids.length) throw new RangeError(`${ids.length} ids, ${data?.length} data`);
  if (what === "patch") return { what, documents: ids.map((id, i) => ({ id, data: data[i] })) };
  if (what !== "put") throw new RangeError(`a change ${String(what)}`);
  return { what, documents: ids.map((id, i) => ({ id, data: data[i], vector: vectorAt(bytes, i, ids.length, shape) })) };
}

/** Row i of n. */
export function vectorAt(bytes: Bytes, i: number, n: number, shape: Shape): Float32Array | Uint8Array {
  const width = vectorBytes(shape);
  if (bytes.length !== n * width)
    throw new VicinalError("BAD_DIMENSION", `${n} vectors are ${bytes.length} bytes, where each has ${width}`);
  return shape.packed ? bytes.subarray(i * width, (i + 1) * width) : new Float32Array(bytes.buffer, i * width, width / 4);
}

/** Vectors as their bytes, one after the other. Errors: BAD_DIMENSION, NOT_FINITE. */
export function bytesOfRows(
  rows: { n: number; write(i: number, to: Float32Array | Uint8Array, at: number): void; name(i: number): string },
  shape: Shape,
): Uint8Array[] {
  const own = newRows(shape, rows.n);
  const width = own.length / Math.max(rows.n, 1);
  return Array.from({ length: rows.n }, (_, i) => {
    rows.write(i, own, i * width);
    const bad =
      own instanceof Float32Array ? own.subarray(i * width, (i + 1) * width).findIndex((value) => !Number.isFinite(value)) : -1;
    if (bad >= 0)
      throw new VicinalError(
        "NOT_FINITE",
        `${rows.name(i)}[${bad}] is ${own[i * width + bad]}; values must be finite 32-bit floats`,
      );
    return bytesOfRow(own, i, shape);
  });
}
