/** What a DecompressionStream makes of bytes; it throws where they are no such data. */
export async function* inflated(source: AsyncIterable<Uint8Array>, format: "gzip" | "deflate-raw"): AsyncGenerator<Uint8Array> {
  const pair = new DecompressionStream(format);
  const writer = pair.writable.getWriter();
  const feeding = (async () => {
    for await (const bytes of source) await writer.write(bytes as BufferSource as Uint8Array<ArrayBuffer>);
    await writer.close();
  })();
  // What goes wrong while it is fed is thrown by the reading side too, or below.
  feeding.catch((error) => writer.abort(error).catch(() => {}));
  const reader = pair.readable.getReader();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value;
    await feeding;
  } finally {
    await reader.cancel().catch(() => {});
  }
}
