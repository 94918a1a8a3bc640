import type { Gunzip } from "node:zlib";
import { builtin, needed } from "../builtin.js";
import { inflated } from "./inflate.js";

const CHUNK_BYTES = 256 * 1024;

/** What is fed in one go: deflate makes a thousand times as much of it at most. */
const PIECE_BYTES = 64 * 1024;

/** What codes of errors about the data begin with. */
export const DAMAGED = "Z_";

export function gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return builtin("node:zlib") ? inNode(source) : onPage(source);
}

/** By the stream that pages have, to which several members are as many as it likes. */
async function* onPage(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* inflated(source, "gzip");
  } catch (error) {
    throw Object.assign(new Error((error as Error).message, { cause: error }), { code: DAMAGED });
  }
}

/**
 * Unzips one gzip member or several, one behind the other. Zeros behind a member are padding, and what follows them is the
 * next member: node's own stream ends at the first zero. Anything else there is an error of zlib's.
 */
async function* inNode(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let member: Gunzip | undefined;
  const unzipped: Uint8Array[] = [];
  let isFirst = true;
  const taken = (): Uint8Array[] => unzipped.splice(0);
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      if (member === undefined && !isFirst && chunk[at] === 0) {
        at++;
        continue;
      }
      isFirst = false;
      member ??= start(unzipped);
      const before = member.bytesWritten;
      const ended = await feed(member, chunk.subarray(at, at + PIECE_BYTES));
      at += member.bytesWritten - before;
      if (ended) member = undefined;
      yield* taken();
    }
  }
  if (member !== undefined) await feed(member, undefined);
  yield* taken();
}

function start(unzipped: Uint8Array[]): Gunzip {
  const engine = needed("node:zlib").createGunzip({ chunkSize: CHUNK_BYTES });
  engine.on("data", (bytes: Uint8Array) => unzipped.push(bytes));
  // `feed` hears of errors; this keeps one that comes after it from being "unhandled".
  return engine.on("error", () => {});
}

/** Feeds the next piece, or the end; says whether the engine has ended, which it may do before the piece does. */
function feed(engine: Gunzip, piece: Uint8Array | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null | undefined, ended: boolean): void => {
      engine.off("error", reject).off("end", end);
      if (error) reject(error);
      else resolve(ended);
    };
    const end = (): void => settle(undefined, true);
    engine.once("error", reject).once("end", end);
    if (piece === undefined) engine.end();
    else engine.write(piece, (error) => settle(error, false));
  });
}
