/** Bytes read front to back, of a file or a pipe, or in a page of what was dropped there. */
export interface ByteSource {
  /** As errors name it. */
  readonly path: string;
  /** Bytes to be taken in all, where that is known. */
  readonly bytes: number | undefined;
  /** The next `count` bytes, or fewer where the file ends. */
  take(count: number): Promise<Uint8Array>;
  /** As `take`, but the bytes stay to be read again. */
  peek(count: number): Promise<Uint8Array>;
}

export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);
