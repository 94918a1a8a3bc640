// A server that is a process.
import type { ChildProcess } from "node:child_process";

/** What `work` makes of the words by which a server says that it listens; then the server is told to end. */
export async function serving<T>(
  server: ChildProcess,
  listening: RegExp,
  work: (words: RegExpExecArray) => Promise<T>,
): Promise<T> {
  const ended = new Promise((resolve) => server.once("close", resolve));
  try {
    return await work(await said(server, listening));
  } finally {
    server.kill();
    await ended;
  }
}

function said(server: ChildProcess, words: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = "";
    const read = (text: Buffer): void => {
      output += text;
      const match = words.exec(output);
      if (match) resolve(match);
    };
    server.stdout?.on("data", read);
    server.stderr?.on("data", read);
    server.once("error", reject);
    server.once("close", (code) => reject(new Error(`the server ended with ${code}: ${output}`)));
  });
}
