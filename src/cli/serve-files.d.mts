import type { Readable } from "node:stream";

export interface ServedFile {
  readonly type: string;
  readonly body: string | Uint8Array | (() => Readable);
}

export function serveFiles(
  files: Readonly<Record<string, ServedFile>>,
  port: number,
  headers?: Readonly<Record<string, string>>,
): Promise<{ url: string; close(): void }>;
