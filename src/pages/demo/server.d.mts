export function serveFiles(
  files: Record<string, { type: string; body: string | Uint8Array }>,
  port: number,
): Promise<{ url: string; close(): void }>;
