import { createGunzip, type Gunzip } from "node:zlib";

const CHUNK_BYTES = 256 * 1024;

/** What is fed in one go: deflate makes a thousand times as much of it at most. */
const PIECE_BYTES = 64 * 1024;

/**
 * Unzips one gzip member or several, one behind the other. Zeros behind a member are padding, and what follows them is the
 * next member: node's own stream ends at the first zero. Anything else there is an error of zlib's.
 */
export async function* gunzip(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let member: Gunzip | undefined;
  const unzipped: Buffer[] = [];
  let isFirst = true;
  const taken = (): Buffer[] => unzipped.splice(0);
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

function start(unzipped: Buffer[]): Gunzip {
  const engine = createGunzip({ chunkSize: CHUNK_BYTES });
  engine.on("data", (bytes: Buffer) => unzipped.push(bytes));
  // `feed` hears of errors; this keeps one that comes after it from being "unhandled".
  return engine.on("error", () => {});
}

/** Feeds the next piece, or the end; says whether the engine has ended, which it may do before the piece does. */
function feed(engine: Gunzip, piece: Buffer | undefined): Promise<boolean> {
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
